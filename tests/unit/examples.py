"""Tiny experiments and data sets that the tests of the method share."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.estimator import defaults
from competitive_mixtures.method.run import Run
from competitive_mixtures.pipeline.jobs import pretrain, reassign, train_shard
from competitive_mixtures.settings.blocks import merge
from competitive_mixtures.settings.messages import validate
from competitive_mixtures.settings.schema import Experiment

ROOT = Path(__file__).parents[2]  # of the project
MLP = {"kind": "mlp", "hidden": [8]}
CONV = {"kind": "conv", "channels": [4, 6]}
ADAM = {"learning_rate": 3.0e-3, "beta1": 0.9, "beta2": 0.999}
GAUSSIAN = {"kind": "gaussian", "variance": 0.1, "samples": "means"}
VAE = {
    "kind": "vae",
    "count": 3,
    "encoder": MLP,
    "decoder": MLP,
    "latent_dim": 2,
    "likelihood": GAUSSIAN,
    "optimizer": ADAM,
    "loss_limit": 1.0e6,
}
WASSERSTEIN = {"kind": "wgan_gp", "gradient_penalty": 10.0}
GAN = {
    "kind": "gan",
    "count": 3,
    "generator": MLP,
    "critic": MLP,
    "latent_dim": 2,
    "loss": {"kind": "non_saturating"},
    "critic_steps": 1,
    "optimizer": ADAM,
    "critic_optimizer": ADAM,
    "averaging": 0.9,
    "loss_limit": 1.0e6,
}
CONV_VAE = VAE | {"encoder": CONV, "decoder": {"kind": "conv", "channels": [6, 4]}, "likelihood": {"kind": "bernoulli"}}
CONV_GAN = GAN | {"generator": {"kind": "conv", "channels": [6, 4]}, "critic": CONV}
BASE: dict[str, Any] = {
    "dataset": "blobs",
    "components": [VAE],
    "training": {
        "batch_size": 16,
        "pretraining_steps": 10,
        "steps_per_round": 10,
        "standardize": "data",
        "shared_layers": 0,
        "backend": "stacked",
    },
    "scoring": {
        "kind": "discriminators",
        "network": MLP,
        "trunk": "separate",
        "optimizer": ADAM,
        "batch_size": 16,
        "steps_per_round": 10,
        "reset": True,
        "normalization": "component",
        "assignment": "density",
    },
    "balancing": {"min_share": 0.1},
    "revival": None,
    "baselines": ["single", "single_wide", "bagging", "kmeans"],
    "evaluation": {"num_samples": 60, "num_bandwidth_samples": 20, "num_neighbors": 3},
    "shards": 1,
    "device": "cpu",
}


BLOBS = {
    "kind": "gaussians",
    "modes": 2,
    "means": [[-4.0, 0.0], [4.0, 0.0]],
    "variance": 0.5,
    "num_train": 30,
    "num_test": 10,
    "seed": 0,
}
PLAN = {"suite": "default", "rounds": 2, "resources": {"gpu": 0, "threads": 1, "mem_mb": 100, "runtime": 1}}
PARAMS = {"seeds": 2, "datasets": {"blobs": BLOBS}, "experiments": {"tiny": BASE | PLAN}}


def params(**changes):
    """Sound parameters with changes over the experiment `tiny`."""
    return copy.deepcopy(PARAMS | {"experiments": {"tiny": change(PARAMS["experiments"]["tiny"], **changes)}})


def change(block: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A block with changes over it; mappings merge key by key."""
    return merge(block, changes)


def make_experiment(**changes: Any) -> Experiment:
    """The tiny experiment with changes over it."""
    return validate(Experiment, merge(BASE, changes), "example")


def make_estimators_experiment(
    kind: str = "vector", shape: tuple[int, ...] = (2,), num_points: int = 1000, **changes: Any
) -> Experiment:
    """The experiment behind the estimator's defaults, for three components on a CPU."""
    arguments: dict[str, Any] = {"method": "ours", "init": None, "n_components": 3, "component": "vae"}
    arguments |= {"steps_per_round": 200, "hidden_layer_sizes": None, "device": "cpu", "settings": None}
    return defaults.make_experiment(kind, shape, num_points, **arguments | changes)


def make_blobs(num_train: int = 120, num_test: int = 40, *, labels: bool = True) -> Dataset:
    """Three Gaussians on a triangle."""
    rng = np.random.default_rng(0)
    means = np.array([[-6.0, 0.0], [6.0, 0.0], [0.0, 9.0]])
    parts = {}
    for split, number in (("train", num_train), ("test", num_test)):
        of = rng.integers(3, size=number)
        parts[split] = (means[of] + 0.5 * rng.standard_normal((number, 2))).astype(np.float32)
        parts[f"{split}_labels"] = of if labels else None
    return Dataset(name="blobs", kind="vector", shape=(2,), meta={}, **parts)


def make_images(num_train: int = 60, num_test: int = 20, *, side: int = 8, channels: int = 1) -> Dataset:
    """Images of noise, bright in their left or in their right half."""
    rng = np.random.default_rng(0)
    parts = {}
    for split, number in (("train", num_train), ("test", num_test)):
        of = rng.integers(2, size=number)
        images = rng.integers(0, 60, (number, channels, side, side), dtype=np.uint8)
        for image, label in zip(images, of, strict=True):
            image[..., label * side // 2 : (label + 1) * side // 2] += 180
        parts[split], parts[f"{split}_labels"] = images, of
    return Dataset(name="halves", kind="image", shape=(channels, side, side), meta={}, **parts)


def play(experiment: Experiment, dataset: Dataset, folder: Path, *, rounds: int = 2, seed: int = 0) -> Path:
    """Pretrain and play all rounds in jobs, and shards, as the workflow does; gives the last folder."""
    pretrain(Run(experiment, dataset, seed), folder / "pretrain")
    previous = folder / "pretrain"
    for number in range(rounds + 1):
        out = folder / "rounds" / str(number)
        files = [out / "shards" / f"{shard}.safetensors" for shard in range(experiment.shards)]
        for shard, file in enumerate(files):
            train_shard(Run(experiment, dataset, seed), number, previous, shard, experiment.shards, file)
        reassign(Run(experiment, dataset, seed), number, previous, files, out)
        previous = out
    return previous
