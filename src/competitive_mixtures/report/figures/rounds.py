"""The competition round by round at our settings: objective, purity, churn and the smallest cell."""

from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.figures.texts import plain_text
from competitive_mixtures.report.names import AXES, METHODS, METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from competitive_mixtures.report.plan import Planned

COLUMNS = ("objective", "purity", "share_changed", "smallest_cell")  # of rounds.csv, one a panel


def plot_rounds(tables: ResultTables, out: Path) -> None:
    """Draw one row a group of experiments, four panels each: every seed thin, the mean of each method thick.

    Args:
        tables: the rounds of all runs.
        out: an `.svg` file.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    finished = set(tables.rounds["experiment"])
    groups = {group: found for group, variants in tables.variants.items() if (found := _choose(variants, finished))}
    figure, panels = style.panel_grid(len(COLUMNS) * len(groups), columns=len(COLUMNS), height=0.94)
    for place, (group, names) in enumerate(groups.items()):
        row = panels[place * len(COLUMNS) : (place + 1) * len(COLUMNS)]
        row[0].set_ylabel(plain_text(group, 16))
        for axes, column in zip(row, COLUMNS, strict=True):
            for method, name in names.items():
                _draw_runs(axes, tables.rounds[tables.rounds["experiment"] == name], column, method)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            axes.set_ylim(None if column == "objective" else 0, 1.04 if column in ("purity", "share_changed") else None)
            if place == 0:
                axes.set_title(_title(column), fontsize=8.5)
            if place == len(groups) - 1:
                axes.set_xlabel("round")
    shown = [method for method in METHODS if any(method in found for found in groups.values())]
    handles = [
        Line2D([], [], color=style.METHOD_COLORS[method], linestyle=style.METHOD_LINES[method], label=METHODS[method])
        for method in shown
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(METHODS))
    style.save(figure, out)


def _choose(variants: "dict[str, Planned]", finished: set[str]) -> dict[str, str]:
    """The experiments by method; those at the authors' settings have a figure of their own, of many more rounds."""
    return {
        method: planned.name for method, planned in variants.items() if method != "paper" and planned.name in finished
    }


def _title(column: str) -> str:
    size = " (equal = 1)" if column == "smallest_cell" else ""
    return AXES.get(column, METRICS[column]) + size


def _draw_runs(axes: "Axes", rows: "pd.DataFrame", column: str, method: str) -> None:
    """Draw a thin line for every seed and a thick one for the mean of those that have the round."""
    color, line = style.METHOD_COLORS[method], style.METHOD_LINES[method]
    curves = rows.pivot_table(index="round", columns="seed", values=column, dropna=False)
    curves = curves.dropna(how="all")
    if curves.empty:
        return
    axes.plot(curves.index, curves.to_numpy(), line, color=color, linewidth=0.4, alpha=0.4)
    axes.plot(curves.index, curves.mean(axis=1), line, color=color, marker="o" if len(curves) == 1 else None)
