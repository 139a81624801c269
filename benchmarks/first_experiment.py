"""A whole round of the authors' first experiment (`synthetic-3-paper`), and what its products alone would take."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import torch
from pairs import CPU, Row, make_single_row

from competitive_mixtures.data import Dataset, load_dataset, prepare
from competitive_mixtures.method import rounds
from competitive_mixtures.method.device import choose_kernels
from competitive_mixtures.method.run import Run
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.schema import Params

EXPERIMENT = "synthetic-3-paper"
DISCRIMINATOR_FLOP = 6  # a multiply and an add for each weight, forward, for the inputs' and for the weights' gradients


def benchmark_round() -> Iterator[Row]:
    """Time a whole round once, in CPU seconds on one thread: 3 VAEs x 20,000 steps, 3 discriminators x 4,000 steps."""
    choose_kernels(1)
    params = read_params()
    experiment = params.experiments[EXPERIMENT]
    with tempfile.TemporaryDirectory() as name:
        run = Run(experiment.model_copy(update={"device": "cpu"}), prepare_points(params, Path(name)), 0)
        begun = start(run)
        began = CPU()
        part = rounds.compete(run, 1, begun.state, range(experiment.num_components))
        rounds.conclude(run, 1, begun.record, begun.assignment.winner, part)
        seconds = CPU() - began
    phases = ", ".join(f"{phase} {value:.1f} s" for phase, value in run.clock.seconds.items() if value >= 0.05)
    scoring = experiment.scoring
    samples = 2 * scoring.batch_size * scoring.steps_per_round * experiment.num_components
    flop = DISCRIMINATOR_FLOP * samples * count_weights([2, *scoring.network.widths, 1])
    rates = {kernels: measure_gemm_rate(kernels) for kernels in ("highest", "medium")}
    floors = " and ".join(f"{flop / rate:.1f} s at {rate / 1e9:.0f} ({kernels})" for kernels, rate in rates.items())
    yield make_single_row(
        "round_of_the_first_experiment",
        seconds,
        f"CPU seconds on one core, once; wall: {phases}; the discriminators' {flop / 1e12:.2f} TFLOP take {floors} "
        "GFLOP/s of products of that size",
    )


def prepare_points(params: Params, folder: Path) -> Dataset:
    spec = params.datasets[params.experiments[EXPERIMENT].dataset]
    prepare(spec, folder, folder, "points")
    return load_dataset(folder)


def start(run: Run) -> rounds.Outcome:
    """The outcome of a pretraining that has hardly begun."""
    training = run.experiment.training.model_copy(update={"pretraining_steps": 1})
    run.experiment = run.experiment.model_copy(update={"training": training})
    outcome = rounds.pretrain(run)
    run.clock.seconds.clear()
    return outcome


def count_weights(widths: list[int]) -> int:
    return sum(inputs * outputs for inputs, outputs in pairwise(widths))


def measure_gemm_rate(precision: str) -> float:
    """Operations a second of the largest product of a discriminators' step: 3 x (64, 500) x (500, 500)."""
    torch.set_float32_matmul_precision(precision)
    x, weight = torch.randn(3, 64, 500), torch.randn(3, 500, 500)
    fastest = float("inf")
    for _ in range(20):
        start = CPU()
        for _ in range(20):
            torch.bmm(x, weight)
        fastest = min(fastest, (CPU() - start) / 20)
    return 2 * x.numel() * 500 / fastest
