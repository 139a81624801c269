"""Write all tables of the paper: files that its source reads."""

from pathlib import Path

from competitive_mixtures.files.formats import write_json
from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.environment import describe_machine
from competitive_mixtures.report.names import collect_names
from competitive_mixtures.report.plan import Planned, read_plan
from competitive_mixtures.report.scores import CELL_COLUMNS, Scores
from competitive_mixtures.report.tables.ablations import ABLATION_COLUMNS, ablation_rows
from competitive_mixtures.report.tables.agreement import AGREEMENT_COLUMNS, agreement_rows
from competitive_mixtures.report.tables.authors_settings import AUTHORS_SETTINGS_COLUMNS, authors_settings_rows
from competitive_mixtures.report.tables.facts import collect_facts
from competitive_mixtures.report.tables.gains import GAIN_COLUMNS, gain_rows
from competitive_mixtures.report.tables.likelihood import (
    AUTHORS_COLUMNS,
    LIKELIHOOD_COLUMNS,
    authors_rows,
    likelihood_rows,
)
from competitive_mixtures.report.tables.models import (
    clustering_cells,
    compute_cells,
    density_cells,
    image_cells,
    precision_recall_cells,
)
from competitive_mixtures.report.tables.rivals import RIVAL_COLUMNS, rival_rows, tuning_cells
from competitive_mixtures.report.tables.settings import (
    DEVIATION_COLUMNS,
    PLAN_COLUMNS,
    SETTING_COLUMNS,
    deviation_rows,
    plan_rows,
    setting_rows,
)

TABLES = (
    "density.csv", "images.csv", "clustering.csv", "precision_recall.csv", "compute.csv", "likelihood.csv",
    "authors_code.csv", "authors_settings.csv", "ablations.csv", "rivals.csv", "tuning.csv", "agreement.csv",
    "experiments.csv", "settings.csv", "deviations.csv", "gains.csv", "facts.json", "names.json", "machine.json",
)  # fmt: skip


def write_tables(root: Path, out: Path, *, plan: list[Planned] | None = None) -> None:
    """Write every table of the paper.

    Args:
        root: the project's root, with `plan.json`, `summary.csv` and `rounds.csv` in `results/`, and in `paper/` the
            files `reported.csv`, `authors_code.csv`, `partitions.csv` and `deviations.yaml`.
        out: the folder to write to.
        plan: the experiments; `None` reads them from `results/plan.json`.

    Raises:
        UserError: a file is missing or malformed.
    """
    plan = read_plan(root) if plan is None else plan
    scores = Scores(root, plan)
    for name, cells in {
        "density": density_cells,
        "images": image_cells,
        "clustering": clustering_cells,
        "precision_recall": precision_recall_cells,
        "compute": compute_cells,
        "tuning": tuning_cells,
    }.items():
        write_rows(out / f"{name}.csv", CELL_COLUMNS, cells(scores, plan))
    write_json(out / "names.json", collect_names())
    write_json(out / "machine.json", describe_machine(root))
    write_rows(out / "likelihood.csv", LIKELIHOOD_COLUMNS, likelihood_rows(root, scores, plan))
    write_rows(out / "authors_code.csv", AUTHORS_COLUMNS, authors_rows(root))
    write_rows(out / "authors_settings.csv", AUTHORS_SETTINGS_COLUMNS, authors_settings_rows(root, scores, plan))
    gains, ablations = gain_rows(scores, plan), ablation_rows(scores, plan)
    write_rows(out / "gains.csv", GAIN_COLUMNS, gains)
    write_rows(out / "ablations.csv", ABLATION_COLUMNS, ablations)
    write_json(out / "facts.json", collect_facts(root, scores, plan, gains, ablations))
    write_rows(out / "rivals.csv", RIVAL_COLUMNS, rival_rows(scores, plan))
    write_rows(out / "agreement.csv", AGREEMENT_COLUMNS, agreement_rows(root))
    write_rows(out / "experiments.csv", PLAN_COLUMNS, plan_rows(scores, plan))
    write_rows(out / "settings.csv", SETTING_COLUMNS, setting_rows(plan))
    write_rows(out / "deviations.csv", DEVIATION_COLUMNS, deviation_rows(root, plan))
