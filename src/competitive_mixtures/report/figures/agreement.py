"""Agreement of each method's parts with the true ones: a panel a method, a row a data set, a dot a seed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.partitions import METHODS, PARTS, Fits, read_fits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.15  # inches
HEAD = 0.55
TITLES = {
    "kmeans": "k-means",
    "gaussian": "Gaussian\nmixture",
    "spectral": "spectral\nclustering",
    "paper": "the paper's\nmethod, our\nsettings",
    "paper_start": "the same\nfrom our\nstart",
    "start": "our start\nalone",
    "ours": "ours, from\nGaussians",
}
COLORS = {
    "kmeans": style.MODEL_COLORS["kmeans"],
    "gaussian": style.MODEL_COLORS["gaussian_mixture"],
    "spectral": "#999933",
    "paper": style.METHOD_COLORS["plain"],
    "paper_start": "#5fb27f",
    "start": style.GREY,
    "ours": "#cc6677",
}


def plot_agreement(tables: ResultTables, out: Path) -> None:
    """Draw the adjusted Rand index of every fit of `paper/partitions.csv`, and the mean of its seeds as a number.

    Args:
        tables: where the project lies.
        out: an `.svg` file.
    """
    fits = read_fits(Project(tables.root).paper.partitions)
    rows = list_rows(fits)
    fits = [fit for fit in fits if (fit.part, fit.data_set) in rows]
    methods = [method for method in METHODS if any(fit.method == method for fit in fits)]
    figure = style.make_figure(style.TEXT_WIDTH, HEAD + ROW * max(1, len(rows)))
    panels = figure.subplots(1, max(1, len(methods)), sharey=True, squeeze=False)[0]
    for axes, method in zip(panels, methods, strict=False):
        _draw_method(axes, method, rows, [fit for fit in fits if fit.method == method])
    panels[0].set_yticks(range(len(rows)), [name for _, name in rows], fontsize=7)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    style.save(figure, out)


def list_rows(fits: Sequence[Fits]) -> list[tuple[str, str]]:
    """Part and name of each data set that several methods were fitted to, part by part."""
    keys = [(fit.part, fit.data_set) for fit in fits]
    compared = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
    return sorted(compared, key=lambda key: list(PARTS).index(key[0]))


def _draw_method(axes: "Axes", method: str, rows: Sequence[tuple[str, str]], fits: Sequence[Fits]) -> None:
    color = COLORS[method]
    for fit in fits:
        place = rows.index((fit.part, fit.data_set))
        axes.plot(fit.ari, [place] * len(fit.ari), "o", color=color, markersize=2.6, markeredgewidth=0, alpha=0.45)
        axes.plot([fit.mean_ari] * 2, [place - 0.36, place + 0.36], color=color, linewidth=1.3)
        axes.text(1.12, place, f"{fit.mean_ari:z.2f}".replace("-", "−"), va="center", fontsize=6.5)
    for place, (row, above) in enumerate(zip(rows[1:], rows, strict=False)):
        if row[0] != above[0]:
            axes.axhline(place + 0.5, color=style.INK, linewidth=0.5)
    axes.set_xlim(-0.08, 1.5)
    axes.set_xticks([0, 0.5, 1], ["0", "", "1"], fontsize=7)
    axes.grid(visible=True, axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_bounds(0, 1)
    axes.set_title(TITLES[method], fontsize=7.5)
