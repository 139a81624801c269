import shutil

import numpy as np
import pytest
from fakes import copy_paper, make_plan
from scipy import stats

from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.kept import KEPT_RUN_COLUMNS
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


@pytest.mark.parametrize("unfinished", [(2,), (0, 1, 2)])
def test_runs_that_are_not_finished_count_in_no_mean(project, tmp_path, read, unfinished):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    kept = dict.fromkeys(KEPT_RUN_COLUMNS, "1") | {"experiment": "synthetic-9", "finished": "no"}
    write_rows(root / "results/kept_runs.csv", KEPT_RUN_COLUMNS, [kept | {"seed": seed} for seed in unfinished])
    write_tables(root, tmp_path, plan=make_plan())
    key = {"experiment": "synthetic-9", "model": "competitive", "metric": "purity"}
    (cell,) = read(tmp_path / "clustering.csv", **key)
    rows = read(root / "results/summary.csv", **key, split="train")
    values = [float(row["value"]) for row in rows if int(row["seed"]) not in unfinished]
    assert cell["n"] == str(len(values))
    assert cell["status"] == ("run" if values else "not run: no finished run")
    assert cell["mean"] == "" if not values else float(cell["mean"]) == pytest.approx(np.mean(values))


def test_an_interval_ends_where_the_metric_does(project, tmp_path, read):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    path = root / "results/summary.csv"
    values = {"0": "1.0", "1": "0.9", "2": "0.98"}
    fields = [line.split(",") for line in path.read_text().splitlines()]
    for row in fields:
        if (row[0], row[2], row[4]) == ("synthetic-9", "competitive", "purity"):
            row[-1] = values[row[1]]
    path.write_text("".join(",".join(row) + "\n" for row in fields))
    write_tables(root, tmp_path, plan=make_plan())
    (cell,) = read(tmp_path / "clustering.csv", experiment="synthetic-9", model="competitive", metric="purity")
    low, high = stats.t.interval(0.95, 2, 0.96, stats.sem([1.0, 0.9, 0.98]))
    assert high > 1
    assert [float(cell[name]) for name in ("ci_low", "ci_high")] == pytest.approx([low, 1.0])
