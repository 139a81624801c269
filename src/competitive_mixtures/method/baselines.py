"""What the competition is compared with: the same generative models trained without competing.

Each baseline is trained once and kept at two points: after as many steps as one component had (`paper`), and after as
much compute, samples times parameters, as the whole competition took, its discriminators included (`equal_compute`).
"""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import BaselineFolder, StageFolder
from competitive_mixtures.files.formats import read_json, write_json, write_tensors
from competitive_mixtures.method.assignment import to_cells
from competitive_mixtures.method.partition import cluster_by_kmeans, split_uniformly
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.training import train_components
from competitive_mixtures.networks.architectures import widen
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.settings import schema

WIDTH_FACTOR = 3  # of `single_wide`, as in the draft's VAE-150 beside its VAE-50
NAMES = get_args(schema.BaselineName)


def reshape_experiment(experiment: schema.Experiment, name: str) -> schema.Experiment:
    """The experiment with the components of a baseline.

    Args:
        experiment: with components of one kind.
        name: "single", "single_wide", "bagging" or "kmeans".

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
    """
    if num_components == 1:
        return np.zeros(len(points), dtype=np.int16)
    if name == "bagging":
        return split_uniformly(len(points), num_components, (seed,))
    return cluster_by_kmeans(points, num_components, seed)


def import_partitioner(name: str) -> None:
    """Import what `partition` uses: seconds, where k-means itself takes milliseconds."""
    if name == "kmeans":
        import sklearn.cluster  # noqa: F401


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


def train_baseline(run: Run, name: str, num_rounds: int, last_round: Path, out: Path) -> None:
    """Train one baseline in both protocols and write its states and costs.

    Args:
        run: of the competition.
        name: of the baseline.
        num_rounds: rounds of the competition.
        last_round: folder of the competition's last round, which holds its compute.
        out: folder to write `state.safetensors` and `metrics.json` to.
    """
    run = run.with_experiment(reshape_experiment(run.experiment, name))
    components = run.build_components()
    import_partitioner(name)
    with run.clock.time("partition"):
        parts = partition(run.train, name, run.experiment.num_components, run.seed)
    cells = to_cells(parts, run.experiment.num_components)
    record = read_json(StageFolder(last_round).metrics)
    steps = plan_steps(run.experiment, components, num_rounds, record["compute"])
    weights = [len(cell) / len(parts) for cell in cells]
    tensors: dict[str, Tensor] = {"assignment": torch.from_numpy(parts)}
    protocols: dict[str, Any] = {}
    totals: dict[str, Any] = {"num_steps": 0, "samples_seen": 0, "compute": 0.0}
    for protocol in sorted(steps, key=lambda key: steps[key]):
        further = steps[protocol] - totals["num_steps"]
        with run.clock.time("train"):
            training = train_components(
                components,
                run.train,
                [cell.to(run.device) for cell in cells],
                num_steps=further,
                batch_size=run.experiment.training.batch_size,
                key=(run.seed, "baseline", name, totals["num_steps"]),
            )
        totals = {
            "num_steps": steps[protocol],
            "samples_seen": totals["samples_seen"] + training.samples_seen,
            "compute": totals["compute"] + training.compute,
        }
        seconds = run.clock.seconds["train"] + run.clock.seconds["partition"]
        protocols[protocol] = totals | {
            "train_time_s": seconds,
            "num_parameters": components.num_parameters,
            "weights": weights,
        }
        tensors |= {f"{protocol}.{key}": tensor.clone() for key, tensor in components.weights().items()}
    files = BaselineFolder(out)
    write_tensors(files.state, tensors)
    write_json(files.metrics, {"protocols": protocols, "seconds": run.clock.seconds})
