"""Is scoring by two candidates harmless? `python benchmarks/candidates.py --cases nine-plain --seeds 10`.

Each seed plays the same competition twice, with all scores in every round and in every third. Its rows go into
docs/candidates.csv, in the place of those of the same case and seed; what is printed compares all that are there.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from point_sets import draw_split, known_names

from competitive_mixtures.data import Dataset
from competitive_mixtures.estimator.fitting import play_rounds
from competitive_mixtures.files.tables import read_rows, write_rows
from competitive_mixtures.method.device import choose_kernels
from competitive_mixtures.method.rounds import pretrain
from competitive_mixtures.method.run import Run
from competitive_mixtures.progress import hide_progress
from competitive_mixtures.report.intervals import mean_interval
from competitive_mixtures.settings.experiment import PlannedExperiment
from competitive_mixtures.settings.overlays import read_params

TABLE = Path(__file__).parents[1] / "docs/candidates.csv"
METRICS = {"purity": "", "bound": " nats"}  # of the test points' log-likelihood, by importance weights
COLUMNS = ("case", "seed", "full_every", *METRICS)
CYCLE = 3
ROUNDS = 9
SHORT = {"batch_size": 128, "steps_per_round": 50}  # of `synthetic-9` 256 and 200: cells that move more are harder
MODES = 24  # of unit variance, on a grid
SPACING = 6.0
POINTS = 6000  # of these; a fifth of them are test points
CASES = {  # an experiment and its number of components
    "nine-plain": ("synthetic-9-plain", 9),
    "grid-plain": ("synthetic-9-plain", MODES),
}

TableRow = dict[str, str]


def measure_pair(case: str, seed: int) -> Iterator[TableRow]:
    """A row with all scores in every round, and one with all in every third."""
    name, k = CASES[case]
    dataset = draw_grid(seed) if case.startswith("grid") else draw_nine(seed)
    for full_every in (1, CYCLE):
        run = Run(shorten(read_params().experiments[name], k, full_every), dataset, seed)
        with hide_progress():
            played = play_rounds(run, pretrain(run), ROUNDS, 0.0, False)
        values = {
            "purity": played.records[-1]["purity"],
            "bound": played.mixture.log_density(dataset.test).mean(),
        }
        row = {"case": case, "seed": str(seed), "full_every": str(full_every)}
        yield row | {metric: f"{value:.5g}" for metric, value in values.items()}


def shorten(experiment: PlannedExperiment, num_components: int, full_every: int) -> PlannedExperiment:
    """The experiment with fewer and smaller steps."""
    component = experiment.components[0].model_copy(update={"count": num_components})
    scoring = {"batch_size": SHORT["batch_size"], "steps_per_round": SHORT["steps_per_round"] // 2}
    return experiment.model_copy(
        update={
            "components": [component],
            "training": experiment.training.model_copy(update=SHORT),
            "scoring": experiment.scoring.model_copy(update=scoring | {"full_every": full_every}),
        }
    )


def draw_nine(seed: int) -> Dataset:
    """`synthetic-9` in smaller number."""
    split = draw_split("synthetic-9", seed)
    return make_dataset(split.train, split.test, split.labels)


def draw_grid(seed: int) -> Dataset:
    """Many Gaussians of equal weight."""
    random = np.random.default_rng(seed)
    labels = random.integers(MODES, size=POINTS)
    means = SPACING * np.stack(np.divmod(np.arange(MODES), 6), axis=1)
    points = means[labels] + random.standard_normal((POINTS, 2))
    num_train = POINTS * 4 // 5
    return make_dataset(points[:num_train], points[num_train:], labels[:num_train])


def make_dataset(train: np.ndarray, test: np.ndarray, labels: np.ndarray) -> Dataset:
    train, test = train.astype(np.float32), test.astype(np.float32)
    return Dataset("points", "vector", (2,), train, test, labels, None, {})


def merge_rows(rows: Sequence[TableRow]) -> list[TableRow]:
    """The table with these rows in it, by case, seed and cycle."""
    known = read_rows(TABLE, COLUMNS) if TABLE.exists() else []
    table = {tuple(row[key] for key in COLUMNS[:3]): row for row in [*known, *rows]}
    order = list(CASES)
    return sorted(table.values(), key=lambda row: (order.index(row["case"]), int(row["seed"]), row["full_every"]))


def compare(rows: Sequence[TableRow]) -> Iterator[str]:
    """A line for each case and metric: both means, and the mean paired difference with Student's t interval."""
    yield f"| case | seeds | metric | all in every round | in every {CYCLE}rd | difference |"
    yield "|---|---|---|---|---|---|"
    for case in dict.fromkeys(row["case"] for row in rows):
        for metric, unit in METRICS.items():
            sides = [
                np.array([float(row[metric]) for row in rows if (row["case"], row["full_every"]) == (case, every)])
                for every in ("1", str(CYCLE))
            ]
            found = mean_interval(sides[1] - sides[0])
            means = " | ".join(f"{side.mean():.3f}" for side in sides)
            difference = f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f}){unit}"
            yield f"| {case} | {found.count} | {metric} | {means} | {difference} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=known_names(CASES), default=list(CASES), help="all by default")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    choose_kernels(1)
    for case in arguments.cases:
        for seed in range(arguments.seeds):
            write_rows(TABLE, COLUMNS, merge_rows(list(measure_pair(case, seed))))
    print("\n".join(compare(read_rows(TABLE, COLUMNS))))
