"""The competition round by round: objective, agreement with the labels, churn and cell sizes."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from competitive_mixtures.data import Dataset
    from competitive_mixtures.report.results import Run

Curves = np.ndarray  # (seeds, rounds), NaN where a run lacks the value


def plot_rounds(runs: "list[Run]", data: "Dataset", out: Path) -> None:
    """Draw four curves by round, every seed thin and their mean thick.

    Args:
        runs: the seeds of one experiment.
        data: its data set; only its name is used.
        out: an `.svg` file.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    style.use_style()
    rounds = np.array(sorted({number for run in runs for number in run.rounds}))
    figure, panels = plt.subplots(1, 4, figsize=(style.TEXT_WIDTH, 1.65))
    _draw_objective(panels[0], rounds, runs)
    _draw_agreement(panels[1], rounds, runs)
    draw_curves(panels[2], rounds, collect(runs, rounds, "share_changed"), style.COMPONENT_COLORS[0], "")
    panels[2].set(title="share of points that moved", ylim=(-0.02, 1.02))
    _draw_sizes(panels[3], rounds, runs)
    for axes in panels:
        axes.set_xlabel("round")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    style.save(figure, out)


def collect(runs: "list[Run]", rounds: np.ndarray, metric: str) -> Curves:
    """One metric of all runs by round, NaN where a run lacks it.

    Returns:
        (runs, rounds) float64.
    """
    curves = np.full((len(runs), len(rounds)), np.nan)
    for row, run in enumerate(runs):
        for number in run.rounds:
            value = _metrics_with_sizes(run, number).get(metric)
            curves[row, np.searchsorted(rounds, number)] = np.nan if value is None else value
    return curves


def _metrics_with_sizes(run: "Run", number: int) -> dict:
    metrics = run.round_metrics(number)
    counts = np.array(metrics["counts"]) * len(metrics["counts"]) / max(sum(metrics["counts"]), 1)
    return metrics | {"smallest": counts.min(), "largest": counts.max()}


def _draw_objective(axes: "Axes", rounds: np.ndarray, runs: "list[Run]") -> None:
    draw_curves(axes, rounds, collect(runs, rounds, "objective"), style.COMPONENT_COLORS[0], "training")
    draw_curves(axes, rounds, collect(runs, rounds, "objective_test"), style.COMPONENT_COLORS[6], "test", "--")
    axes.set_title("objective (nats)")
    axes.legend(handlelength=1.6)


def _draw_agreement(axes: "Axes", rounds: np.ndarray, runs: "list[Run]") -> None:
    purity = collect(runs, rounds, "purity")
    if np.isnan(purity).all():
        axes.set(title="purity, NMI", yticks=[])
        axes.text(0.5, 0.5, "no labels", ha="center", va="center", transform=axes.transAxes)
        return
    draw_curves(axes, rounds, purity, style.COMPONENT_COLORS[0], "purity")
    draw_curves(axes, rounds, collect(runs, rounds, "nmi"), style.COMPONENT_COLORS[6], "NMI", "--")
    axes.set(title="agreement with the labels", ylim=(-0.02, 1.04))
    axes.legend(handlelength=1.6)


def _draw_sizes(axes: "Axes", rounds: np.ndarray, runs: "list[Run]") -> None:
    draw_curves(axes, rounds, collect(runs, rounds, "largest"), style.COMPONENT_COLORS[6], "largest", "--")
    draw_curves(axes, rounds, collect(runs, rounds, "smallest"), style.COMPONENT_COLORS[0], "smallest")
    axes.axhline(1, color=style.GREY, linewidth=0.6, zorder=0)
    axes.set_title("cell size, equal = 1")
    axes.set_ylim(-0.05, 1.75 * axes.get_ylim()[1])  # the legend stands above the curves, which fill the rest
    axes.legend(handlelength=1.6, loc="upper right")


def draw_curves(axes: "Axes", rounds: np.ndarray, curves: Curves, color: str, label: str, line: str = "-") -> None:
    """Thin lines for the seeds, a thick one for their mean."""
    for curve in curves:
        axes.plot(rounds, curve, line, color=color, linewidth=0.6, alpha=0.45)
    known = ~np.isnan(curves).all(axis=0)
    mean = np.nanmean(curves[:, known], axis=0)
    axes.plot(rounds[known], mean, line, color=color, label=label, marker="o" if known.sum() == 1 else None)
