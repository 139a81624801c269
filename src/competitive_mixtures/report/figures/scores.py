"""Scores of all models, every seed and their mean, beside the best value that any model can reach."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.figures.texts import plain_text
from competitive_mixtures.report.names import AXES, METHODS
from competitive_mixtures.report.plan import label_baseline, list_baselines

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = 3  # of panels
MAIN_METRICS = ("log_likelihood", "frechet_classifier")  # an experiment's main score is the first that it has


@dataclass(frozen=True)
class Row:
    """A model as the figures show it.

    Attributes:
        label: its name, with the protocol of a baseline.
        method: of a mixture: a key of `METHODS`; empty for a baseline.
        model, protocol: of its rows in `summary.csv`.
        color, marker: how it is drawn; a baseline at equal compute with an open marker.
    """

    label: str
    method: str
    model: str
    protocol: str
    color: str
    marker: str


def make_rows() -> tuple[Row, ...]:
    """The mixtures by method, then every baseline in both protocols."""
    mixtures = [
        Row(name, method, "competitive", "-", style.METHOD_COLORS[method], style.METHOD_MARKERS[method])
        for method, name in METHODS.items()
        if method != "relative"  # see the table of rivals
    ]
    baselines = [
        Row(label_baseline(model, protocol), "", model, protocol, style.MODEL_COLORS[model], style.MODEL_MARKERS[model])
        for model, protocol in list_baselines()
    ]
    return (*mixtures, *baselines)


ROWS = make_rows()


def plot_scores(tables: ResultTables, out: Path) -> None:
    """Draw one panel a group of experiments: the main score of every model, all seeds and their mean.

    Args:
        tables: the scores of all runs.
        out: an `.svg` file.
    """
    panels = list(main_scores(tables))
    lines = [panels[start : start + COLUMNS] for start in range(0, len(panels), COLUMNS)]
    models = [_list_models(tables, line) for line in lines]
    figure, grid = style.panel_grid(len(panels), columns=COLUMNS, height=0.55 + 0.15 * max(map(len, models), default=0))
    for place, (axes, (group, metric)) in enumerate(zip(grid, panels, strict=True)):
        rows = models[place // COLUMNS]
        _draw_models(axes, tables, group, metric, rows)
        _draw_limits(axes, tables, group, metric)
        axes.set_title(plain_text(group))
        axes.set_xlabel(AXES[metric])
        axes.set_yticks(range(len(rows)), [row.label for row in rows] if place % COLUMNS == 0 else [], fontsize=7)
        axes.set_ylim(len(rows) - 0.5, -0.5)
    style.save(figure, out)


def main_scores(tables: ResultTables) -> Iterator[tuple[str, str]]:
    """Yield (group of experiments, its main metric) where there is one."""
    for group, variants in tables.variants.items():
        names = [planned.name for planned in variants.values()]
        scores = tables.summary[tables.summary["experiment"].isin(names) & (tables.summary["split"] == "test")]
        for metric in MAIN_METRICS:
            if scores.loc[scores["metric"] == metric, "value"].notna().any():
                yield group, metric
                break


def values_of(tables: ResultTables, group: str, row: Row, metric: str, split: str = "test") -> "pd.Series":
    """The values of a model by seed; a baseline's are of the one experiment of the group that trains it.

    None is trained at the authors' settings, whose true samples are those of the other experiments.
    """
    scores, variants = tables.summary, tables.variants[group]
    named = [p.name for method, p in variants.items() if row.method == method or (not row.method and method != "paper")]
    wanted = (scores["model"] == row.model) & (scores["protocol"] == row.protocol)
    wanted &= (scores["metric"] == metric) & (scores["split"] == split) & scores["experiment"].isin(named)
    return scores.loc[wanted, "value"].dropna()


def _list_models(tables: ResultTables, panels: list[tuple[str, str]]) -> list[Row]:
    """The models that ran in one of these panels, which stand side by side."""
    return [row for row in ROWS if any(len(values_of(tables, group, row, metric)) for group, metric in panels)]


def _draw_models(axes: "Axes", tables: ResultTables, group: str, metric: str, rows: list[Row]) -> None:
    for place, row in enumerate(rows):
        values = values_of(tables, group, row, metric)
        if values.empty:
            axes.text(0.5, place, "not run", transform=axes.get_yaxis_transform(), fontsize=7, va="center", ha="center",
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # fmt: skip
            continue
        axes.plot(values, [place] * len(values), "|", color=row.color, markersize=6, markeredgewidth=0.7, alpha=0.7)
        filled = row.color if row.protocol != "equal_compute" else "white"
        axes.plot(values.mean(), place, row.marker, color=row.color, markerfacecolor=filled, markersize=4.5)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def _draw_limits(axes: "Axes", tables: ResultTables, group: str, metric: str) -> None:
    """Draw the score of true samples, dashed, and the bound where the density of the data is known."""
    perfect = values_of(tables, group, Row("", "", "data", "-", "", ""), metric).mean()
    if not math.isnan(perfect):
        axes.axvline(perfect, color=style.INK, linewidth=0.7, linestyle="--")
    bounds = [
        tables.bounds[planned.name] for planned in tables.variants[group].values() if planned.name in tables.bounds
    ]
    if metric == "log_likelihood" and bounds:
        axes.axvline(bounds[0], color=style.INK, linewidth=0.7)
