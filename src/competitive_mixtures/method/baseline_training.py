"""The training of a baseline, looked at after some of its steps."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from torch import Tensor

from competitive_mixtures.method.run import Run
from competitive_mixtures.method.training import train_components
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.ensemble import Ensemble


def train_in_stages(
    run: Run, name: str, cells: Sequence[Tensor], places: Iterable[int]
) -> Iterator[tuple[Ensemble[ComponentStack], dict[str, Any]]]:
    """Train a baseline from its start.

    Args:
        run: of the baseline.
        name: its name.
        cells: of each model, the positions of its points, int64.
        places: numbers of steps after which to look.

    Yields:
        At each place the networks, which are trained on afterwards, and what they have cost so far: steps, samples,
        samples times parameters, seconds.
    """
    components = run.build_components()
    record: dict[str, Any] = {"num_steps": 0, "samples_seen": 0, "compute": 0.0}
    for place in sorted(set(places)):
        with run.clock.time("train"):
            training = train_components(
                components,
                run.train,
                [cell.to(run.device) for cell in cells],
                num_steps=place - record["num_steps"],
                batch_size=run.experiment.training.batch_size,
                key=(run.seed, "baseline", name, record["num_steps"]),
            )
        record = {
            "num_steps": place,
            "samples_seen": record["samples_seen"] + training.samples_seen,
            "compute": record["compute"] + training.compute,
            "train_time_s": run.clock.seconds["train"],
            "num_parameters": components.num_parameters,
        }
        yield components, record
