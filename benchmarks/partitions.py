"""Which method finds which partition: `python benchmarks/partitions.py --sets moons,iris --methods ours --seeds 2`.

Every fit is a row of paper/partitions.csv, where it replaces the one of the same data set, method and seed;
docs/partitions.md is written from that file.
"""

import argparse
import sys
from collections.abc import Iterator
from math import isnan
from pathlib import Path

import point_sets
from image_sets import ENDINGS, IMAGES, draw_images
from partition_methods import METHODS, measure
from partition_page import write_page
from point_sets import DEVELOPMENT, VECTORS, Split, known_names

from competitive_mixtures.files.tables import read_rows, write_rows
from competitive_mixtures.report.environment import describe_machine
from competitive_mixtures.report.partitions import PARTITION_COLUMNS

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "paper/partitions.csv"
PAGE = ROOT / "docs/partitions.md"
SETS = (*VECTORS, *IMAGES)

Row = dict[str, str]


def measure_all(sets: list[str], methods: list[str], seeds: range) -> Iterator[Row]:
    """Fit every method to every set, seed by seed; what a method does not suit is passed over."""
    processor = describe_machine(ROOT)["processor"]
    for name in sets:
        for seed in seeds:
            split = draw(name, seed)
            for method in methods:
                if METHODS[method].suits(split.train) and not lacks_run(method, split):
                    key = {"data_set": name, "part": tell_part(name), "method": method, "seed": str(seed)}
                    scores = measure(method, split, seed)
                    fields = {score: "" if isnan(value) else f"{value:.5g}" for score, value in scores.items()}
                    size = {"n": len(split.train), "d": split.train[0].size, "k": split.num_parts}
                    yield key | fields | {key: str(value) for key, value in size.items()} | {"processor": processor}


def lacks_run(method: str, split: Split) -> bool:
    """Whether a competition in latents has not been run."""
    return split.found is not None and method in ENDINGS and method not in split.found


def draw(name: str, seed: int) -> Split:
    return draw_images(name, seed, ROOT) if name in IMAGES else point_sets.draw_split(name, seed)


def tell_part(name: str) -> str:
    if name in IMAGES:
        return "images"
    return "development" if name in DEVELOPMENT else "held_out"


def merge_row(path: Path, row: Row) -> None:
    """Put a row into the table, in the order of sets, methods and seeds."""
    rows = {order(old): old for old in read_rows(path, PARTITION_COLUMNS)} if path.exists() else {}
    rows[order(row)] = row
    write_rows(path, PARTITION_COLUMNS, [rows[key] for key in sorted(rows)])


def order(row: Row) -> tuple[int, int, int]:
    return SETS.index(row["data_set"]), list(METHODS).index(row["method"]), int(row["seed"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=known_names(SETS), default=list(VECTORS), help="all of vectors by default")
    parser.add_argument("--methods", type=known_names(METHODS), default=list(METHODS), help="all by default")
    parser.add_argument("--seeds", type=int, default=5, help="0, 1, ... up to this number")
    parser.add_argument("--out", type=Path, default=TABLE, help="the table that the rows are put into")
    parser.add_argument("--page", action="store_true", help="write docs/partitions.md from the table, and fit nothing")
    arguments = parser.parse_args()
    if not arguments.page:
        for row in measure_all(arguments.sets, arguments.methods, range(arguments.seeds)):
            merge_row(arguments.out, row)
            shown = ("data_set", "method", "seed", "ari", "nmi", "log_likelihood", "seconds")
            print(*(row[name] for name in shown), file=sys.stderr)
    if arguments.out == TABLE:
        write_page(TABLE, PAGE)
