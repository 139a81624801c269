"""What each model scores, against the compute of its training."""

from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.figures.scores import ROWS, main_scores
from competitive_mixtures.report.figures.texts import plain_text
from competitive_mixtures.report.names import AXES, MODELS, PROTOCOLS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def plot_compute(tables: ResultTables, out: Path) -> None:
    """Draw one panel an experiment: the main score by samples times parameters, mean and range of the seeds.

    Args:
        tables: the scores of all runs.
        out: an `.svg` file.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    panels = list(main_scores(tables))
    figure, grid = style.panel_grid(len(panels), columns=3, height=2.0)
    for axes, (experiment, metric, scores) in zip(grid, panels, strict=True):
        rows = tables.summary
        compute = rows[(rows["experiment"] == experiment) & (rows["metric"] == "compute")]
        for model, protocol in ROWS:
            _draw_model(axes, model, protocol, scores, compute)
        axes.set(title=plain_text(experiment), xscale="log", ylabel=AXES[metric])
        axes.set_xlabel(AXES["compute"])
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter(LogFormatterSciNotation(labelOnlyBase=False, minor_thresholds=(9, 9)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            label=MODELS[m],
            color=style.MODEL_COLORS[m],
            marker=style.MODEL_MARKERS[m],
        )
        for m in dict.fromkeys(model for model, _ in ROWS)
    ]
    open_circle = Line2D(
        [], [], linestyle="", label=PROTOCOLS["equal_compute"], color=style.INK, marker="o", markerfacecolor="white"
    )
    handles.append(open_circle)
    figure.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.5, handletextpad=0.2)
    style.save(figure, out)


def _draw_model(axes: "Axes", model: str, protocol: str, scores: "pd.DataFrame", compute: "pd.DataFrame") -> None:
    score, cost = _values(scores, model, protocol), _values(compute, model, protocol)
    if score.empty or cost.empty:
        return
    color = style.MODEL_COLORS[model]
    axes.plot([cost.mean()] * 2, [score.min(), score.max()], color=color, linewidth=0.8)
    filled = "white" if protocol == "equal_compute" else color
    axes.plot(cost.mean(), score.mean(), style.MODEL_MARKERS[model], color=color, markerfacecolor=filled, markersize=5)


def _values(rows: "pd.DataFrame", model: str, protocol: str) -> "pd.Series":
    return rows.loc[(rows["model"] == model) & (rows["protocol"] == protocol), "value"].dropna()
