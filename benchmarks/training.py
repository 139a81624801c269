"""Side-by-side timings of the training against a loop over `nn.Module`s with a `torch.optim.Adam` each, and `vmap`.

`python benchmarks/training.py` prints the rows as CSV. A step is timed as it is in a run: batches drawn and gathered,
noise drawn, losses looked at.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from first_experiment import benchmark_round, compare_discriminators
from pairs import CPU, WALL, Row, make_row, time_alternately, write_rows
from plain import PlainLoop
from plain_gan import PlainGANs
from vmapped import VmappedVAEs

from competitive_mixtures.method.device import choose_kernels
from competitive_mixtures.method.training import train_components
from competitive_mixtures.networks.ensemble import build_components
from competitive_mixtures.settings import schema
from competitive_mixtures.settings.overlays import read_params

REPEATS = 5


def benchmark_training(repeats: int) -> Iterator[Row]:
    """Time a step of every kind of component beside the loop, of small networks beside `vmap` too, and a whole round.

    Args:
        repeats: alternating runs of each side, whose medians are reported.

    Yields:
        Rows of `name,device,ours_s,reference_s,ratio,notes`.
    """
    experiments = read_params().experiments
    points = torch.randn(64_000, 2) * 5
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (10_000, 1, 28, 28), dtype=np.uint8))
    toy = ("step_9_toy_vaes", experiments["synthetic-9-paper"], points, 32, 200, repeats)
    mlps = ("step_10_mnist_mlps", experiments["mnist"], images, 128, 20, repeats)
    for arguments in (toy, mlps):
        yield compare_step(*arguments)
        for reference in ("vmap", "vmap_compiled"):
            yield compare_step(*arguments, reference=reference)
    gans = (("step_9_toy_gans", "synthetic-9-gan", points, 50), ("step_10_mnist_gans", "mnist-gan", images, 10))
    for name, experiment, data, num_steps in gans:
        yield compare_step(name, experiments[experiment], data, 64, num_steps, repeats)
    convolutional = experiments["mnist-paper-short"]
    yield compare_step("step_15_mnist_convolutions", convolutional, images, 32, 2, repeats)
    yield compare_step("step_15_mnist_convolutions_2_threads", convolutional, images, 32, 2, repeats, threads=2)
    yield from compare_discriminators(repeats)
    yield from benchmark_round()


def compare_step(
    name: str,
    experiment: schema.Experiment,
    points: torch.Tensor,
    batch_size: int,
    num_steps: int,
    repeats: int,
    *,
    threads: int = 1,
    reference: str = "loop",
) -> Row:
    """A step of all components on `threads` threads, against a reference on one: "loop", "vmap" or "vmap_compiled"."""
    components = build_components(experiment, points.shape[1:], 0)
    cells = list(torch.arange(len(points)).chunk(experiment.num_components))
    (settings,) = experiment.components
    other: PlainLoop | PlainGANs | VmappedVAEs
    if settings.kind == "gan":
        assert reference == "loop", "GANs have no other reference"
        other = PlainGANs(settings, points, batch_size)
    elif reference == "loop":
        other = PlainLoop(settings, points, batch_size)
    else:
        name = f"{name}_{reference}"
        other = VmappedVAEs(settings, points, batch_size, compiled=reference == "vmap_compiled")

    def train() -> None:
        train_components(
            components, points, cells, num_steps=num_steps, batch_size=batch_size, key=(0, "benchmark")
        )  # fmt: skip

    def train_other() -> None:
        other.train(num_steps)

    ours, theirs = with_threads(train, threads), as_a_user(train_other)
    ours(), theirs()
    *_, timings = time_alternately(ours, theirs, repeats, CPU if threads == 1 else WALL)
    where = "1 thread" if threads == 1 else f"wall time, {threads} threads against 1"
    how = "one by one" if len(components.stacks) > 1 else "side by side"
    notes = f"{experiment.num_components} components, batch {batch_size}, {where}; {how}; {repeats} x {num_steps} steps"
    return make_row(name, timings, notes, per=num_steps)


def with_threads(function: Callable[[], Any], threads: int) -> Callable[[], Any]:
    def run() -> None:
        choose_kernels(threads)
        function()

    return run


def as_a_user(function: Callable[[], Any]) -> Callable[[], Any]:
    """On one thread, with PyTorch's own choice of kernels."""

    def run() -> None:
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("highest")
        function()

    return run


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="alternating runs of each side")
    write_rows(benchmark_training(parser.parse_args().repeats))
