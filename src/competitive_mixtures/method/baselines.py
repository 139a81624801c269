"""What the competition is compared with: the same generative models trained without competing, and a Gaussian mixture.

Each baseline is trained once and kept at two points: after as many steps as one component had (`paper`), and after as
much compute, samples times parameters, as the whole competition took, its discriminators included (`equal_compute`).
What the competition spends on scoring and sampling is recorded beside it, and counted where the experiment says so.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import BaselineFolder, StageFolder
from competitive_mixtures.files.formats import read_json, write_json, write_tensors
from competitive_mixtures.method.assignment import to_cells
from competitive_mixtures.method.baseline_training import train_in_stages
from competitive_mixtures.method.batches import flatten_points
from competitive_mixtures.method.gaussian_mixture import fit_gaussian_mixture
from competitive_mixtures.method.representation import encode_images, train_autoencoder
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.start import cluster_by_kmeans, split_uniformly
from competitive_mixtures.method.training import Training
from competitive_mixtures.method.tuning import choose_weights
from competitive_mixtures.networks.architectures import widen
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.settings import schema

WIDTH_FACTOR = 3  # of `single_wide`, as in the draft's VAE-150 beside its VAE-50
NAMES = get_args(schema.BaselineName)
FORWARD_SHARE = 1 / 3  # of a training step's work on a point: its backward pass costs two forward passes


def reshape_experiment(experiment: schema.Experiment, name: str) -> schema.Experiment:
    """The experiment with the components of a baseline.

    Args:
        experiment: with components of one kind.
        name: one of `NAMES`.

    Raises:
        UserError: there is no such baseline.
    """
    if name not in NAMES or len(experiment.components) > 1:
        raise UserError(f"baseline {name!r}: expected one of {NAMES} and components of one kind")
    (component,) = experiment.components
    if name in ("single", "single_wide"):
        component = component.model_copy(update={"count": 1})
    if name == "single_wide":
        networks = [key for key in type(component).model_fields if isinstance(getattr(component, key), schema.NETWORKS)]
        wider = {key: widen(getattr(component, key), WIDTH_FACTOR) for key in networks}
        component = component.model_copy(update=wider)
    return experiment.model_copy(update={"components": [component], "shards": 1})


def partition(points: Tensor, name: str, num_components: int, seed: int) -> np.ndarray:
    """Which model of a baseline trains on which point: one for all, a uniform split, or k-means.

    Returns:
        (N,) int16.

    Raises:
        ValueError: another baseline of several models, which has to bring its own partition.
    """
    if num_components == 1:
        return np.zeros(len(points), dtype=np.int16)
    if name == "bagging":
        return split_uniformly(len(points), num_components, (seed,))
    if name != "kmeans":
        raise ValueError(f"baseline {name!r} has no partition of the points")
    return cluster_by_kmeans(flatten_points(points), num_components, seed)


def cluster_latents(run: Run) -> tuple[np.ndarray, Training]:
    """K-means' clusters of images in the latents of an autoencoder, (N,) int16, and what its training cost."""
    settings = run.experiment.autoencoder
    assert settings is not None  # which the settings ask for
    autoencoder, training = train_autoencoder(settings, run.train, run.seed, run.device)
    latents = encode_images(autoencoder, run.train)
    return cluster_by_kmeans(latents, run.experiment.num_components, run.seed), training


def import_fitting(name: str) -> None:
    """Import what k-means and Gaussian mixtures use, which few jobs do: seconds, where k-means takes milliseconds."""
    if name in schema.PARTITIONING:
        import sklearn.cluster  # noqa: F401
    if name == "gaussian_mixture":
        import competitive_mixtures.method.gaussian_fits  # noqa: F401


def plan_steps(
    experiment: schema.Experiment, components: Ensemble[ComponentStack], num_rounds: int, compute: float
) -> dict[str, int]:
    """Steps of every model of a baseline in each protocol.

    Args:
        experiment: the competition's settings.
        components: the baseline's models.
        num_rounds: rounds of the competition.
        compute: of the competition, samples times parameters over all its networks.
    """
    training = experiment.training
    compute_per_step = sum(
        training.batch_size * stack.batches_per_step * stack.num_parameters for _, stack in components.stacks
    )
    return {
        "paper": training.pretraining_steps + num_rounds * training.steps_per_round,
        "equal_compute": max(1, round(compute / compute_per_step)),
    }


