"""The estimator's experiment: defaults that suit most data, with a user's own settings over them."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, get_args

from competitive_mixtures.errors import UserError
from competitive_mixtures.estimator.parameters import check_word
from competitive_mixtures.settings.blocks import merge
from competitive_mixtures.settings.experiment import Device
from competitive_mixtures.settings.messages import validate
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
AUTOENCODER: dict[str, Any] = {
    "kind": "autoencoder",
    "latent_dim": 10,
    "optimizer": {"learning_rate": 1.5e-3, "beta1": 0.9, "beta2": 0.999},
    "batch_size": 128,
    "steps": 8_000,
    "loss_limit": 1.0e6,
}
MOST_EPOCHS, LEAST_STEPS = 200, 1_000  # of an autoencoder
# Over those of vectors: kinds of images touch in the latents, and half-trained components or discriminators would
# assign what lies between them by chance.
LATENT_TRAINING = {"pretraining_steps": 400}
LATENT_SCORING = {"network": {"kind": "mlp", "hidden": [100, 100]}, "steps_per_round": 400}
LARGEST_MLP = 32  # pixels in height or width: larger images go through convolutions
DENSE = [400, 400, 400]  # units from the image on
CHANNELS = [16, 32, 64, 128]  # from the image on; small images are halved less often
CONVOLUTIONS = {  # which take a CPU ten times as long for an image
    "optimizer": {"learning_rate": 2.0e-3, "beta1": 0.9, "beta2": 0.999},
    "batch_size": 64,
    "steps": 5_000,
}
NETWORKS = {"vae": ("encoder", "decoder"), "gan": ("generator", "critic")}
HIDDEN = {"vector": [50, 50], "image": [128]}
DISCRIMINATORS = {"vector": [64, 64], "image": [128]}
PRETRAINING_ROUNDS = 10  # as many steps as these have, at most: held-out points end it
BATCH_SIZES = (256, 128, 64, 32)  # of VAEs of vectors
METHODS = ("ours", "plain")
DEVICES = get_args(Device)
MAX_COVARIANCE_COLUMNS = 100  # a cell's covariance of more columns costs more than its networks
SAMPLES_PER_COMPONENT = 500  # behind a density of vectors


def make_experiment(
    kind: str,
    shape: Sequence[int],
    num_points: int,
    *,
    method: str,
    init: str | None,
    representation: str | None = None,
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
        shape: of one point, (d,) or (c, h, w).
        num_points: n.
        method: "ours", or "plain", the paper's method at our settings.
        init: a start of `settings.experiment.Training`, or None for the method's.
        representation: None, or "autoencoder": the components model the latents of images.
        n_components: k.
        component: a key of `NETWORKS`.
        steps_per_round: of every component.
        hidden_layer_sizes: units of the hidden layers of a component's networks.
        device: "auto", "cpu" or "cuda".
        settings: laid over the experiment, key by key; its `components` may be one block, laid over the only one.

    Raises:
        UserError: names each mistake with its key.
    """
    check_word("method", method, METHODS)
    check_word("component", component, sorted(NETWORKS))
    check_word("device", device, DEVICES)
    if device == "auto" and kind == "vector":
        device = "cpu"  # small networks wait for a GPU's launches
    latents = choose_representation(kind, shape, num_points, representation)
    kind = kind if latents is None else "vector"
    hidden = HIDDEN[kind] if hidden_layer_sizes is None else list(hidden_layer_sizes)
    block: dict[str, Any] = {"kind": component, "count": n_components, **COMPONENTS[component, kind]}
    block |= {network: {"kind": "mlp", "hidden": hidden} for network in NETWORKS[component]}
    changes = read_changes(settings, block)
    if latents is None:
        mean_cell = num_points // n_components
        training = choose_method(kind, component, prod(shape), mean_cell, steps_per_round, method, init, changes, block)
    else:
        training = choose_latents(component, steps_per_round, method, init)
    experiment = {
        "dataset": "X",
        "components": [block],
        **training,
        "balancing": {"min_share": 0.1},
        "revival": None,
        "baselines": [],
        "evaluation": {
            "num_samples": SAMPLES_PER_COMPONENT * n_components,
            "num_bandwidth_samples": SAMPLES_PER_COMPONENT,
            "num_neighbors": 3,
        },
        "shards": 1,
        "representation": latents,
        "device": device,
    }
    checked: Experiment = validate(Experiment, merge(experiment, changes), SOURCE)
    if checked.num_components != n_components:
        raise UserError(
            f"{SOURCE}.components: {checked.num_components} components, n_components = {n_components}; make them agree"
        )
    return checked


def read_changes(settings: Any, block: Mapping[str, Any]) -> dict[str, Any]:
    """A user's `settings` with the components as a list, of one `block` where one is changed.

    Raises:
        UserError: the settings are no mapping.
    """
    if not isinstance(settings, Mapping | None):
        raise UserError(f"{SOURCE}: found {settings!r}; expected a mapping, laid over an experiment of params.yaml")
    changes = dict(settings or {})
    if isinstance(changes.get("components"), Mapping):
        changes["components"] = [merge(block, changes["components"])]
    return changes


