"""The report of a run whose tables were kept: verdicts, ablations, figures and PDF, without the files of its runs."""

import shutil
import tempfile
from pathlib import Path

from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.claims.verdicts import assess_claims
from competitive_mixtures.report.compile import compile_paper
from competitive_mixtures.report.documents import fill_documents
from competitive_mixtures.report.figures.catalogue import TABLES_ONLY, name_file
from competitive_mixtures.report.figures.draw import plot_figure
from competitive_mixtures.report.plan import read_plan
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.tables.write import write_tables
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import write_resolved

KEPT = ("summary.csv", "rounds.csv", "timing.csv", "kept_runs.csv", "machine.json")
TABLES = ("ablations.csv", "authors_settings.csv", "gains.csv", "facts.json")
MADE = ("claims.csv", "claim_parts.csv", *TABLES, "paper.pdf")


def rebuild_report(root: Path, kept: Path, out: Path, *, documents: bool = False) -> None:
    """Make what follows from a folder of kept tables.

    Args:
        root: the project's root, with `params.yaml` and `paper/`.
        kept: the folder of `KEPT` and of `figures/`, of which those that need the files of the runs (points, pictures)
            stay as they are.
        out: the folder to write `MADE` and `figures/` to; may be `kept`. The same files give the same bytes.
        documents: whether the blocks of numbers in README and docs are filled from `out` as well.

    Raises:
        UserError: a file is missing or malformed.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        shutil.copytree(root / "paper", project.paper.path, ignore=shutil.ignore_patterns("verdict", "tables", "*.pdf"))
        shutil.copytree(kept / "figures", project.paper.figures, dirs_exist_ok=True)
        write_resolved(read_params(root / "params.yaml"), project.root)
        for name in KEPT[:-1]:
            if (kept / name).is_file():
                shutil.copyfile(kept / name, project.results.path / name)
        _make(project)
        shutil.copyfile(kept / KEPT[-1], project.paper.tables / KEPT[-1])  # the machine of the runs, not this one
        compile_paper(project.root)
        (out / "figures").mkdir(parents=True, exist_ok=True)
        tables = [project.paper.tables / name for name in TABLES]
        for path in (project.results.claims, project.results.claim_parts, *tables, project.paper.pdf):
            shutil.copyfile(path, out / path.name)
        for plot in TABLES_ONLY:
            shutil.copyfile(project.paper.figures / name_file(plot), out / "figures" / name_file(plot))
        if documents:
            fill_documents(root, out, read_plan(project.root))


def _make(project: Project) -> None:
    """Assess the claims, write the tables and draw what needs only tables."""
    assess_claims(project.paper.claims, project.results.path, project.results.claims)
    plan = read_plan(project.root)
    write_tables(project.root, project.paper.tables, plan=plan)
    scores = Scores(project.root, plan)
    for plot in TABLES_ONLY:
        plot_figure(plot, project.paper.figures / name_file(plot), root=project.root, plan=plan, scores=scores)
