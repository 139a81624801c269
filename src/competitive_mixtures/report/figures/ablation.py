"""An ablation beside the experiment that it stands on: the score of every seed, and both courses by round."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.rounds import collect, draw_curves
from competitive_mixtures.report.figures.scores import MAIN_METRICS
from competitive_mixtures.report.results import find_runs
from competitive_mixtures.report.summary import to_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from competitive_mixtures.data import Dataset
    from competitive_mixtures.report.results import Run

LOOKS = ((style.COMPONENT_COLORS[0], "-"), (style.COMPONENT_COLORS[6], "--"))  # base, ablation
SHORT_TITLES = {"log_likelihood": "log-likelihood", "frechet_classifier": "Fréchet distance"}


def plot_ablation(runs: "list[Run]", data: "Dataset", out: Path) -> None:
    """Draw the scores paired by seed, then objective, agreement with the labels and smallest cell by round.

    Args:
        runs: the seeds of the ablation; those of its base are found beside them.
        data: its data set; not used.
        out: an `.svg` file.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    style.use_style()
    results = runs[0].folder.parents[1]
    base = find_runs(results, find_base(runs[0].experiment, results), [run.seed for run in runs], runs[0].last_round)
    sides = ((base, "unchanged"), (runs, "ablation"))
    figure, panels = plt.subplots(1, 4, figsize=(style.TEXT_WIDTH, 1.75))
    _draw_scores(panels[0], base, runs)
    for axes, (metric, title) in zip(panels[1:], _curves(runs[0]).items(), strict=True):
        for (side, label), (color, line) in zip(sides, LOOKS, strict=True):
            rounds = np.array(sorted({number for run in side for number in run.rounds}))
            draw_curves(axes, rounds, collect(side, rounds, metric), color, label, line)
        axes.set(title=title, xlabel="round")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    style.save(figure, out)


def find_base(ablation: str, results: Path) -> str:
    """The experiment in the results folder whose name the ablation's starts with; the longest of several."""
    names = [path.parent.name for path in results.glob("*/config.json")]
    return max((name for name in names if ablation.startswith(f"{name}-")), key=len, default=ablation)


def _curves(run: "Run") -> dict[str, str]:
    """What is drawn by round; churn where there are no labels to agree with."""
    labelled = "nmi" in run.round_metrics(run.rounds[0])
    second = {"nmi": "NMI with the labels"} if labelled else {"share_changed": "share of points that moved"}
    return {"objective": "objective (nats)"} | second | {"smallest": "smallest cell, equal = 1"}


def _draw_scores(axes: "Axes", base: "list[Run]", ablated: "list[Run]") -> None:
    """The main score of every seed on both sides; a line joins the same seed."""
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
    axes.set(xlim=(-0.5, 1.5), title=SHORT_TITLES[metric])
    axes.set_xticks([0, 1], ["unchanged", "ablation"])


def _score(run: "Run", metric: str) -> float:
    """The competition's score on test points; NaN where it has none."""
    wanted = {"model": "competitive", "metric": metric, "split": "test"}
    return next((to_number(row["value"]) for row in run.scores() if wanted.items() <= row.items()), np.nan)
