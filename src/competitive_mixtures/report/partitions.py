"""The table of partitions: `paper/partitions.csv`, which `benchmarks/partitions.py` fills, by data set and method."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from competitive_mixtures.files.tables import read_rows, to_number

PARTITION_COLUMNS = (
    "data_set", "part", "method", "seed", "ari", "nmi", "log_likelihood", "seconds", "n", "d", "k", "processor",
)  # fmt: skip
METHODS = {  # in the order of the table
    "kmeans": "k-means",
    "gaussian": "Gaussian mixture",
    "spectral": "spectral clustering",
    "paper": "the paper's method, our settings",
    "paper_start": "the same from our start",
    "start": "our start alone",
    "ours": "ours, from Gaussians",
}
PARTS = {  # of the data sets
    "development": "vectors, development half",
    "held_out": "vectors, the others",
    "images": "images",
}
MARGIN = 0.05  # of the adjusted Rand index, up to which a method counts as good as the best rival
LEAST_SHARE = 0.8  # of k-means' index


@dataclass(frozen=True)
class Fits:
    """What one method reached on one data set.

    Attributes:
        data_set, part, method: keys of the table; `part` is one of `PARTS`.
        size: n points, d numbers each, k parts.
        ari, nmi: agreement with the true partition on the training points, by seed.
        log_likelihood: mean on the test points in nats, by seed; NaN where a method has no density.
        seconds: of the processor, by seed.
    """

    data_set: str
    part: str
    method: str
    size: tuple[int, int, int]
    ari: tuple[float, ...]
    nmi: tuple[float, ...]
    log_likelihood: tuple[float, ...]
    seconds: tuple[float, ...]

    @property
    def mean_ari(self) -> float:
        """Over the seeds."""
        return fmean(self.ari)


@dataclass(frozen=True)
class Bars:
    """Of how many sets of vectors what is true of our mean index.

    Attributes:
        compared: sets with our fits, k-means' and the Gaussian mixture's.
        level: those where it is at least the better rival's less `MARGIN`.
        above: those where it is above both.
        below: those where it is under `LEAST_SHARE` of k-means', by name.
    """

    compared: int
    level: int
    above: int
    below: tuple[str, ...]


def read_fits(path: Path) -> list[Fits]:
    """Read the table, the seeds of each data set and method together, in the file's order.

    Raises:
        UserError: the file is missing, cut short or has other columns.
    """
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in read_rows(path, PARTITION_COLUMNS):
        groups.setdefault((row["data_set"], row["method"]), []).append(row)
    return [_gather(rows) for rows in groups.values()]


def compare_with_rivals(fits: Sequence[Fits]) -> Bars:
    """Hold our means on vectors against k-means' and the Gaussian mixture's."""
    means: dict[str, dict[str, float]] = {}
    for fit in fits:
        if fit.part != "images":
            means.setdefault(fit.data_set, {})[fit.method] = fit.mean_ari
    full = {name: mean for name, mean in means.items() if {"ours", "kmeans", "gaussian"} <= mean.keys()}
    return Bars(
        compared=len(full),
        level=sum(mean["ours"] >= max(mean["kmeans"], mean["gaussian"]) - MARGIN for mean in full.values()),
        above=sum(mean["ours"] > max(mean["kmeans"], mean["gaussian"]) for mean in full.values()),
        below=tuple(name for name, mean in full.items() if mean["ours"] < LEAST_SHARE * mean["kmeans"]),
    )


def _gather(rows: Sequence[dict[str, str]]) -> Fits:
    first = rows[0]
    columns = {
        name: tuple(to_number(row[name]) for row in rows) for name in ("ari", "nmi", "log_likelihood", "seconds")
    }
    size = int(first["n"]), int(first["d"]), int(first["k"])
    return Fits(first["data_set"], first["part"], first["method"], size, **columns)
