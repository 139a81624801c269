"""docs/partitions.md, made from paper/partitions.csv: every mean, every seed, and how often ours is level or better."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

from point_sets import DEVELOPMENT, VECTORS
from restarts import COLUMNS, RESTARTS, tabulate_picks
from restarts import TABLE as RESTARTS_TABLE

from competitive_mixtures.files.formats import write_text
from competitive_mixtures.files.tables import read_rows
from competitive_mixtures.report.partitions import (
    LEAST_SHARE,
    MARGIN,
    METHODS,
    PARTITION_COLUMNS,
    PARTS,
    Fits,
    compare_with_rivals,
    read_fits,
)

FULL = 5  # seeds of a cell that says no count
RIVALS = ("kmeans", "gaussian", "spectral")
INTRODUCTION = """\
# Which partition is found

<!-- Written by benchmarks/partitions.py from paper/partitions.csv; edit the generator. -->

Data sets whose true partition is known, and what each method makes of them when it is told the number of parts and
nothing else. `CompetitiveMixture(k)` stands in the column *ours, from Gaussians* as it ships: one set of defaults for
all vectors, one for all images, nothing chosen by data set. It was developed on
{development};
the other sets were not chosen for it, but other draws of them, of 1,000 points, were looked at on the way: once the
start was found, four settings (pretraining steps, held-out share, two overlaps) were chosen with all in view. None of
these figures is a test on data that nobody had seen; [](method.md) has such draws, of other kinds of set. It starts
from Gaussians that are joined to at most k parts, which the column *our start alone* shows; the competition then models
the parts.

* **Points.** The sets in the plane and the paper's synthetic ones have 3,000 points as drawn; iris, wine and breast
  cancer are scikit-learn's with standardised columns, the 8x8 digits its pixels from 0 to 16. A seed draws the points
  of the former, of all a fifth for testing (images come with their own split), and the methods' random numbers.
* **Images.** In pixels, 10,000 training images that the seed draws. `mnist-latent` and others of that name are all
  images in the ten latents of an autoencoder (one a seed, its training not in the seconds): all columns work in these
  latents, and the competitions are experiments of the pipeline, their seconds by the clock. The autoencoder was chosen
  among eleven with the start's agreement with MNIST's labels in view ([](method.md)): on MNIST its rows are no test.
  The mechanism behind `mechanisms` is what was done to a digit, behind `avatars` the drawing style ([](own-data.md)).
* **Methods.** From scikit-learn: k-means with 10 starts; a Gaussian mixture with full covariances and 3 starts;
  spectral clustering on the graph of the ten nearest neighbours, for at most 3,000 points. The paper's method: from the
  uniform split, with the settings of `synthetic-9-plain`{pixels}; beside it the same but for its start, which is ours.
  In latents these are `*-latent-plain-uniform` and `*-latent-plain-gaussians`, with the settings of `*-latent` but for
  the start and the standardisation, which is one for all components.
* **Scores.** The adjusted Rand index (ARI) and the normalised mutual information (NMI) are of the training points. A
  cell has the mean and, in brackets, the {full} seeds; where there are fewer, it says how many. The
  log-likelihood is the mean over the test points in nats a point, where a method has a density; those of the
  competition are estimates (see [](estimator.md)). Seconds are the processor's for one fit on one core, of
  vectors {processors}.
  Seconds of two processors do not compare; a training step takes 1.6 to 2.6 times as long on the Xeon
  ([](benchmarks.md)).
* **Left out.** A Gaussian mixture and spectral clustering of pixels: those that are black in every image of a part make
  a full covariance singular, and 784 of them make it 308,000 numbers a component; the graph's eigenvectors of tens of
  thousands of points take hours. The paper's method and ours in pixels were not
  run.

Any row again: `python benchmarks/partitions.py --sets moons,iris --methods ours --seeds 2`. All rows are in
[partitions.csv](../paper/partitions.csv).
"""

OF_RESTARTS = f"""\
## Which restart is picked

