import shutil

import numpy as np
import pytest
from fakes import copy_paper, make_plan
from scipy import stats

from competitive_mixtures.report.tables.write import write_tables


def test_a_cell_is_the_mean_and_students_interval_of_the_summary(tables, read):
    key = {"experiment": "synthetic-9", "model": "bagging", "protocol": "paper", "metric": "log_likelihood"}
    (cell,) = read(tables / "density.csv", **key)
    values = [float(row["value"]) for row in read(tables.parents[1] / "results/summary.csv", **key)]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert [float(cell[name]) for name in ("mean", "ci_low", "ci_high")] == pytest.approx([np.mean(values), low, high])
    assert cell["n"] == "3"
    assert [float(pair.split(":")[1]) for pair in cell["values"].split()] == values


def test_one_seed_has_a_mean_and_no_interval(project, tmp_path, read):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    path = root / "results/summary.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if line.split(",")[1] in ("seed", "0")))
    write_tables(root, tmp_path, plan=make_plan())
    for row in read(tmp_path / "density.csv", experiment="synthetic-3", metric="log_likelihood"):
        assert (row["n"], row["ci_low"], row["ci_high"]) == ("1", "", "")
        assert row["mean"]
