"""The estimator's experiment: defaults that suit most data, with a user's own settings over them."""

from collections.abc import Mapping, Sequence
from typing import Any

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.blocks import merge, validate
from competitive_mixtures.settings.schema import Experiment

SOURCE = "CompetitiveMixture: settings"  # how a mistake names where it stands

COMPONENTS: dict[tuple[str, str], dict[str, Any]] = {
    ("vae", "vector"): {
        "likelihood": {"kind": "gaussian", "variance": "learned", "samples": "draws"},
        "latent_dim": 5,
        "optimizer": {"learning_rate": 3.0e-3, "beta1": 0.9, "beta2": 0.999},
        "loss_limit": 1.0e6,
    },
    ("vae", "image"): {
        "likelihood": {"kind": "bernoulli"},
        "latent_dim": 8,
        "optimizer": {"learning_rate": 4.0e-3, "beta1": 0.9, "beta2": 0.999},
        "loss_limit": 1.0e6,
    },
    ("gan", "vector"): {
        "loss": {"kind": "wgan_gp", "gradient_penalty": 0.1},
        "latent_dim": 8,
        "critic_steps": 2,
        "optimizer": {"learning_rate": 5.0e-4, "beta1": 0.5, "beta2": 0.9},
        "critic_optimizer": {"learning_rate": 5.0e-3, "beta1": 0.5, "beta2": 0.9},
        "averaging": 0.98,
        "loss_limit": 1.0e4,
    },
    ("gan", "image"): {
        "loss": {"kind": "non_saturating"},
        "latent_dim": 16,
        "critic_steps": 1,
        "optimizer": {"learning_rate": 2.0e-3, "beta1": 0.0, "beta2": 0.99},
        "critic_optimizer": {"learning_rate": 4.0e-3, "beta1": 0.0, "beta2": 0.99},
        "averaging": 0.98,
        "loss_limit": 20.0,
    },
}
NETWORKS = {"vae": ("encoder", "decoder"), "gan": ("generator", "critic")}
HIDDEN = {"vector": [50, 50], "image": [128]}
DISCRIMINATORS = {"vector": [64, 64], "image": [128]}
PRETRAINING_ROUNDS = 10  # as many steps as these have, at most: held-out points end it
METHODS = ("ours", "plain")
MAX_COVARIANCE_COLUMNS = 100  # a cell's covariance of more columns costs more than its networks
SAMPLES_PER_COMPONENT = 500  # behind a density of vectors


def make_experiment(
    kind: str,
    num_columns: int,
    *,
    method: str,
    init: str | None,
    n_components: int,
    component: str,
    steps_per_round: int,
    hidden_layer_sizes: Sequence[int] | None,
    device: str,
    settings: Mapping[str, Any] | None,
) -> Experiment:
    """An experiment for data of one kind; `params.yaml` says where its numbers come from.

    Args:
        kind: of the data, `vector` or `image`.
        num_columns: of vectors; pixels of images.
        method: "ours", or "plain", the paper's method at our settings.
        init: a start of `settings.Training`, or None for the method's.
        n_components: k.
        component: a key of `NETWORKS`.
        steps_per_round: of every component.
        hidden_layer_sizes: units of the hidden layers of a component's networks.
        device: "auto", "cpu" or "cuda".
        settings: laid over the experiment, key by key; its `components` may be one block, laid over the only one.

    Raises:
        UserError: names each mistake with its key.
    """
    if method not in METHODS:
        raise UserError(f"CompetitiveMixture: method = {method!r}; expected one of {list(METHODS)}")
    if not isinstance(component, str) or component not in NETWORKS:
        raise UserError(f"CompetitiveMixture: component = {component!r}; expected one of {sorted(NETWORKS)}")
    if not isinstance(device, str):
        raise UserError(f"CompetitiveMixture: device = {device!r}; expected auto, cpu or cuda")
    hidden = HIDDEN[kind] if hidden_layer_sizes is None else list(hidden_layer_sizes)
    block: dict[str, Any] = {"kind": component, "count": n_components, **COMPONENTS[component, kind]}
    block |= {network: {"kind": "mlp", "hidden": hidden} for network in NETWORKS[component]}
    if not isinstance(settings, Mapping | None):
        raise UserError(f"{SOURCE}: found {settings!r}; expected a mapping, laid over an experiment of params.yaml")
    changes = dict(settings or {})
    if isinstance(changes.get("components"), Mapping):
        changes["components"] = [merge(block, changes["components"])]
    blocks = merge({"components": [block]}, changes)["components"]
    has_bound = isinstance(blocks, list) and all(has_learned_bound(each) for each in blocks)
    experiment = {
        "dataset": "X",
        "components": [block],
        **choose_method(kind, component, num_columns, steps_per_round, method, init, has_bound=has_bound),
        "balancing": {"min_share": 0.1},
        "revival": None,
        "baselines": [],
        "evaluation": {
            "num_samples": SAMPLES_PER_COMPONENT * n_components,
            "num_bandwidth_samples": SAMPLES_PER_COMPONENT,
            "num_neighbors": 3,
        },
        "shards": 1,
        "device": "cpu"
        if device == "auto" and kind == "vector"
        else device,  # small networks wait for a GPU's launches
    }
    checked: Experiment = validate(Experiment, merge(experiment, changes), SOURCE)
    if checked.num_components != n_components:
        raise UserError(
            f"{SOURCE}.components: {checked.num_components} components, n_components = {n_components}; make them agree"
        )
    return checked