`n_init` fits several times and keeps one, without labels. Here every set of vectors was fitted {RESTARTS} times to the
same points (by the estimator of 2026-11-29), and each score picked one of the fits. `n_init` goes by the mean ARI with
the other fits, which picks no worse than the likelihood and needs no density. The bound is a noisy estimate, which
picks worse than chance. That the first restart does best of all is luck of one draw.

{{picks}}

Again: `python benchmarks/restarts.py`; all rows are in [restarts.csv](restarts.csv)."""


def write_page(table: Path, page: Path) -> None:
    """Write the page anew."""
    write_text(page, render_page(table))


def render_page(table: Path) -> str:
    """The page's text."""
    fits = read_fits(table)
    vectors, images = ([fit for fit in fits if (fit.part == "images") == wanted] for wanted in (False, True))
    blocks = [
        INTRODUCTION.format(
            development=join(list(DEVELOPMENT)),
            processors=list_processors(read_rows(table, PARTITION_COLUMNS)),
            full=FULL,
            pixels=", for pixels those of `mnist`" if any(fit.method == "paper" for fit in images) else "",
        ),
        f"## In short\n\n{describe_bars(vectors)}",
        *(
            f"## ARI: {name}\n\n" + "\n".join(tabulate([fit for fit in vectors if fit.part == part], "ari"))
            for part, name in PARTS.items()
            if part != "images"
        ),
    ]
    if images:
        blocks.append("## NMI: images\n\n" + "\n".join(tabulate(images, "nmi")))
        blocks.append("## ARI: images\n\n" + "\n".join(tabulate(images, "ari")))
    blocks.append("## Log-likelihood\n\n" + "\n".join(tabulate(fits, "log_likelihood")))
    blocks.append(OF_RESTARTS.format(picks="\n".join(tabulate_picks(read_rows(RESTARTS_TABLE, COLUMNS)))))
    blocks.append("## Seconds\n\n" + "\n".join(tabulate(fits, "seconds")))
    return "\n\n".join(block.rstrip("\n") for block in blocks) + "\n"


def list_processors(rows: Iterable[Mapping[str, str]]) -> str:
    """Which columns of vectors were timed on which processor, from the table's rows."""
    columns: dict[str, set[str]] = {}
    for row in rows:
        if row["part"] != "images":
            columns.setdefault(row["processor"], set()).add(row["method"])
    return ";\n  ".join(
        f"{join([f'*{title}*' for method, title in METHODS.items() if method in methods])} on {processor}"
        for processor, methods in sorted(columns.items())
    )


def describe_bars(vectors: Sequence[Fits]) -> str:
    """What the means say, in a sentence for each bar."""
    bars = compare_with_rivals(vectors)
    if not bars.compared:
        return "No set of vectors has been fitted by all of k-means, the Gaussian mixture and ours."
    below = f" ({', '.join(bars.below)})" if bars.below else ""
    compared = bars.compared if bars.compared == len(VECTORS) else f"{bars.compared} of {len(VECTORS)}"
    return "\n".join(
        [
            f"Of {compared} sets of vectors our mean ARI is",
            "",
            f"* at least that of the better of k-means and the Gaussian mixture, less {MARGIN}, on {bars.level};",
            f"* above both on {bars.above};",
            f"* below {LEAST_SHARE} of k-means' on {len(bars.below)}{below}.",
            *describe_best(vectors),
            *describe_start(vectors),
        ]
    )


