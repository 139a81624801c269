"""Training compute against score."""

from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.scores import MAIN_METRICS, ROWS, main_scores
from competitive_mixtures.report.statistics import mean_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from competitive_mixtures.report.figures.tables import Tables


def plot_compute(tables: "Tables", out: Path) -> None:
    """One panel an experiment: samples times parameters against the main score, mean and interval over seeds.

    Args:
        tables: the scores of all runs.
        out: an `.svg` file.
    """
    from matplotlib.lines import Line2D

    style.use_style()
    panels = list(main_scores(tables))
    figure, grid = style.panel_grid(len(panels), columns=3, height=2.0)
    for axes, (experiment, metric, scores) in zip(grid, panels, strict=True):
        rows = tables.summary
        compute = rows[(rows["experiment"] == experiment) & (rows["metric"] == "compute")]
        for model, protocol in ROWS:
            _draw_model(axes, model, protocol, scores, compute)
        axes.set(title=experiment, xscale="log", ylabel=MAIN_METRICS[metric])
        axes.set_xlabel("samples × parameters")
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            label=style.MODEL_LABELS[m],
            color=style.MODEL_COLORS[m],
            marker=style.MODEL_MARKERS[m],
        )
        for m in dict.fromkeys(model for model, _ in ROWS)
    ]
    open_circle = Line2D(
        [], [], linestyle="", label="equal compute", color=style.INK, marker="o", markerfacecolor="white"
    )
    handles.append(open_circle)
    figure.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.5, handletextpad=0.2)
    style.save(figure, out)


def _draw_model(axes: "Axes", model: str, protocol: str, scores: "pd.DataFrame", compute: "pd.DataFrame") -> None:
    score = mean_interval(_values(scores, model, protocol))
    cost = mean_interval(_values(compute, model, protocol))
    if not (score.count and cost.count):
        return
    color = style.MODEL_COLORS[model]
    error = None if score.count < 2 else [[score.mean - score.low], [score.high - score.mean]]
    filled = "white" if protocol == "equal_compute" else color
    axes.errorbar(
        cost.mean, score.mean, error, fmt=style.MODEL_MARKERS[model], color=color, markerfacecolor=filled,
        markersize=5, elinewidth=0.8,
    )  # fmt: skip


def _values(rows: "pd.DataFrame", model: str, protocol: str) -> "pd.Series":
    return rows.loc[(rows["model"] == model) & (rows["protocol"] == protocol), "value"]
