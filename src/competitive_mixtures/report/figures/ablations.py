"""All ablations in one picture: what each changes in the score and in the partition, with intervals."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.figures.texts import plain_text
from competitive_mixtures.report.names import METHODS, METRICS, UNITS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

BETTER = {"log_likelihood": 1, "frechet_classifier": -1, "purity": 1, "nmi": 1}  # the direction that is better
ROW, BLOCK = 0.142, 0.62  # inches of a row at most, and of what a block has beside its rows
HEIGHT = 8.3  # inches at most: a page of the report, less the caption
LIMIT = 0.9  # quantile of the intervals' ends that the axis shows; what lies beyond ends in an arrow
HEADING = 2.6  # rows from the last one of a method to the first one of the next
FEWEST = 5  # seeds that a clear difference takes: with fewer no exact p-value is below a tenth


def plot_ablations(tables: ResultTables, out: Path) -> None:
    """Draw a block of rows for each kind of data: differences to the base of both metrics, 95 % intervals, every seed.

    Args:
        tables: where the project lies; `paper/tables/ablations.csv` has the differences.
        out: an `.svg` file.
    """
    import pandas as pd

    path = Project(tables.root).paper.tables / "ablations.csv"
    rows = pd.read_csv(path, keep_default_na=False, na_values=[""])
    rows = rows[rows["status"] == "run"].rename(columns={"values": "values_"})
    blocks = [block for _, block in rows.groupby(_kinds(rows), sort=False)]
    blocks = [_by_method(block) for block in blocks]
    heights = [block["ablation"].nunique() + 2 * block["method"].nunique() for block in blocks]
    height = min(HEIGHT, BLOCK * len(blocks) + ROW * sum(heights))
    figure = style.make_figure(style.TEXT_WIDTH, max(1.0, height))
    if blocks:
        panels = figure.subplots(len(blocks), 2, squeeze=False, sharey="row", height_ratios=heights)
        for row, block in zip(panels, blocks, strict=True):
            places = _places(block)
            for axes, metric in zip(row, block["metric"].unique(), strict=False):
                _draw_metric(axes, block[block["metric"] == metric], metric, places)
            _name_rows(row[0], block, places)
            row[0].set_ylim(max(places.values(), default=0) + 0.7, -1.7)
    style.save(figure, out)


def _kinds(rows: "pd.DataFrame") -> "pd.Series":
    """What tells the blocks apart: the score that an ablation's data have."""
    kinds = {
        row.ablation: row.metric for row in rows.itertuples() if row.metric in ("log_likelihood", "frechet_classifier")
    }
    return rows["ablation"].map(lambda name: kinds.get(name, ""))


def _by_method(block: "pd.DataFrame") -> "pd.DataFrame":
    """The rows that are compared with one method next to each other, in the order of `names.METHODS`."""
    order = {method: place for place, method in enumerate(METHODS)}
    return block.sort_values("method", key=lambda methods: methods.map(order), kind="stable")


def _places(block: "pd.DataFrame") -> dict[tuple[str, str], float]:
    """The height of each (method, ablation); two lines are left for the heading of each method."""
    places: dict[tuple[str, str], float] = {}
    place, former = -1.0, None
    for key in dict.fromkeys(zip(block["method"], block["ablation"], strict=True)):
        place += 1.0 if key[0] == former else HEADING if former is not None else 1.0
        places[key] = place
        former = key[0]
    return places


def _name_rows(axes: "Axes", block: "pd.DataFrame", places: dict[tuple[str, str], float]) -> None:
    """Write what each row varies, and above those of a method which one it is that they are compared with."""
    labels = dict(zip(block["ablation"], block["label"], strict=True))
    axes.set_yticks(list(places.values()), [plain_text(labels[name], 64) for _, name in places], fontsize=6.5)
    firsts = {method: place for (method, _), place in reversed(places.items())}
    for method, place in firsts.items():
        name = f"less {METHODS[method]}:"
        axes.annotate(name, (0, place - 1), (-3, 0), ("axes fraction", "data"), textcoords="offset points",
                      fontsize=6.5, ha="right", va="center", fontweight="bold", annotation_clip=False)  # fmt: skip


def _draw_metric(axes: "Axes", rows: "pd.DataFrame", metric: str, places: dict[tuple[str, str], float]) -> None:
    ends = rows[["ci_low", "ci_high", "difference"]].abs().max(axis=1)
    extent = 1.25 * float(ends.quantile(LIMIT)) or 1.0
    axes.axvline(0, color=style.GREY, linewidth=0.7, zorder=0)
    for row in rows.itertuples():
        place = places[row.method, row.ablation]
        low, high = (row.difference if value != value else value for value in (row.ci_low, row.ci_high))
        color = _color(low, high, BETTER[metric], row.n)
        seeds = [float(pair.split(":")[1]) for pair in str(row.values_).split()]
        axes.plot(seeds, [place] * len(seeds), ".", color=style.INK, markersize=2.2, markeredgewidth=0, zorder=4)
        axes.plot(np.clip([low, high], -extent, extent), [place] * 2, color=color, linewidth=1.1)
        if abs(row.difference) <= extent:
            axes.plot(row.difference, place, "o", color=color, markersize=3)
        for end in (low, high):
            if abs(end) > extent:
                edge, marker = (extent, ">") if end > 0 else (-extent, "<")
                axes.plot(edge, place, marker, color=color, markersize=3, clip_on=False)
    axes.set_xlim(-1.06 * extent, 1.06 * extent)  # arrows at the ends keep clear of the labels
    unit = f" ({UNITS[metric]})" if metric in UNITS else ""
    arrow = "right" if BETTER[metric] > 0 else "left"
    axes.set_title(f"difference in {METRICS[metric]}{unit}; better to the {arrow}", fontsize=8)
    axes.tick_params(axis="y", length=0)


def _color(low: float, high: float, better: int, count: int) -> str:
    """Green for clearly better than the base, red for clearly worse, grey between and with too few seeds to tell."""
    if count < FEWEST:
        return "#777777"
    if low * better > 0 and high * better > 0:
        return "#117733"
    return "#882255" if low * better < 0 and high * better < 0 else "#777777"
