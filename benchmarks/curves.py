"""How a round's seconds and memory grow with the points, the components and the seeds.

`python benchmarks/curves.py` prints the rows as CSV. Every point of a curve is a process of its own, whose peak memory
is the whole process's, PyTorch's 300 MB or so included. A round is one of `synthetic-3`, shortened.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pairs import CPU, Row, make_row, make_single_row, write_rows

if TYPE_CHECKING:
    from competitive_mixtures.data import Dataset

POINTS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
LARGE = 100_000  # from here on the points decide
COMPONENTS = (3, 6, 12, 24, 48, 96)
SEEDS = (1, 2, 4)
ON_DISK = (1_000_000, 10_000_000)  # points of an array that is read from a file
DIMENSION = 16  # of these; the others are points of the plane
LIMIT_GB = 4
CYCLE = 3  # rounds from one with all scores to the next
PAIRS = 5  # of rounds with many and few components, in turn
BATCH = 256
SAMPLES = 3 * 200 * BATCH  # that the components of `synthetic-3` draw together in a round
EPOCH = -1  # so many steps that the components together draw as many points as there are


def curve_points() -> Iterator[Row]:
    """Seconds of a round in which the components draw each point once, against the number of points."""
    measured = [measure(points, 3, EPOCH) for points in POINTS]
    for points, found in zip(POINTS, measured, strict=True):
        yield make_single_row(f"round_{points}_points", found["seconds"], describe(found))
    exponent = fit_exponent(POINTS, [found["seconds"] for found in measured])
    large = [(n, found["seconds"]) for n, found in zip(POINTS, measured, strict=True) if n >= LARGE]
    tail = fit_exponent(*zip(*large, strict=True))
    yield {
        "name": "exponent_points",
        "device": "cpu",
        "notes": f"seconds grow as points^{exponent:.2f}; from {LARGE:,} points on ^{tail:.2f}",
    }


def curve_components() -> Iterator[Row]:
    """Seconds of a round against k when all components together draw the same number of samples."""
    measured = {k: measure(64_000, k, SAMPLES // (k * BATCH)) for k in COMPONENTS}
    for k, found in measured.items():
        yield make_single_row(f"round_{k}_components", found["seconds"], describe(found))
    exponent = fit_exponent(COMPONENTS, [found["seconds"] for found in measured.values()])
    yield from compare_components(f"seconds grow as k^{exponent:.2f}")


def compare_components(growth: str) -> Iterator[Row]:
    """A round of 48 components beside one of 3, all scores in every round and in every third."""
    sides = {"all": (48, 1), "candidates": (48, CYCLE), "few": (3, 1)}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(PAIRS):
        for side, (k, full_every) in sides.items():
            found = measure(64_000, k, SAMPLES // (k * BATCH), full_every=full_every)
            seconds[side].append(found["seconds"])
    notes = {
        "all": ("round_48_against_3_components", growth),
        "candidates": (
            "round_48_candidates_against_3_components",
            f"the mean of {CYCLE} rounds, one with all scores and {CYCLE - 1} with those of two candidates a point",
        ),
    }
    for side, (name, note) in notes.items():
        ratios = sorted(a / b for a, b in zip(seconds[side], seconds["few"], strict=True))
        yield make_row(
            name,
            (seconds[side], seconds["few"]),
            f"{statistics.median(ratios):.2f} times as long at the same number of samples in all, the median of "
            f"{PAIRS} pairs from {ratios[0]:.2f} to {ratios[-1]:.2f}; {note}",
        )


def curve_array_on_disk() -> Iterator[Row]:
    """Seconds and peak memory of a round on points that are read from a file as the pipeline's are."""
    for points in ON_DISK:
        found = measure(points, 3, SAMPLES // (3 * BATCH), repeats=1, dimension=DIMENSION)
        rate = points / (found["score"] + found["assign"])
        peak = found["megabytes"] / 1024
        scored = f"{points:,} x {DIMENSION} float32, 3 components; {rate / 1e6:.2f} million points scored a second"
        within = "within" if peak <= LIMIT_GB else "not within"
        notes = f"{scored}; {describe(found)}, {within} {LIMIT_GB} GB"
        yield make_single_row(f"round_{points}_points_on_disk", found["seconds"], notes)


def curve_seeds() -> Iterator[Row]:
    """CPU seconds of rounds of several seeds, a job each as in the pipeline, the start of the jobs included."""
    totals, peaks = [], []
    for seeds in SEEDS:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = [measure(64_000, 3, SAMPLES // (3 * BATCH), repeats=1) for _ in range(seeds)]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        totals.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        peaks.append(max(f["megabytes"] for f in found))
    for seeds, seconds, peak in zip(SEEDS, totals, peaks, strict=True):
        yield make_single_row(f"round_{seeds}_seeds", seconds, f"{seeds} jobs, imports included; {peak:.0f} MB each")
    yield {
        "name": "exponent_seeds",
        "device": "cpu",
        "notes": f"seconds grow as seeds^{fit_exponent(SEEDS, totals):.2f}",
    }


def measure(
    num_points: int, num_components: int, num_steps: int, repeats: int = 3, dimension: int = 2, full_every: int = 1
) -> dict[str, float]:
    """Least CPU seconds of a round, wall seconds by phase and peak memory in MB, of a new process.

    With `full_every` the seconds are the mean of so many rounds, the first of them full.
    """
    arguments = [num_points, num_components, num_steps, repeats, dimension, full_every]
    command = [sys.executable, __file__, "--round", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout)


def run_rounds(
    num_points: int, num_components: int, num_steps: int, repeats: int, dimension: int, full_every: int
) -> dict[str, float]:
    """What `measure` gives, in this process."""
    from competitive_mixtures.method import rounds
    from competitive_mixtures.method.device import choose_kernels
    from competitive_mixtures.method.run import Run
    from competitive_mixtures.settings.overlays import read_params

    choose_kernels(1)
    experiment = read_params().experiments["synthetic-3"]
    if num_steps == EPOCH:
        num_steps = ceil(num_points / num_components / BATCH)
    component = experiment.components[0].model_copy(update={"count": num_components})
    training = experiment.training.model_copy(update={"pretraining_steps": 1, "steps_per_round": num_steps})
    changes = {"steps_per_round": max(1, num_steps // 2), "full_every": full_every}
    scoring = experiment.scoring.model_copy(update=changes)
    blocks = {"components": [component], "training": training, "scoring": scoring, "revival": None}
    experiment = experiment.model_copy(update=blocks)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(experiment, write_normal_points(Path(folder), num_points, dimension), 0)
    start = rounds.pretrain(run)
    measured = []
    for _ in range(repeats):
        outcome, cycle = start, []
        for number in range(full_every, 2 * full_every):  # the first of these is a full one
            run.clock.seconds.clear()
            began = CPU()
            part = rounds.compete(run, number, outcome.state, range(num_components))
            outcome = rounds.conclude(run, number, start.record, outcome.assignment.winner, part)
            cycle.append({"seconds": CPU() - began, **outcome.record["seconds"]})
        measured.append({phase: statistics.fmean(found[phase] for found in cycle) for phase in cycle[0]})
    best = min(measured, key=lambda found: found["seconds"])
    return best | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "steps": num_steps}


def write_normal_points(folder: Path, num_points: int, dimension: int) -> "Dataset":
    """A data set whose training points are in a file, written and read in pieces as the pipeline's are."""
    from competitive_mixtures.data import Dataset

    random = np.random.default_rng(0)
    shape, path = (num_points, dimension), folder / "train.npy"
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for start in range(0, num_points, LARGE):
        file[start : start + LARGE] = random.standard_normal(file[start : start + LARGE].shape, dtype=np.float32)
    del file
    return Dataset(
        name="normal", kind="vector", shape=shape[1:], train=np.load(path, mmap_mode="r"), train_labels=None,
        test=random.standard_normal((1000, dimension), dtype=np.float32), test_labels=None, meta={},
    )  # fmt: skip


def describe(found: dict[str, float]) -> str:
    phases = {phase: found[phase] for phase in ("train", "discriminate", "score", "assign")}
    shares = ", ".join(f"{phase} {seconds / sum(phases.values()):.0%}" for phase, seconds in phases.items())
    return f"{found['steps']:.0f} steps a component; {shares}; peak {found['megabytes']:.0f} MB"


def fit_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Exponent of the power law by a least-squares line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--round", type=int, nargs=6, metavar=("POINTS", "K", "STEPS", "REPEATS", "D", "CYCLE"))
    arguments = parser.parse_args()
    if arguments.round:
        print(json.dumps(run_rounds(*arguments.round)))
    else:
        os.environ["OMP_NUM_THREADS"] = "1"
        curves = (curve_points, curve_components, curve_array_on_disk, curve_seeds)
        write_rows(row for curve in curves for row in curve())
