"""A whole round of the authors' first experiment, `synthetic-3-paper`, and its discriminators beside their products."""

import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from pairs import CPU, Row, make_row, make_single_row, time_alternately

from competitive_mixtures.data import Dataset, load_dataset, prepare
from competitive_mixtures.method import rounds
from competitive_mixtures.method.device import choose_kernels
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.training import train_discriminators
from competitive_mixtures.networks.kernels.threads import match_kernels
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.schema import Params

EXPERIMENT = "synthetic-3-paper"
STEPS = 200  # of the discriminators, in each run
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


def compare_discriminators(repeats: int) -> Iterator[Row]:
    """A step of the discriminators, its batches drawn and gathered, against the products of a step and nothing else.

    And against these with Adam's update, which cannot be left out either: it goes through the weights, their gradients
    and both moments, so that the products find the weights further from the processor than they do alone.
    """
    choose_kernels(1)
    params = read_params()
    experiment = params.experiments[EXPERIMENT].model_copy(update={"device": "cpu"})
    with tempfile.TemporaryDirectory() as name:
        run = Run(experiment, prepare_points(params, Path(name)), 0)
    components, discriminators = run.build_components(), run.build_discriminators(1)
    scoring, num_rows = experiment.scoring, 2 * experiment.scoring.batch_size
    products = list_products(experiment.num_components, num_rows, [*run.shape, *scoring.network.widths, 1])
    num_operations = 2 * num_rows * discriminators.largest_weight

    def train() -> None:
        train_discriminators(
            discriminators, run.train, components, num_steps=STEPS, batch_size=scoring.batch_size, key=(0, "benchmark")
        )

    (stack,) = (stack for _, stack in run.build_discriminators(1).stacks)
    adam = stack.optimizers["network"]
    gradients = [torch.full_like(parameter, 1e-3) for parameter in adam.parameters]

    def multiply(*, updates: bool) -> None:
        with match_kernels(num_operations, torch.device("cpu")):
            for _ in range(STEPS):
                for left, right, out in products:
                    torch.bmm(left, right, out=out)
                if updates:
                    adam.descend(gradients)

    references = {"products": "alone", "products_and_adam": "and Adam's update"}
    for name, what in references.items():
        reference = partial(multiply, updates=name != "products")
        train(), reference()
        *_, timings = time_alternately(train, reference, repeats)
        notes = (
            f"{experiment.num_components} networks, batch 2 x {scoring.batch_size}, 1 thread; the reference is the "
            f"{len(products)} batched products of a step {what}; {repeats} x {STEPS} steps"
        )
        yield make_row(f"step_3_paper_discriminators_above_{name}", timings, notes, per=STEPS)


def list_products(k: int, num_rows: int, widths: list[int]) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Left, right and result of every product of a step of k networks: forward, weights' and inputs' gradients."""
    outputs = [torch.randn(k, num_rows, width) for width in widths]
    gradients = [torch.randn_like(output) for output in outputs]
    weights = [torch.randn(k, inputs, width) / inputs**0.5 for inputs, width in pairwise(widths)]
    products = []
    for layer, weight in enumerate(weights):
        products += [
            (outputs[layer], weight, torch.empty_like(outputs[layer + 1])),
            (outputs[layer].transpose(1, 2), gradients[layer + 1], torch.empty_like(weight)),
        ]
        if layer:  # nothing asks for the points' own gradient
            products.append((gradients[layer + 1], weight.transpose(1, 2), torch.empty_like(gradients[layer])))
    return products


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
