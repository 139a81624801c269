"""Where the seconds of a run go."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.figures.texts import plain_text

if TYPE_CHECKING:
    import pandas as pd

GROUPS = {  # phases of results/timing.csv; those not named here are reading and writing
    "pretrain": "pretraining",
    "train": "training on the cells",
    "discriminate": "discriminators",
    "score": "scoring",
    "assign": "assigning",
    "other": "reading and writing",
    "baselines": "baselines",
}
HATCHES = ("", "///", "", "\\\\\\", "", "xxx", "")


def plot_timing(tables: ResultTables, out: Path) -> None:
    """Draw one bar an experiment: its seconds by phase, mean over seeds.

    Args:
        tables: the timings of all runs.
        out: an `.svg` file.
    """
    seconds = group_seconds(tables.timing)
    figure = style.make_figure(style.TEXT_WIDTH, 0.75 + 0.28 * len(seconds))
    axes = figure.subplots()
    left = np.zeros(len(seconds))
    colors = (*style.COMPONENT_COLORS[:6], "#d4d4d4")
    for group, color, hatch in zip(GROUPS, colors, HATCHES, strict=True):
        width = seconds[group].to_numpy()
        axes.barh(range(len(seconds)), width, 0.62, left, color=color, hatch=hatch, edgecolor="white", linewidth=0.4,
                  label=GROUPS[group])  # fmt: skip
        left += width
    for place, total in enumerate(left):
        axes.text(total, place, f" {total:.0f} s", va="center", fontsize=8)
    axes.set_yticks(range(len(seconds)), [plain_text(name) for name in seconds.index])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08 * max(left.max(), 1e-9))
    axes.set_xlabel("seconds a seed, mean over seeds")
    figure.legend(loc="outside upper center", ncols=4, handlelength=1.2, columnspacing=1.2)
    style.save(figure, out)


def group_seconds(timing: "pd.DataFrame") -> "pd.DataFrame":
    """Mean seconds of a seed: one row an experiment, in their order, one column a group of phases."""
    groups = timing["phase"].map(_group)
    seeds = timing.groupby("experiment", sort=False)["seed"].nunique()
    sums = timing.groupby(["experiment", groups], sort=False)["seconds"].sum().unstack(fill_value=0.0)
    return sums.reindex(index=seeds.index, columns=list(GROUPS), fill_value=0.0).div(seeds, axis=0)


def _group(phase: str) -> str:
    if "." in phase:
        return "baselines"
    return phase if phase in GROUPS else "other"
