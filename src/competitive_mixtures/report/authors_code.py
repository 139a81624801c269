"""What the authors' public code gave when we ran it: `paper/authors_code.csv`, one row a round."""

from pathlib import Path

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.tables import read_rows

MEASURED_COLUMNS = (
    "experiment", "run", "round", "vae_epochs", "counts", "purity", "log_likelihood_train", "log_likelihood_test",
    "coverage_train", "coverage_test", "cpu_components_s", "cpu_discriminators_s", "cpu_round_s",
)  # fmt: skip
Measured = list[dict[str, str]]


def read_authors_code(root: Path) -> Measured:
    """All rows, those of its single VAEs included.

    Raises:
        UserError: the file is missing, cut short or has other columns.
    """
    return read_rows(Project(root).paper.authors_code, MEASURED_COLUMNS)


def list_competitions(rows: Measured, group: str) -> list[Measured]:
    """The runs in which VAEs competed for the data of a group, say `synthetic-3`: their rounds, in order."""
    runs: dict[str, Measured] = {}
    for row in rows:
        if row["experiment"] == group and row["purity"]:  # one VAE has no partition
            runs.setdefault(row["run"], []).append(row)
    return list(runs.values())
