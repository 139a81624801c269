"""Who won each point at the end, by each method: one row a data set of vectors, one column a method."""

from pathlib import Path

from competitive_mixtures.data import load_dataset
from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.partition import draw_cells, round_title
from competitive_mixtures.report.figures.plane import fit_plane
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.names import METHODS
from competitive_mixtures.report.results import find_runs


def plot_partitions(tables: ResultTables, out: Path) -> None:
    """Draw the first seed's partition after the last round; a method without any run has no column.

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
            run = find_runs(project.results, planned.name, None, planned.rounds)[0]
            train = load_dataset(project.data.processed(planned.dataset).path).train
            count = planned.num_components
            draw_cells(axes, fit_plane(train), train, run.assignments(run.rounds[-1]).component, count)
            name = f"{METHODS[method]}\n" if place == 0 else ""
            axes.set_title(name + round_title(run, run.rounds[-1]), fontsize=8)
    style.save(figure, out)