def describe_best(vectors: Sequence[Fits]) -> Iterator[str]:
    """What the means say of ours and the best of all three rivals, with spectral clustering."""
    means: dict[str, dict[str, float]] = {}
    for fit in vectors:
        means.setdefault(fit.data_set, {})[fit.method] = fit.mean_ari
    gaps = {
        name: mean["ours"] - max(mean[rival] for rival in RIVALS)
        for name, mean in means.items()
        if {"ours", *RIVALS} <= mean.keys()
    }
    if gaps:
        above = sum(gap > 0 for gap in gaps.values())
        far = [f"{name} by {-gap:.2f}" for name, gap in gaps.items() if gap < -MARGIN]
        yield ""
        yield (
            f"Against the best of all three rivals, spectral clustering included, it is above on {above} "
            f"of {len(gaps)} and behind by more than {MARGIN} on {len(far)}{f' ({join(far)})' if far else ''}."
        )


def describe_start(vectors: Sequence[Fits]) -> Iterator[str]:
    """What the rounds change of the start, where both were measured."""
    means = {(fit.data_set, fit.method): fit.mean_ari for fit in vectors}
    starts = {name: mean for (name, method), mean in means.items() if method == "start"}
    pairs = [(mean, means[name, "ours"]) for name, mean in starts.items()]
    changes = {
        name: means[name, "paper_start"] - mean for name, mean in starts.items() if (name, "paper_start") in means
    }
    if pairs:
        before, after = map(fmean, zip(*pairs, strict=True))
        moved = max(abs(end - start) for start, end in pairs)
        yield ""
        yield (
            f"The start finds these parts before a network is trained: its mean over {len(pairs)} sets is "
            f"{before:.2f}, and after the rounds {after:.2f}; no set's mean moves by more than {moved:.2f}."
        )
    if changes:
        lost = [name for name, change in changes.items() if change < -MARGIN]
        gained = sum(change > MARGIN for change in changes.values())
        where = f" ({join(lost)})" if lost else ""
        mean, middle = fmean(changes.values()), median(changes.values())
        yield (
            f"The paper's rounds change the means of the same start by {mean:z.2f} on average, in the median by "
            f"{middle:z.2f}: they lose more than {MARGIN} on {len(lost)} of {len(changes)}{where} and gain as much on "
            f"{gained}."
        )


def tabulate(fits: Sequence[Fits], score: str) -> Iterator[str]:
    """A table with a row for each data set that has such a score and a column for each method that has."""
    known = [method for method in METHODS if any(has_score(fit, score) for fit in fits if fit.method == method)]
    yield "| | n | d | k | " + " | ".join(METHODS[method] for method in known) + " |"
    yield "|---|---|---|---|" + "---|" * len(known)
    cells = {(fit.data_set, fit.method): fit for fit in fits}
    for name in dict.fromkeys(fit.data_set for fit in fits if has_score(fit, score)):
        size = next(fit.size for fit in fits if fit.data_set == name)
        row = [cells.get((name, method)) for method in known]
        yield f"| {name} | " + " | ".join([*(f"{number:,}" for number in size), *show(row, score)]) + " |"


def show(row: Sequence[Fits | None], score: str) -> Iterator[str]:
    """The cells of a row: a method's mean and every seed; the best mean of several is in bold, but of seconds."""
    values = [getattr(fit, score) if fit and has_score(fit, score) else () for fit in row]
    if score == "seconds":
        yield from (f"{fmean(some):.2g}" if some else "" for some in values)
        return
    means = [round(fmean(some), 2) for some in values if some]
    best = max(means) if len(means) > 1 else math.nan
    for some in values:
        mean = round(fmean(some), 2) if some else math.nan
        shown = f"**{mean:z.2f}**" if mean == best else f"{mean:z.2f}"
        yield f"{shown} ({' '.join(f'{value:z.2f}' for value in some)}{count_few(some)})" if some else ""


def count_few(seeds: Sequence[float]) -> str:
    """How many seeds a cell has, where they are fewer than the others'."""
    return "" if len(seeds) >= FULL else f"; {len(seeds)} seed{'s' * (len(seeds) > 1)}"


def has_score(fit: Fits, score: str) -> bool:
    return not all(math.isnan(value) for value in getattr(fit, score))


def join(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
