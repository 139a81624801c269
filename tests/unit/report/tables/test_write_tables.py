import json

import pytest

from competitive_mixtures.report import names
from competitive_mixtures.report.tables.write import TABLES


def test_no_cell_is_empty_without_a_reason(tables, read):
    assert {path.name for path in tables.iterdir()} == set(TABLES)
    told = set()
    for path in tables.glob("*.csv"):
        for row in read(path):
            if "status" in row:
                told.add(path.stem)
                assert row["status"] == "run" or row["status"].startswith("not run: "), path
                assert (row["status"] == "run") == bool(row.get("mean", row.get("value", row["status"] == "run"))), path
    assert told == {
        "ablations",
        "authors_settings",
        "clustering",
        "compute",
        "density",
        "experiments",
        "images",
        "likelihood",
        "precision_recall",
        "rivals",
    }


@pytest.mark.parametrize(
    ("table", "experiment", "metric", "reason"),
    [
        ("density", "synthetic-6", "log_likelihood", "no results yet"),
        ("density", "synthetic-3-paper", "log_likelihood", "part of the suite authors"),
        ("images", "celeba-vae", "fid", "part of the suite paper_scale"),
        ("images", "mnist", "fid", "the experiment does not ask for it (evaluation.fid_features)"),
    ],
)
def test_reasons(tables, read, table, experiment, metric, reason):
    rows = read(tables / f"{table}.csv", experiment=experiment, metric=metric)
    assert {row["status"] for row in rows} == {f"not run: {reason}"}


def test_the_names_are_those_of_the_figures(tables):
    written = json.loads((tables / "names.json").read_text())
    kinds = {"models": names.MODELS, "protocols": names.PROTOCOLS, "metrics": names.METRICS}
    assert written == {"methods": names.METHODS, **kinds}
