"""What is kept of runs whose files are gone: which of them were added to the kept tables, and where they were made."""

from competitive_mixtures.files.folders import Results
from competitive_mixtures.files.tables import read_rows

KEPT_RUN_COLUMNS = ("experiment", "seed", "rounds", "rounds_asked", "finished", "commit", "processor", "cores")


def read_kept_runs(results: Results) -> dict[tuple[str, int], dict[str, str]]:
    """The rows of `kept_runs.csv` by experiment and seed; none where the runs lie there themselves.

    Raises:
        UserError: the file is cut short or has other columns.
    """
    path = results.kept_runs
    rows = read_rows(path, KEPT_RUN_COLUMNS) if path.is_file() else []
    return {(row["experiment"], int(row["seed"])): row for row in rows}


def list_unfinished(results: Results) -> set[tuple[str, int]]:
    """Experiment and seed of the runs that have not come to their last round; all others are finished.

    Raises:
        UserError: the file is cut short or has other columns.
    """
    return {run for run, row in read_kept_runs(results).items() if row["finished"] == "no"}
