"""Which score picks the best of ten restarts without labels: `python benchmarks/restarts.py --sets moons,iris`.

Every fit is a row of docs/restarts.csv, where it replaces the one of the same data set and restart; the page of the
table of partitions tells what these rows come to.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from point_sets import VECTORS, draw_split, known_names
from sklearn.metrics import adjusted_rand_score

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.files.tables import read_rows, write_rows

TABLE = Path(__file__).parents[1] / "docs/restarts.csv"
RESTARTS = 10
SCORES = {  # by which a restart is picked
    "lower_bound": "`lower_bound_`, the discriminators' estimate on the training points",
    "training": "mean log-likelihood of the training points",
    "held_out": "mean log-likelihood of a fifth of the points, which no restart saw",
    "agreement": "mean ARI with the other nine",
}
COLUMNS = ("data_set", "restart", "ari", *SCORES)

Row = dict[str, str]


def measure_restarts(name: str) -> list[Row]:
    """Fit the same points ten times, by `random_state` 0 to 9, and score every fit without labels and with them."""
    split = draw_split(name, 0)
    models = [CompetitiveMixture(split.num_parts, random_state=number).fit(split.train) for number in range(RESTARTS)]
    parts = [model.labels_ for model in models]
    return [
        {
            "data_set": name,
            "restart": str(number),
            "ari": f"{adjusted_rand_score(split.labels, parts[number]):.5g}",
            "lower_bound": f"{model.lower_bound_:.5g}",
            "training": f"{model.score(split.train):.5g}",
            "held_out": f"{model.score(split.test):.5g}",
            "agreement": f"{fmean(agree(parts, number)):.5g}",
        }
        for number, model in enumerate(models)
    ]


def agree(parts: Sequence[np.ndarray], number: int) -> Iterator[float]:
    """ARI of a fit's partition with that of every other."""
    for other, theirs in enumerate(parts):
        if other != number:
            yield adjusted_rand_score(theirs, parts[number])


def tabulate_picks(rows: Sequence[Row]) -> Iterator[str]:
    """A table with a line a score: how often its pick is the best by ARI, and what its picks come to beside others'."""
    sets: dict[str, list[Row]] = {}
    for row in rows:
        sets.setdefault(row["data_set"], []).append(row)
    best = [max(to_ari(fit) for fit in fits) for fits in sets.values()]
    choices = {meaning: [pick(fits, score) for fits in sets.values()] for score, meaning in SCORES.items()}
    choices |= {"none: the first restart": [to_ari(fits[0]) for fits in sets.values()]}
    choices |= {"ARI itself, which needs the labels": best}
    yield "| the restart with the largest | is the best of ten, of the sets | mean ARI of the picks |"
    yield "|---|---|---|"
    for meaning, picked in choices.items():
        hits = sum(one >= most for one, most in zip(picked, best, strict=True))
        yield f"| {meaning} | {hits} of {len(sets)} | {fmean(picked):.3f} |"
    yield f"| mean of all ten | | {fmean(fmean(map(to_ari, fits)) for fits in sets.values()):.3f} |"


def pick(fits: Sequence[Row], score: str) -> float:
    """ARI of the fit with the largest score, of the first such."""
    return to_ari(max(fits, key=lambda fit: float(fit[score])))


def to_ari(fit: Row) -> float:
    return float(fit["ari"])


def merge_rows(rows: Sequence[Row]) -> None:
    """Put a data set's rows into the table, in the order of sets and restarts."""
    kept = (
        [row for row in read_rows(TABLE, COLUMNS) if row["data_set"] != rows[0]["data_set"]] if TABLE.exists() else []
    )
    order = list(VECTORS)
    write_rows(
        TABLE, COLUMNS, sorted([*kept, *rows], key=lambda row: (order.index(row["data_set"]), int(row["restart"])))
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=known_names(VECTORS), default=list(VECTORS), help="all by default")
    for name in parser.parse_args().sets:
        merge_rows(measure_restarts(name))
        print(name, file=sys.stderr)
    print("\n".join(tabulate_picks(read_rows(TABLE, COLUMNS))))
