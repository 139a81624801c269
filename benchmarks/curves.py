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
from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np
from pairs import CPU, Row, make_row, make_single_row, write_rows

POINTS = (1_000, 10_000, 100_000, 300_000, 1_000_000)
LARGE = 100_000  # from here on the points decide
COMPONENTS = (2, 3, 12, 48, 64)
SEEDS = (1, 2, 4)
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
    pairs = [[measure(64_000, k, SAMPLES // (k * BATCH))["seconds"] for k in (48, 3)] for _ in range(PAIRS)]
    many, few = map(list, zip(*pairs, strict=True))
    ratios = sorted(a / b for a, b in pairs)
    yield make_row(
        "round_48_against_3_components",
        (many, few),
        f"{statistics.median(ratios):.2f} times as long at the same number of samples in all, the median of {PAIRS} "
        f"pairs from {ratios[0]:.2f} to {ratios[-1]:.2f}; seconds grow as k^{exponent:.2f}",
    )


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


def measure(num_points: int, num_components: int, num_steps: int, repeats: int = 3) -> dict[str, float]:
    """Least CPU seconds of a round, wall seconds by phase and peak memory in MB, of a new process."""
    arguments = [num_points, num_components, num_steps, repeats]
    command = [sys.executable, __file__, "--round", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout)


def run_rounds(num_points: int, num_components: int, num_steps: int, repeats: int) -> dict[str, float]:
    """What `measure` gives, in this process."""
    from competitive_mixtures.data import Dataset
    from competitive_mixtures.method import rounds
    from competitive_mixtures.method.device import choose_kernels
    from competitive_mixtures.method.run import Run
    from competitive_mixtures.settings.layers import read_params

    choose_kernels(1)
    experiment = read_params().experiments["synthetic-3"]
    if num_steps == EPOCH:
        num_steps = ceil(num_points / num_components / BATCH)
    component = experiment.components[0].model_copy(update={"count": num_components})
    training = experiment.training.model_copy(update={"pretraining_steps": 1, "steps_per_round": num_steps})
    scoring = experiment.scoring.model_copy(update={"steps_per_round": max(1, num_steps // 2)})
    experiment = experiment.model_copy(update={"components": [component], "training": training, "scoring": scoring})
    points = np.random.default_rng(0).normal(size=(num_points + 1000, 2)).astype(np.float32)
    dataset = Dataset(
        name="normal", kind="vector", shape=(2,), train=points[1000:], test=points[:1000], train_labels=None,
        test_labels=None, meta={},
    )  # fmt: skip
    run = Run(experiment, dataset, 0)
    start = rounds.pretrain(run)
    measured = []
    for _ in range(repeats):
        run.clock.seconds.clear()
        began = CPU()
        part = rounds.compete(run, 1, start.state, range(num_components))
        outcome = rounds.conclude(run, 1, start.record, start.assignment.winner, part)
        measured.append({"seconds": CPU() - began, **outcome.record["seconds"]})
    best = min(measured, key=lambda found: found["seconds"])
    return best | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "steps": num_steps}


def describe(found: dict[str, float]) -> str:
    phases = {phase: found[phase] for phase in ("train", "discriminate", "score", "assign")}
    shares = ", ".join(f"{phase} {seconds / sum(phases.values()):.0%}" for phase, seconds in phases.items())
    return f"{found['steps']:.0f} steps a component; {shares}; peak {found['megabytes']:.0f} MB"


def fit_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Exponent of the power law by a least-squares line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--round", type=int, nargs=4, metavar=("POINTS", "COMPONENTS", "STEPS", "REPEATS"))
    arguments = parser.parse_args()
    if arguments.round:
        print(json.dumps(run_rounds(*arguments.round)))
    else:
        os.environ["OMP_NUM_THREADS"] = "1"
        write_rows(row for curve in (curve_points, curve_components, curve_seeds) for row in curve())