def choose_representation(
    kind: str, shape: Sequence[int], num_points: int, representation: Any
) -> dict[str, Any] | None:
    """The block `representation` for points of one kind; None for points as they are.

    Raises:
        UserError: there is no such representation, or the points are no images.
    """
    if representation is None:
        return None
    if not isinstance(representation, str) or representation != "autoencoder" or kind != "image":
        raise UserError(
            f"CompetitiveMixture: representation = {representation!r} for points of kind {kind}; expected None, or for "
            'images "autoencoder"'
        )
    height, width = shape[1:]
    if max(height, width) <= LARGEST_MLP:
        layers = {"encoder": {"kind": "mlp", "hidden": DENSE}, "decoder": {"kind": "mlp", "hidden": DENSE[::-1]}}
        return shorten(AUTOENCODER | layers, num_points)
    channels = CHANNELS[: max(1, min(height, width).bit_length() - 2)]  # four pixels are left, or more
    doublings = count_doublings(height, width)
    layers = {
        "encoder": {"kind": "conv", "channels": channels},
        "decoder": {"kind": "conv", "channels": channels[: doublings + 1][::-1]},
    }
    return shorten(AUTOENCODER | layers | CONVOLUTIONS, num_points)


def shorten(autoencoder: Mapping[str, Any], num_points: int) -> dict[str, Any]:
    """An autoencoder's block with fewer steps for few images, which it has learned after some epochs."""
    epochs = MOST_EPOCHS * num_points // autoencoder["batch_size"]
    return {**autoencoder, "steps": min(autoencoder["steps"], max(LEAST_STEPS, epochs))}


def count_doublings(height: int, width: int) -> int:
    """How often an image of whole sides can be halved, so that the decoder can double it as often."""
    sides = height | width
    return (sides & -sides).bit_length() - 1


def has_learned_bound(block: Any) -> bool:
    """Whether a block of components has a bound that can stop it early, and a variance that has no unit."""
    if not isinstance(block, Mapping) or block.get("kind") != "vae":
        return False
    likelihood = block.get("likelihood")
    return isinstance(likelihood, Mapping) and likelihood.get("variance") == "learned"


def have_equal_bounds(blocks: Any) -> bool:
    """Whether all components have evidence bounds, and of one likelihood: a probability is no match for a density."""
    if not isinstance(blocks, list) or not all(isinstance(block, Mapping) for block in blocks):
        return False
    likelihoods = [block.get("likelihood") for block in blocks]
    kinds = {likelihood.get("kind") if isinstance(likelihood, Mapping) else None for likelihood in likelihoods}
    return len(kinds) == 1 and all(block.get("kind") == "vae" for block in blocks)


def choose_method(
    kind: str,
    component: str,
    num_columns: int,
    mean_cell: int,
    steps_per_round: int,
    method: str,
    init: str | None,
    changes: Mapping[str, Any],
    block: Mapping[str, Any],
) -> dict[str, Any]:
    """The blocks `training` and `scoring`, for a `block` with a user's `changes`; see `make_experiment`."""
    plain = choose_plain(kind, component, steps_per_round)
    if method == "plain":
        return merge(plain, {"training": {"init": init or "uniform"}})
    blocks = merge({"components": [block]}, changes)["components"]
    if kind == "image":
        bounds = {"scoring": {"kind": "bound", "assignment": "posterior"}}
        has_bounds = "scoring" not in changes and have_equal_bounds(blocks)
        return merge(plain, {"training": {"init": init or "kmeans"}} | (bounds if has_bounds else {}))
    start = {"init": init or "gaussians", "standardize": "cells"}
    if not isinstance(blocks, list) or not all(has_learned_bound(each) for each in blocks):
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
    training = start | {
        "batch_size": choose_batch_size(mean_cell),
        "pretraining_steps": PRETRAINING_ROUNDS * steps_per_round,
        "held_out": 0.2,
    }
    return merge(plain, {"training": training, "scoring": scoring})


def choose_batch_size(mean_cell: int) -> int:
    """The largest of `BATCH_SIZES` that is at most half the mean cell of so many points, or the least of them.

    A cell of fewer points than a batch would be gone through more than once in each step.
    """
    return next(size for size in BATCH_SIZES if size <= mean_cell // 2 or size == BATCH_SIZES[-1])


def choose_latents(component: str, steps_per_round: int, method: str, init: str | None) -> dict[str, Any]:
    """The blocks `training` and `scoring` of components that model latents."""
    start = init or {"plain": "uniform", "ours": "gaussians"}[method]
    standardize = {"plain": "data", "ours": "cells"}[method]
    own = {"training": LATENT_TRAINING | {"init": start, "standardize": standardize}, "scoring": LATENT_SCORING}
    return merge(choose_plain("vector", component, steps_per_round), own)


def choose_plain(kind: str, component: str, steps_per_round: int) -> dict[str, Any]:
    """The blocks `training` and `scoring` of the paper's method at our settings."""
    vector = kind == "vector"
    batch_size = BATCH_SIZES[0] if vector and component == "vae" else 64
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
