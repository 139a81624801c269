"""Scores of all models: every seed a point, beside the best value that any model can reach."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.report.figures import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from competitive_mixtures.report.figures.tables import Tables

# the one metric that a data set's models are compared by, the first that its experiment has
MAIN_METRICS = {"log_likelihood": "test log-likelihood (nats)", "frechet_classifier": "Fréchet distance, classifier"}
ROWS = tuple(
    (model, protocol)
    for model in ("competitive", "single", "single_wide", "bagging", "kmeans")
    for protocol in (("-",) if model == "competitive" else ("paper", "equal_compute"))
)


def plot_scores(tables: "Tables", out: Path) -> None:
    """One panel an experiment: the main score of every model and protocol, all seeds and their mean.

    Args:
        tables: the scores of all runs.
        out: an `.svg` file.
    """
    style.use_style()
    panels = list(main_scores(tables))
    figure, grid = style.panel_grid(len(panels), columns=3, height=2.1)
    for place, (axes, (experiment, metric, scores)) in enumerate(zip(grid, panels, strict=True)):
        _draw_models(axes, scores)
        _draw_limits(axes, tables, experiment, metric)
        axes.set_title(experiment)
        axes.set_xlabel(MAIN_METRICS[metric])
        axes.set_yticks(range(len(ROWS)), [_row_label(*row) for row in ROWS] if place % 3 == 0 else [])
        axes.set_ylim(len(ROWS) - 0.5, -0.5)
    style.save(figure, out)


def main_scores(tables: "Tables") -> "Iterator[tuple[str, str, pd.DataFrame]]":
    """Yield (experiment, metric, its test rows) for every experiment that has a main score."""
    for experiment, scores in tables.summary.groupby("experiment", sort=False):
        for metric in MAIN_METRICS:
            chosen = scores[(scores["metric"] == metric) & (scores["split"] == "test")]
            if chosen["value"].notna().any():
                yield str(experiment), metric, chosen
                break


def _row_label(model: str, protocol: str) -> str:
    name = style.MODEL_LABELS[model]
    return name if protocol == "-" else f"{name} ({style.PROTOCOL_LABELS[protocol]})"


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


def _draw_limits(axes: "Axes", tables: "Tables", experiment: str, metric: str) -> None:
    """The value of true samples under the same rule, and the bound where the data's density is known."""
    rows = tables.summary
    same = (rows["experiment"] == experiment) & (rows["metric"] == metric) & (rows["split"] == "test")
    perfect = rows.loc[same & (rows["model"] == "data"), "value"].mean()
    if perfect == perfect:
        axes.axvline(perfect, color=style.INK, linewidth=0.7, linestyle="--")
    if metric == "log_likelihood" and experiment in tables.bounds:
        axes.axvline(tables.bounds[experiment], color=style.INK, linewidth=0.7)
