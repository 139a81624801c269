"""What the demo shows of its run: who won each point, and one page that reads the run's tables."""

from pathlib import Path

from competitive_mixtures.data import load_dataset
from competitive_mixtures.files.folders import DemoFolder, Project
from competitive_mixtures.report.compile import compile_pdf
from competitive_mixtures.report.figures.partition import plot_partition
from competitive_mixtures.report.results import find_runs
from competitive_mixtures.settings.resolved import read_experiment


def write_demo(root: Path, experiment: str, rounds: int, out: Path) -> None:
    """Draw the figure and compile `paper/demo.typ`.

    Args:
        root: the project's root, with the experiment's run and tables.
        experiment: its name; seed 0 is shown.
        rounds: its last round, T; later ones are left over from a longer run.
        out: the folder to write to, below the root.

    Raises:
        UserError: a result is missing or damaged, or the source does not compile.
    """
    project, demo = Project(root), DemoFolder(out)
    dataset = project.data.processed(read_experiment(project.results.settings(experiment)).dataset)
    runs = find_runs(project.results, experiment, [0], rounds)
    plot_partition(runs, load_dataset(dataset.path), demo.figure)
    tables = project.results.summary_of(experiment)
    files = {
        "settings": project.results.settings(experiment),
        "data": dataset.meta,
        "scores": tables.scores,
        "rounds": tables.rounds,
        "timing": tables.timing,
        "figure": demo.figure,
        "assignments": runs[0].files.round(rounds).assignments,
    }
    inputs = {name: f"/{path.relative_to(root).as_posix()}" for name, path in files.items()}
    compile_pdf(project.paper.demo, root, demo.pdf, inputs)
