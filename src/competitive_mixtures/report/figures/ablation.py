"""An ablation beside the experiment that it varies: the score of every seed, and both courses by round."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.files.tables import to_number
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.rounds import collect, draw_curves
from competitive_mixtures.report.figures.scores import MAIN_METRICS
from competitive_mixtures.report.names import AXES, METRICS
from competitive_mixtures.report.results import FinishedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS = ((style.COMPONENT_COLORS[0], "-"), (style.COMPONENT_COLORS[6], "--"))  # base, ablation


def plot_ablation(runs: list[FinishedRun], base: list[FinishedRun], out: Path) -> None:
    """Draw the scores paired by seed, then objective, agreement with the labels and smallest cell by round.

    Args:
        runs: the seeds of the ablation.
        base: the seeds of the experiment that it varies.
        out: an `.svg` file.
    """
    from matplotlib.ticker import MaxNLocator

    sides = ((base, "unchanged"), (runs, "ablation"))
    figure = style.make_figure(style.TEXT_WIDTH, 1.75)
    panels = figure.subplots(1, 4)
    _draw_scores(panels[0], base, runs)
    for axes, (metric, title) in zip(panels[1:], _curves(runs[0]).items(), strict=True):
        for (side, label), (color, line) in zip(sides, LOOKS, strict=True):
            rounds = np.array(sorted({number for run in side for number in run.rounds}))
            draw_curves(axes, rounds, collect(side, rounds, metric), color, label, line)
        axes.set(title=title, xlabel="round")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    style.save(figure, out)


def _curves(run: FinishedRun) -> dict[str, str]:
    """The metrics drawn by round, with their titles: churn where there are no labels to agree with."""
    labelled = "nmi" in run.round_metrics(run.rounds[0])
    second = (
        {"nmi": f"{METRICS['nmi']} with the labels"} if labelled else {"share_changed": "share of points that moved"}
    )
    return {"objective": AXES["objective"]} | second | {"smallest": "smallest cell, equal = 1"}


def _draw_scores(axes: "Axes", base: list[FinishedRun], ablated: list[FinishedRun]) -> None:
    """Draw the main score of every seed on both sides; a line joins the runs of one seed."""
    metric = next((name for name in MAIN_METRICS if not np.isnan(_score(ablated[0], name))), None)
    if metric is None:
        axes.text(0.5, 0.5, "no score", ha="center", va="center", transform=axes.transAxes)
        return
    others = {run.seed: _score(run, metric) for run in ablated}
    pairs = np.array([(_score(run, metric), others[run.seed]) for run in base if run.seed in others]).reshape(-1, 2)
    axes.plot([0, 1], pairs.T, color=style.GREY, linewidth=0.6)
    for place, (color, _) in enumerate(LOOKS):
        axes.plot([place] * len(pairs), pairs[:, place], "o", color=color, markersize=3)
        axes.plot(place, pairs[:, place].mean(), "_", color=color, markersize=18, markeredgewidth=1.6)
    axes.set(xlim=(-0.5, 1.5), title=METRICS[metric])
    axes.set_xticks([0, 1], ["unchanged", "ablation"])


def _score(run: FinishedRun, metric: str) -> float:
    """A score of the competitive mixture on test points; NaN where the run has none."""
    wanted = {"model": "competitive", "metric": metric, "split": "test"}
    return next((to_number(row["value"]) for row in run.scores() if wanted.items() <= row.items()), np.nan)