def has_learned_bound(block: Any) -> bool:
    """Whether a block of components has a bound that can stop it early, and a variance that has no unit."""
    if not isinstance(block, Mapping) or block.get("kind") != "vae":
        return False
    likelihood = block.get("likelihood")
    return isinstance(likelihood, Mapping) and likelihood.get("variance") == "learned"


def choose_method(
    kind: str,
    component: str,
    num_columns: int,
    steps_per_round: int,
    method: str,
    init: str | None,
    *,
    has_bound: bool,
) -> dict[str, Any]:
    """The blocks `training` and `scoring`; see `make_experiment`."""
    plain = choose_plain(kind, component, steps_per_round)
    if method == "plain":
        return merge(plain, {"training": {"init": init or "uniform"}})
    if kind == "image":
        return merge(plain, {"training": {"init": init or "kmeans"}})
    start = {"init": init or "gaussians", "standardize": "cells"}
    if not has_bound:
        return merge(plain, {"training": start})
    start["standardize"] = "covariances" if num_columns <= MAX_COVARIANCE_COLUMNS else "cells"
    scoring = {
        "kind": "offset_classifier",
        "optimizer": {"learning_rate": 1.0e-3},
        "batch_size": 64,
        "steps_per_round": max(1, steps_per_round // 4),
        "normalization": "global",
        "assignment": "posterior",
        "weight_decay": 0.1,
    }
    training = start | {"pretraining_steps": PRETRAINING_ROUNDS * steps_per_round, "held_out": 0.2}
    return merge(plain, {"training": training, "scoring": scoring})


def choose_plain(kind: str, component: str, steps_per_round: int) -> dict[str, Any]:
    """The blocks `training` and `scoring` of the paper's method at our settings."""
    vector = kind == "vector"
    batch_size = 256 if vector and component == "vae" else 64
    scoring = {
        "kind": "discriminators",
        "network": {"kind": "mlp", "hidden": DISCRIMINATORS[kind]},
        "trunk": "separate",
        "optimizer": {"learning_rate": 2.0e-3, "beta1": 0.5, "beta2": 0.999},
        "batch_size": batch_size if vector else 128,
        "steps_per_round": max(1, steps_per_round // 2) if vector else 5,  # few: blur is easier to tell than content
        "reset": True,
        "normalization": "component",
        "assignment": "density",
    }
    training = {
        "batch_size": batch_size,
        "pretraining_steps": 50 if vector and component == "vae" else 200,
        "steps_per_round": steps_per_round,
        "standardize": "data" if vector else "none",
        "shared_layers": 0,
        "backend": "auto",
    }
    return {"training": training, "scoring": scoring}
