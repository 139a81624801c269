"""The paper's method at the authors' settings: purity and churn by round, beside the authors' own code."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from competitive_mixtures.report.authors_code import Measured, list_competitions, read_authors_code
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.figures.texts import plain_text
from competitive_mixtures.report.names import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("purity", "share_changed")  # of rounds.csv, one a panel
MARKS = ("o", "s", "^")  # of the first seeds
MAX_MARKS = 15  # of a line
CODE_COLOR = "#cc6677"


def plot_authors(tables: ResultTables, out: Path) -> None:
    """Draw one row an experiment and a line a seed; dashed what the authors' code gave, which has no churn.

    Args:
        tables: the rounds of all runs.
        out: an `.svg` file.
    """
    from matplotlib.lines import Line2D

    finished = set(tables.rounds["experiment"])
    shown = {
        group: variants["paper"].name
        for group, variants in tables.variants.items()
        if "paper" in variants and variants["paper"].name in finished
    }
    if not shown:
        figure = style.make_figure(style.TEXT_WIDTH, 0.6)
        figure.text(0.5, 0.5, "no experiment at the authors' settings has run", ha="center", va="center")
        style.save(figure, out)
        return
    code = read_authors_code(tables.root)
    figure, panels = style.panel_grid(len(COLUMNS) * len(shown), columns=len(COLUMNS), height=1.15)
    for place, (group, name) in enumerate(shown.items()):
        rows = tables.rounds[tables.rounds["experiment"] == name]
        left, right = panels[2 * place : 2 * place + 2]
        _draw_seeds(left, rows, "purity")
        _draw_code(left, list_competitions(code, group))
        _draw_seeds(right, rows, "share_changed")
        left.set_ylabel(plain_text(group, 16))
        for axes in (left, right):
            axes.set_ylim(0, 1.04)
            last = _last_round(rows, list_competitions(code, group))
            _scale_rounds(axes, last)
    for axes, column in zip(panels, COLUMNS, strict=False):
        axes.set_title(METRICS[column], fontsize=8.5)
    for axes in panels[-len(COLUMNS) :]:
        axes.set_xlabel("round")
    seeds = sorted(set(tables.rounds[tables.rounds["experiment"].isin(shown.values())]["seed"]))
    handles = [_sample(seed) for seed in seeds]
    handles.append(Line2D([], [], color=CODE_COLOR, linestyle="--", label="the authors' code, one line a run"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    style.save(figure, out)


def _look(seed: int) -> dict[str, Any]:
    return {"color": style.component_colors(seed + 1)[seed], "marker": MARKS[seed % len(MARKS)]}


def _sample(seed: int) -> object:
    """A seed's line, for the legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], markersize=2.5, linewidth=1, label=f"seed {seed}", **_look(seed))


def _draw_seeds(axes: "Axes", rows: "pd.DataFrame", column: str) -> None:
    for seed, curve in rows.groupby("seed"):
        apart = max(1, len(curve) // MAX_MARKS)
        axes.plot(curve["round"], curve[column], markersize=2, linewidth=0.9, markevery=apart, **_look(int(seed)))


def _draw_code(axes: "Axes", runs: list[Measured]) -> None:
    for rounds in runs:
        numbers, purity = zip(*((int(row["round"]), float(row["purity"])) for row in rounds), strict=True)
        axes.plot(numbers, purity, "--", color=CODE_COLOR, linewidth=1)


def _scale_rounds(axes: "Axes", last: float) -> None:
    """A logarithmic axis with a place for round 0: on a linear one a hundred rounds leave ten no room."""
    axes.set_xscale("symlog", linthresh=2, linscale=0.6)
    axes.set_xlim(0, last)
    every = range(int(last) + 1) if last < 8 else (0, 1, 2, 5, 10, 20, 50, 100, 200)
    ticks = [tick for tick in every if tick <= last]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)


def _last_round(rows: "pd.DataFrame", runs: list[Measured]) -> float:
    """The right end of an axis that shows all rounds, and more than a point where there is one round only."""
    last = max([rows["round"].max(), *(int(row["round"]) for rounds in runs for row in rounds)])
    return 1.02 * max(float(last), 1.0)
