"""The demo's page: `paper/demo.typ` reads the tables and the figure of one run."""

from pathlib import Path

from competitive_mixtures.files.folders import DemoFolder, Project
from competitive_mixtures.report.compile import compile_pdf
from competitive_mixtures.settings.resolved import read_experiment


def compile_demo(root: Path, experiment: str, rounds: int, out: Path) -> None:
    """Compile the page.

    Args:
        root: the project's root, with the experiment's run and tables.
        experiment: its name; seed 0 is shown.
        rounds: its last round, T.
        out: the folder to write to, below the root; the figure lies there.

    Raises:
        UserError: the settings have mistakes, or the source does not compile.
    """
    project, demo = Project(root), DemoFolder(out)
    settings, tables = project.results.settings(experiment), project.results.summary_of(experiment)
    files = {
        "settings": settings,
        "data": project.data.processed(read_experiment(settings).dataset).meta,
        "scores": tables.scores,
        "rounds": tables.rounds,
        "timing": tables.timing,
        "figure": demo.figure,
        "assignments": project.results.run(experiment, 0).round(rounds).assignments,
    }
    inputs = {name: f"/{path.relative_to(root).as_posix()}" for name, path in files.items()}
    compile_pdf(project.paper.demo, root, demo.pdf, inputs)
