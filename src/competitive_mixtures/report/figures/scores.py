"""Scores of all models, every seed and their mean, beside the best value that any model can reach."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.figures.texts import plain_text
from competitive_mixtures.report.names import AXES, MODELS, PROTOCOLS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MAIN_METRICS = ("log_likelihood", "frechet_classifier")  # an experiment's main score is the first that it has
ROWS = tuple(
    (model, protocol)
    for model in MODELS
    if model != "data"
    for protocol in (("-",) if model == "competitive" else ("paper", "equal_compute"))
)


def plot_scores(tables: ResultTables, out: Path) -> None:
    """Draw one panel an experiment: the main score of every model in every protocol, all seeds and their mean.

    Args:
        tables: the scores of all runs.
        out: an `.svg` file.
    """
    panels = list(main_scores(tables))
    figure, grid = style.panel_grid(len(panels), columns=3, height=2.1)
    for place, (axes, (experiment, metric, scores)) in enumerate(zip(grid, panels, strict=True)):
        _draw_models(axes, scores)
        _draw_limits(axes, tables, experiment, metric)
        axes.set_title(plain_text(experiment))
        axes.set_xlabel(AXES[metric])
        axes.set_yticks(range(len(ROWS)), [_row_label(*row) for row in ROWS] if place % 3 == 0 else [])
        axes.set_ylim(len(ROWS) - 0.5, -0.5)
    style.save(figure, out)


def main_scores(tables: ResultTables) -> "Iterator[tuple[str, str, pd.DataFrame]]":
    """Yield (experiment, its main metric, the rows with that metric on test points) where there is one."""
    for experiment, scores in tables.summary.groupby("experiment", sort=False):
        for metric in MAIN_METRICS:
            chosen = scores[(scores["metric"] == metric) & (scores["split"] == "test")]
            if chosen["value"].notna().any():
                yield str(experiment), metric, chosen
                break


def _row_label(model: str, protocol: str) -> str:
    return MODELS[model] if protocol == "-" else f"{MODELS[model]} ({PROTOCOLS[protocol]})"


def _draw_models(axes: "Axes", scores: "pd.DataFrame") -> None:
    for place, (model, protocol) in enumerate(ROWS):
        values = scores.loc[(scores["model"] == model) & (scores["protocol"] == protocol), "value"].dropna()
        if values.empty:
            axes.text(0.5, place, "not run", transform=axes.get_yaxis_transform(), fontsize=7, va="center", ha="center")
            continue
        color = style.MODEL_COLORS[model]
        axes.plot(values, [place] * len(values), "|", color=color, markersize=7, markeredgewidth=0.7, alpha=0.7)
        filled = color if protocol != "equal_compute" else "white"
        axes.plot(values.mean(), place, style.MODEL_MARKERS[model], color=color, markerfacecolor=filled, markersize=5)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def _draw_limits(axes: "Axes", tables: ResultTables, experiment: str, metric: str) -> None:
    """Draw the score of true samples, dashed, and the bound where the density of the data is known."""
    rows = tables.summary
    same = (rows["experiment"] == experiment) & (rows["metric"] == metric) & (rows["split"] == "test")
    perfect = rows.loc[same & (rows["model"] == "data"), "value"].mean()
    if not math.isnan(perfect):
        axes.axvline(perfect, color=style.INK, linewidth=0.7, linestyle="--")
    if metric == "log_likelihood" and experiment in tables.bounds:
        axes.axvline(tables.bounds[experiment], color=style.INK, linewidth=0.7)
