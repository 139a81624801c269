"""What each model scores, against the compute of its training."""

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.figures.scores import ROWS, Row, main_scores, values_of
from competitive_mixtures.report.figures.texts import plain_text
from competitive_mixtures.report.names import AXES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LABEL = 16  # letters of an axis's label beside a low panel
APART = 3.5  # points between models of the same compute, which would else hide one another


def plot_compute(tables: ResultTables, out: Path) -> None:
    """Draw one panel a group of experiments: the main score by samples times parameters, mean and range of the seeds.

    Without the authors' settings and the Gaussian mixture, whose costs are a hundred times and a thousandth of the
    others' and would leave these no room.

    Args:
        tables: the scores of all runs.
        out: an `.svg` file.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    panels = list(main_scores(tables))
    shown = [row for row in ROWS if row.method != "paper" and row.model != "gaussian_mixture"]
    figure, grid = style.panel_grid(len(panels), columns=3, height=1.6)
    drawn: list[Row] = []
    for axes, (group, metric) in zip(grid, panels, strict=True):
        axes.set(title=plain_text(group), xscale="log", ylabel=fill(AXES[metric], LABEL))
        found = [row for row in shown if _draw_model(axes, tables, group, metric, row, _shift(row, shown))]
        drawn += [row for row in found if row not in drawn]
        axes.margins(x=0.22, y=0.12)
        axes.set_xlabel(AXES["compute"])
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter(LogFormatterSciNotation(labelOnlyBase=False, minor_thresholds=(9, 9)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    handles = [
        Line2D([], [], linestyle="", label=row.label, color=row.color, marker=row.marker, markersize=5,
               markerfacecolor=_fill(row))
        for row in shown
        if row in drawn
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.5, handletextpad=0.2)
    style.save(figure, out)


def _shift(row: Row, shown: list[Row]) -> float:
    """How far a model stands to the right of its compute, in points; 0 where no other has the same."""
    level = [other for other in shown if other.protocol != "paper"]
    return APART * (level.index(row) - (len(level) - 1) / 2) if row in level else 0.0


def _draw_model(axes: "Axes", tables: ResultTables, group: str, metric: str, row: Row, shift: float) -> bool:
    """Draw a model where it has both numbers; says whether it has."""
    from matplotlib.transforms import ScaledTranslation

    score, cost = values_of(tables, group, row, metric), values_of(tables, group, row, "compute", "train")
    if score.empty or cost.empty:
        return False
    beside = axes.transData + ScaledTranslation(shift / 72, 0, axes.figure.dpi_scale_trans)
    look: dict[str, Any] = {"color": row.color, "transform": beside}
    axes.update_datalim([(cost.mean(), score.min()), (cost.mean(), score.max())])  # lines moved aside leave it as it is
    axes.plot([cost.mean()] * 2, [score.min(), score.max()], linewidth=0.8, **look)
    axes.plot(cost.mean(), score.mean(), row.marker, markerfacecolor=_fill(row), markersize=4.5, **look)
    axes.autoscale_view()
    return True


def _fill(row: Row) -> str:
    return "white" if row.protocol == "equal_compute" else row.color
