"""Which figures there are, and their names.

A figure's name is the stem of its file in `paper/figures/`: `<plot>-<experiment>` for a figure of one experiment,
`<plot>` alone for one of all experiments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from competitive_mixtures.errors import UserError


@dataclass(frozen=True)
class Plot:
    """A kind of figure; the module of its name draws it.

    Attributes:
        suffix: `.svg` for lines and bars, `.png` for points and pictures, `.gif` for an animation.
        subject: what one figure shows: an `experiment`, or `all` of them.
        needs_labels: whether it is drawn only for data with labels.
        once: whether the report has it for one experiment only.
    """

    suffix: str
    subject: Literal["experiment", "all"]
    needs_labels: bool = False
    once: bool = False


PLOTS = {
    "partition": Plot(".png", "experiment"),
    "mixture": Plot(".png", "experiment"),
    "labels": Plot(".svg", "experiment", needs_labels=True),
    "animation": Plot(".gif", "experiment", once=True),
    "claims": Plot(".svg", "all"),
    "partitions": Plot(".png", "all"),
    "agreement": Plot(".svg", "all"),
    "rounds": Plot(".svg", "all"),
    "authors": Plot(".svg", "all"),
    "ablations": Plot(".svg", "all"),
    "scores": Plot(".svg", "all"),
    "compute": Plot(".svg", "all"),
    "timing": Plot(".svg", "all"),
}


TABLES_ONLY = tuple(name for name, kind in PLOTS.items() if kind.subject == "all" and kind.suffix == ".svg")
"""Plots that are drawn from tables alone, without the files of the runs."""


def split_name(figure: str) -> tuple[str, str | None]:
    """`partition-synthetic-3` -> (`partition`, `synthetic-3`); `scores` -> (`scores`, None).

    Raises:
        UserError: no such figure.
    """
    plot, _, experiment = figure.partition("-")
    if plot not in PLOTS or (PLOTS[plot].subject == "all") == bool(experiment):
        forms = [name if kind.subject == "all" else f"{name}-<experiment>" for name, kind in PLOTS.items()]
        raise UserError(f"figure: found {figure!r}, expected one of {', '.join(forms)}")
    return plot, experiment or None


def name_file(plot: str, experiment: str | None = None) -> str:
    """The file of a figure, say `labels-mnist.svg`."""
    return (f"{plot}-{experiment}" if experiment else plot) + PLOTS[plot].suffix


def list_figures(labelled: Sequence[str], unlabelled: Sequence[str] = ()) -> list[str]:
    """The files of all figures but the animation.

    Args:
        labelled: the experiments whose data has labels.
        unlabelled: the experiments whose data has none.
    """
    files = [name_file(plot) for plot, kind in PLOTS.items() if kind.subject == "all"]
    for plot, kind in PLOTS.items():
        if kind.subject == "experiment" and not kind.once:
            experiments = [*labelled, *(() if kind.needs_labels else unlabelled)]
            files += [name_file(plot, experiment) for experiment in experiments]
    return files
