"""Draw one figure by its name, or all figures of the report.

Matplotlib is imported only when a figure is drawn.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from competitive_mixtures.data import load_dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.figures.catalogue import list_figures, name_file, split_name
from competitive_mixtures.report.figures.partition import plot_partition
from competitive_mixtures.report.figures.result_tables import read_result_tables
from competitive_mixtures.report.figures.style import house_style
from competitive_mixtures.report.plan import Planned, read_plan
from competitive_mixtures.report.results import find_runs
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.settings.resolved import read_experiment


def plot_all(root: Path, out: Path, *, plan: list[Planned] | None = None) -> list[Path]:
    """Draw every figure of the report: of all experiments with results, and one animation.

    Args:
        root: the project's root, with `results/` and `data/processed/`.
        out: the folder to write to.
        plan: the experiments; `None` reads them from `results/plan.json`.

    Returns:
        The files written.

    Raises:
        UserError: a result is missing or damaged.
    """
    plan = read_plan(root) if plan is None else plan
    scores = Scores(root, plan)
    done = [planned for planned in plan if scores.seeds(planned.name)]
    shown = [planned for planned in done if planned.suite != "ablations"]
    labelled = [planned.name for planned in shown if _has_labels(root, planned.dataset)]
    files = list_figures(labelled, [planned.name for planned in shown if planned.name not in labelled])
    files += _choose_animation(shown)
    for file in files:
        plot_figure(file.rpartition(".")[0], out / file, root=root, plan=plan, scores=scores)
    return [out / file for file in files]


def plot_figure(figure: str, out: Path, *, root: Path, plan: list[Planned], scores: Scores) -> None:
    """Draw one figure.

    Args:
        figure: its name, `<plot>-<experiment>` or `<plot>`.
        out: the file to write, with the plot's suffix.
        root: the project's root, with `results/` and `data/processed/`.
        plan: the experiments; a figure of all shows those that have scores, in this order.
        scores: the scores of all runs; a figure of one experiment shows the seeds that have some.

    Raises:
        UserError: no such figure, no results, or data that the figure does not suit.
    """
    plot, experiment = split_name(figure)
    draw: Callable = getattr(import_module(f"competitive_mixtures.report.figures.{plot}"), f"plot_{plot}")
    if experiment is None:
        with house_style():
            draw(read_result_tables(root, [planned for planned in plan if scores.seeds(planned.name)]), out)
        return
    planned = next((planned for planned in plan if planned.name == experiment), None)
    if planned is None:
        raise UserError(f"figure: found {figure!r}, but params.yaml has no experiment {experiment!r}")
    runs = find_runs(Project(root).results, experiment, sorted(scores.seeds(experiment)), planned.rounds)
    data = load_dataset(Project(root).data.processed(planned.dataset).path)
    with house_style():
        draw(runs, data, out)


def plot_demo(root: Path, experiment: str, rounds: int, out: Path) -> None:
    """Draw who won each point in the demo.

    Args:
        root: the project's root, with the experiment's run and its data.
        experiment: its name; seed 0 is shown.
        rounds: its last round, T; later ones are left over from a longer run.
        out: the file to write.

    Raises:
        UserError: a result is missing or damaged.
    """
    project = Project(root)
    data = load_dataset(project.data.processed(read_experiment(project.results.settings(experiment)).dataset).path)
    with house_style():
        plot_partition(find_runs(project.results, experiment, [0], rounds), data, out)


def _choose_animation(shown: Sequence[Planned]) -> list[str]:
    """The animation of the vector data with the most components; none where there is no vector data."""
    vectors = [planned for planned in shown if planned.kind == "vector"]
    best = max(vectors, key=lambda planned: planned.num_components, default=None)
    return [name_file("animation", best.name)] if best else []


def _has_labels(root: Path, dataset: str) -> bool:
    return Project(root).data.processed(dataset).train_labels.is_file()
