"""The competition round by round: objective, agreement with the labels, churn and cell sizes."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.names import AXES, METRICS
from competitive_mixtures.report.results import FinishedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curves = np.ndarray  # (seeds, rounds) float64, NaN where a run lacks the value


def plot_rounds(runs: list[FinishedRun], data: Dataset, out: Path) -> None:
    """Draw four panels of curves by round: every seed thin, their mean thick.

    Args:
        runs: the seeds of one experiment.
        data: its data set; not used.
        out: an `.svg` file.
    """
    from matplotlib.ticker import MaxNLocator

    rounds = np.array(sorted({number for run in runs for number in run.rounds}))
    figure = style.make_figure(style.TEXT_WIDTH, 1.65)
    panels = figure.subplots(1, 4)
    _draw_objective(panels[0], rounds, runs)
    _draw_agreement(panels[1], rounds, runs)
    draw_curves(panels[2], rounds, collect(runs, rounds, "share_changed"), style.COMPONENT_COLORS[0], "")
    panels[2].set(title="share of points that moved", ylim=(-0.02, 1.02))
    _draw_sizes(panels[3], rounds, runs)
    for axes in panels:
        axes.set_xlabel("round")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    style.save(figure, out)


def collect(runs: list[FinishedRun], rounds: np.ndarray, metric: str) -> Curves:
    """One metric of all runs by round.

    Args:
        runs: the seeds of one experiment.
        rounds: numbers of the rounds, ascending; every round of every run is among them.
        metric: a key of a round's `metrics.json`, or `smallest` or `largest`, a cell's size in units of N/k.
    """
    curves = np.full((len(runs), len(rounds)), np.nan)
    for row, run in enumerate(runs):
        for number in run.rounds:
            value = _metrics_with_sizes(run, number).get(metric)
            curves[row, np.searchsorted(rounds, number)] = np.nan if value is None else value
    return curves


def _metrics_with_sizes(run: FinishedRun, number: int) -> dict:
    metrics = run.round_metrics(number)
    counts = np.array(metrics["counts"]) * len(metrics["counts"]) / max(sum(metrics["counts"]), 1)
    return metrics | {"smallest": counts.min(), "largest": counts.max()}


def _draw_objective(axes: "Axes", rounds: np.ndarray, runs: list[FinishedRun]) -> None:
    draw_curves(axes, rounds, collect(runs, rounds, "objective"), style.COMPONENT_COLORS[0], "training")
    draw_curves(axes, rounds, collect(runs, rounds, "objective_test"), style.COMPONENT_COLORS[6], "test", "--")
    axes.set_title(AXES["objective"])
    axes.legend(handlelength=1.6)


def _draw_agreement(axes: "Axes", rounds: np.ndarray, runs: list[FinishedRun]) -> None:
    purity = collect(runs, rounds, "purity")
    if np.isnan(purity).all():
        axes.set(title=f"{METRICS['purity']}, {METRICS['nmi']}", yticks=[])
        axes.text(0.5, 0.5, "no labels", ha="center", va="center", transform=axes.transAxes)
        return
    draw_curves(axes, rounds, purity, style.COMPONENT_COLORS[0], METRICS["purity"])
    draw_curves(axes, rounds, collect(runs, rounds, "nmi"), style.COMPONENT_COLORS[6], METRICS["nmi"], "--")
    axes.set(title="agreement with the labels", ylim=(-0.02, 1.04))
    axes.legend(handlelength=1.6)


def _draw_sizes(axes: "Axes", rounds: np.ndarray, runs: list[FinishedRun]) -> None:
    draw_curves(axes, rounds, collect(runs, rounds, "largest"), style.COMPONENT_COLORS[6], "largest", "--")
    draw_curves(axes, rounds, collect(runs, rounds, "smallest"), style.COMPONENT_COLORS[0], "smallest")
    axes.axhline(1, color=style.GREY, linewidth=0.6, zorder=0)
    axes.set_title("cell size, equal = 1")
    axes.set_ylim(-0.05, 1.75 * axes.get_ylim()[1])  # leaves room for the legend above the curves
    axes.legend(handlelength=1.6, loc="upper right")


def draw_curves(axes: "Axes", rounds: np.ndarray, curves: Curves, color: str, label: str, line: str = "-") -> None:
    """Draw a thin line for every seed and a thick one for their mean.

    Args:
        axes: the panel.
        rounds: (rounds,) numbers of the rounds.
        curves: (seeds, rounds), NaN where a run lacks the value.
        color: of all lines.
        label: of the mean, in the legend.
        line: Matplotlib's line style.
    """
    for curve in curves:
        axes.plot(rounds, curve, line, color=color, linewidth=0.6, alpha=0.45)
    known = ~np.isnan(curves).all(axis=0)
    mean = np.nanmean(curves[:, known], axis=0)
    axes.plot(rounds[known], mean, line, color=color, label=label, marker="o" if known.sum() == 1 else None)
