"""A shortened round of `mnist-paper-short` on random images, by the pipeline's own code."""

import time
from collections.abc import Iterator

import numpy as np
from blocks import BATCH, MNIST_PAPER, K
from timing import Bench, Row

from competitive_mixtures.data import Dataset
from competitive_mixtures.method.assignment import to_cells
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.scoring import score_by_discriminators
from competitive_mixtures.method.start import split_uniformly
from competitive_mixtures.method.training import train_components, train_discriminators
from competitive_mixtures.settings import schema
from competitive_mixtures.settings.messages import validate


def benchmark_round(bench: Bench) -> Iterator[Row]:
    """A short round of `mnist-paper-short` on random images, by the pipeline's own code."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (bench.num_points, 1, 28, 28), dtype=np.uint8)
    experiment = validate(schema.Experiment, MNIST_PAPER | {"device": bench.device.type}, "benchmark")
    dataset = Dataset(
        name="random", kind="image", shape=(1, 28, 28), train=images, test=images[: len(images) // 6],
        train_labels=None, test_labels=None, meta={},
    )  # fmt: skip
    run = Run(experiment, dataset, 0)
    components = run.build_components()
    cells = [cell.to(run.device) for cell in to_cells(split_uniformly(len(images), K, (0,)), K)]
    train_components(components, run.train, cells, num_steps=20, batch_size=BATCH, key=(0, "warm-up"))
    discriminators = run.build_discriminators(0)
    key = (0, "benchmark")
    seconds = {}
    for phase, work in {
        "train": lambda: train_components(
            components, run.train, cells, num_steps=bench.num_steps, batch_size=BATCH, key=key
        ),
        "discriminate": lambda: train_discriminators(
            discriminators, run.train, components, num_steps=1, batch_size=BATCH, key=key
        ),
        "score": lambda: score_by_discriminators(discriminators, run.train),
    }.items():  # fmt: skip
        bench.wait()
        start = time.perf_counter()
        work()
        bench.wait()
        seconds[phase] = time.perf_counter() - start
    per_step = seconds["train"] / bench.num_steps
    whole = 18750 * per_step + seconds["discriminate"] + seconds["score"]
    phases = ", ".join(f"{phase} {value:.2f} s" for phase, value in seconds.items())
    notes = f"{bench.num_steps} of 18,750 steps at {per_step * 1e3:.2f} ms: {phases}; a whole round takes {whole:.0f} s"
    yield bench.row("mnist_paper_round_shortened", sum(seconds.values()), None, notes)