def count_compute(record: Mapping[str, Any], kind: str) -> float:
    """What a competition spent, samples times parameters.

    Args:
        record: of its last round.
        kind: "training", or "all" for its scoring and sampling too, at a third of what training costs a point.
    """
    return record["compute"] + (FORWARD_SHARE * record["forward_compute"] if kind == "all" else 0.0)


def train_baseline(
    run: Run, name: str, num_rounds: int, last_round: Path, out: Path, *, classifier: Path | None = None
) -> None:
    """Train one baseline in its protocols and write its states and costs.

    Args:
        run: of the competition.
        name: of the baseline.
        num_rounds: rounds of the competition.
        last_round: folder of the competition's last round, which holds its compute.
        out: folder to write `state.safetensors` and `metrics.json` to.
        classifier: weights of the data set's classifier, by which baselines of images are tuned.

    Raises:
        UserError: the data are no images, of which an autoencoder's latents are to be clustered, or images without a
            classifier are to be tuned.
    """
    run = run.with_experiment(reshape_experiment(run.experiment, name))
    import_fitting(name)
    if name == "gaussian_mixture":
        tensors, protocols = fit_gaussians(run)
    else:
        record = read_json(StageFolder(last_round).metrics)
        compute = count_compute(record, run.experiment.equal_compute)
        tensors, protocols = train_networks(run, name, num_rounds, compute, classifier)
    files = BaselineFolder(out)
    write_tensors(files.state, tensors)
    write_json(files.metrics, {"protocols": protocols, "seconds": run.clock.seconds})


def fit_gaussians(run: Run) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The Gaussian mixture's tensors, and its record as its only protocol."""
    with run.clock.time("train"):
        mixture, parts, passes = fit_gaussian_mixture(run.train, run.experiment.num_components, run.seed)
    seen = passes * len(parts)
    record = {
        "num_steps": passes,
        "samples_seen": seen,
        "compute": float(seen * mixture.num_parameters),
        "train_time_s": run.clock.seconds["train"],
        "num_parameters": mixture.num_parameters,
        "weights": mixture.weights.tolist(),
    }
    return {"assignment": torch.from_numpy(parts)} | mixture.to_tensors(), {"-": record}


def train_networks(
    run: Run, name: str, num_rounds: int, compute: float, classifier: Path | None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a baseline of networks in all its protocols, and a record of each.

    Args:
        run: of the baseline.
        name: its name.
        num_rounds: rounds of the competition.
        compute: that the competition spent, see `count_compute`.
        classifier: see `train_baseline`.
    """
    spent = {"samples_seen": 0, "compute": 0.0}
    with run.clock.time("partition"):
        if name == "autoencoder_kmeans":
            parts, training = cluster_latents(run)
            spent = {"samples_seen": training.samples_seen, "compute": training.compute}
        else:
            parts = partition(run.train, name, run.experiment.num_components, run.seed)
    cells = to_cells(parts, run.experiment.num_components)
    alpha = [len(cell) / len(parts) for cell in cells]
    planned = plan_steps(run.experiment, run.build_components(), num_rounds, compute)
    steps = {protocol: planned[protocol] for protocol in schema.list_protocols(name)}
    if run.experiment.tuning is None:
        tensors, records = train_to_the_end(run, name, cells, steps)
    else:
        tensors, records = choose_weights(run, name, cells, steps, alpha, classifier)
    for record in records.values():
        record |= {cost: spent[cost] + record[cost] for cost in spent} | {"weights": alpha}
        record["train_time_s"] += run.clock.seconds["partition"]
    return {"assignment": torch.from_numpy(parts)} | tensors, records


def train_to_the_end(
    run: Run, name: str, cells: Sequence[Tensor], steps: Mapping[str, int]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Train a baseline once, to the end of the longer protocol.

    Args:
        run: of the baseline.
        name: its name.
        cells: of each model, the positions of its points, int64.
        steps: of each protocol.

    Returns:
        The weights at the end of each protocol, `<protocol>.<name>`, and what they cost: steps, samples, samples times
        parameters, seconds.
    """
    tensors: dict[str, Tensor] = {}
    records: dict[str, Any] = {}
    for components, record in train_in_stages(run, name, cells, steps.values()):
        for protocol in (key for key in steps if steps[key] == record["num_steps"]):
            records[protocol] = dict(record)
            tensors |= {f"{protocol}.{key}": tensor.clone() for key, tensor in components.weights().items()}
    return tensors, records
