"""Who won each point at the end, by each method: one row a data set of vectors, one column a method."""

from collections.abc import Sequence
from pathlib import Path

from competitive_mixtures.data import load_dataset
from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.partition import draw_cells, round_title
from competitive_mixtures.report.figures.plane import fit_plane
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.names import METHODS
from competitive_mixtures.report.results import FinishedRun, find_runs


def plot_partitions(tables: ResultTables, out: Path) -> None:
    """Draw one seed's partition, see `choose_run`; a method without any run has no column.

    Args:
        tables: which experiments have results.
        out: a `.png` file.
    """
    groups = {
        group: variants
        for group, variants in tables.variants.items()
        if all(planned.kind == "vector" and planned.components == ("vae",) for planned in variants.values())
    }
    methods = [method for method in METHODS if any(method in variants for variants in groups.values())]
    figure, panels = style.panel_grid(len(groups) * len(methods), columns=max(len(methods), 1), height=1.9)
    project = Project(tables.root)
    for place, (group, variants) in enumerate(groups.items()):
        for axes, method in zip(panels[place * len(methods) :], methods, strict=False):
            style.strip_axes(axes)
            if method == methods[0]:
                axes.set_ylabel(group)
            if method not in variants:
                axes.text(0.5, 0.5, "not run", ha="center", va="center", transform=axes.transAxes)
                axes.set_title(METHODS[method] if place == 0 else "", fontsize=8)
                continue
            planned = variants[method]
            run = choose_run(find_runs(project.results, planned.name, None, planned.rounds), planned.rounds)
            train = load_dataset(project.data.processed(planned.dataset).path).train
            count = planned.num_components
            draw_cells(axes, fit_plane(train), train, run.assignments(run.rounds[-1]).component, count)
            name = f"{METHODS[method]}\n" if place == 0 else ""
            axes.set_title(f"{name}{_run_title(run, planned.rounds)}", fontsize=8)
    style.save(figure, out)


def choose_run(runs: Sequence[FinishedRun], rounds: int) -> FinishedRun:
    """The lowest seed that has come to its last round; where none has, the one that has come furthest.

    Args:
        runs: the runs of one experiment, ordered by seed.
        rounds: the number of its last round.
    """
    return max(runs, key=lambda run: min(run.rounds[-1], rounds))  # the first of equals


def _run_title(run: FinishedRun, rounds: int) -> str:
    """`seed 0, round 14, purity 1.00`, or `seed 0, round 3 of 15, purity 0.62` of a run that is not finished."""
    last = run.rounds[-1]
    title = round_title(run, last)
    return f"seed {run.seed}, " + (
        title if last == rounds else title.replace(f"round {last}", f"round {last} of {rounds}")
    )
