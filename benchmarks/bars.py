"""Which bars are met, by the tables of `make bench` in docs: `python benchmarks/bars.py` writes them into its page."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pairs import COLUMNS

from competitive_mixtures.files.formats import write_text
from competitive_mixtures.files.tables import read_rows
from competitive_mixtures.report.documents import fill

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "benchmarks.md"
TABLES = {  # of `make bench`, by what stands above their column
    "AMD EPYC": "bench-epyc.csv",
    "Intel Xeon": "bench-xeon.csv",
    "Intel Xeon, AVX-512 off": "bench-xeon-avx2.csv",
}

Row = Mapping[str, str]


def read_ratio(row: Row) -> float:
    """How many times as fast as the reference."""
    return float(row["reference_s"]) / float(row["ours_s"])


def read_length(row: Row) -> float:
    """How many times as long as the reference."""
    return float(row["ours_s"]) / float(row["reference_s"])


def read_note(pattern: str, unit: float = 1.0) -> Callable[[Row], float]:
    """The number in the notes that a pattern finds, in `unit`s."""

    def read(row: Row) -> float:
        found = re.search(pattern, row["notes"])
        if found is None:
            raise ValueError(f"{row['name']}: {row['notes']!r} has nothing like {pattern!r}")
        return float(found[1]) / unit

    return read


LENGTH_OF_PAIRS = read_note(r"^([\d.]+) times as long")  # the median of several pairs, which drifts less than medians


@dataclass(frozen=True)
class Bar:
    """What a row of a table is to come to.

    Attributes:
        what: is measured, in words.
        row: its name in the tables.
        side: ≥ or ≤, where the number is to lie.
        limit: of the number.
        read: the number.
    """

    what: str
    row: str
    side: Literal["≥", "≤"]
    limit: float
    read: Callable[[Row], float] = read_ratio

    def judge(self, row: Row | None) -> str:
        """The number in a table's cell, bold where it misses the bar."""
        if row is None or row["notes"].startswith("not run"):
            return "not run"
        number = self.read(row)
        missed = number < self.limit if self.side == "≥" else number > self.limit
        digits = f"{number:#.3g}".rstrip(".")
        return f"**{digits}, missed**" if missed else digits


BARS = (
    Bar("a step of nine toy VAEs, times as fast as a loop over `nn.Module`s", "step_9_toy_vaes", "≥", 6),
    Bar("the same beside `vmap`", "step_9_toy_vaes_vmap", "≥", 1),
    Bar("beside `vmap`, compiled", "step_9_toy_vaes_vmap_compiled", "≥", 1),
    Bar("a step of ten MNIST MLPs, beside the loop (the aim is 3)", "step_10_mnist_mlps", "≥", 2),
    Bar("the same beside `vmap`", "step_10_mnist_mlps_vmap", "≥", 1),
    Bar("beside `vmap`, compiled", "step_10_mnist_mlps_vmap_compiled", "≥", 1),
    Bar("a step of nine toy GANs, beside the loop", "step_9_toy_gans", "≥", 1),
    Bar("a step of ten MNIST GANs, beside the loop", "step_10_mnist_gans", "≥", 1),
    Bar("a step of fifteen convolutional VAEs, beside the loop", "step_15_mnist_convolutions", "≥", 1),
    Bar("the same on two threads, beside the loop on one", "step_15_mnist_convolutions_2_threads", "≥", 1.7),
    Bar(
        "a step of the authors' discriminators, times as long as its products alone",
        "step_3_paper_discriminators_above_products",
        "≤",
        1.4,
        read_length,
    ),
    Bar(
        "48 components, times as long as 3 at as many samples",
        "round_48_against_3_components",
        "≤",
        1.5,
        LENGTH_OF_PAIRS,
    ),
    Bar(
        "the same with `full_every: 3`",
        "round_48_candidates_against_3_components",
        "≤",
        1.3,
        LENGTH_OF_PAIRS,
    ),
    Bar(
        "seconds of a round grow as the points, from 100,000 on, to the power of",
        "exponent_points",
        "≤",
        1.05,
        read_note(r"points on \^([\d.]+)"),
    ),
    Bar(
        "a round on 10,000,000 x 16 numbers in a file, GB of memory",
        "round_10000000_points_on_disk",
        "≤",
        4,
        read_note(r"peak (\d+) MB", 1000),
    ),
    Bar("kernel density, times as fast as scikit-learn", "kde_log_likelihood", "≥", 10),
    Bar("Fréchet distance in 2048 dimensions, beside SciPy's `sqrtm`", "frechet_distance", "≥", 6),
    Bar("Inception's features of images, beside pytorch-fid", "inception_features", "≥", 1),
    Bar(
        "of `all`'s jobs no numeric work, percent",
        "overhead_of_all",
        "≤",
        20,
        read_note(r"(\d+)% of the wall time"),
    ),
)


def tabulate_bars(tables: Mapping[str, Mapping[str, Row]]) -> Iterator[str]:
    """A table with a line a bar and a column a machine.

    Args:
        tables: of each machine, the rows by name.
    """
    yield f"| | bar | {' | '.join(tables)} |"
    yield "|---" * (2 + len(tables)) + "|"
    for bar in BARS:
        cells = [bar.what, f"{bar.side} {bar.limit:g}", *(bar.judge(rows.get(bar.row)) for rows in tables.values())]
        yield f"| {' | '.join(cells)} |"
    yield ""
    for name, rows in tables.items():
        yield f"* {name}: {rows['machine']['notes']}; all rows in [{TABLES[name]}]({TABLES[name]})."


def read_table(path: Path) -> dict[str, Row]:
    """The rows of a table of `make bench`, by name."""
    rows = {row["name"]: row for row in read_rows(path, COLUMNS)}
    failed = [name for name, row in rows.items() if row["notes"].startswith("failed")]
    if failed:
        raise SystemExit(f"{path}: {', '.join(failed)} failed; run them again before their bars are told")
    return rows


def render_page(page: str) -> str:
    """The page with the bars of all tables in its block."""
    tables = {name: read_table(DOCS / file) for name, file in TABLES.items()}
    return fill(page, {"bars": "\n".join(tabulate_bars(tables)) + "\n"}, PAGE.name)


if __name__ == "__main__":
    write_text(PAGE, render_page(PAGE.read_text(encoding="utf-8")))
