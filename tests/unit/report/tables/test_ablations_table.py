import shutil
from dataclasses import replace

import numpy as np
import pytest
from fakes import copy_paper, make_plan

from competitive_mixtures.report.tables.ablations import describe_changes
from competitive_mixtures.report.tables.write import write_tables


def test_differences_are_paired_by_seed(project, tmp_path, read):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    with (root / "results/summary.csv").open("a") as file:
        for seed, value in ((0, -5.0), (2, -5.5), (7, -9.0)):
            file.write(f"synthetic-9-no-pretraining,{seed},competitive,-,log_likelihood,test,{value}\n")
    write_tables(root, tmp_path, plan=make_plan())
    (row,) = read(tmp_path / "ablations.csv", metric="log_likelihood")
    base = {
        row["seed"]: float(row["value"])
        for row in read(
            root / "results/summary.csv", experiment="synthetic-9", model="competitive", metric="log_likelihood"
        )
    }
    assert row["n"] == "2"
    assert float(row["difference"]) == pytest.approx(np.mean([-5.0 - base["0"], -5.5 - base["2"]]))
    assert float(row["ablation_mean"]) == pytest.approx(-5.25)  # of the seeds that both have, as the difference
    assert float(row["base_mean"]) == pytest.approx(np.mean([base["0"], base["2"]]))
    (row,) = read(tmp_path / "ablations.csv", metric="purity")
    assert row["status"] == "not run: no value in summary.csv"


def test_changes_are_read_off_the_settings():
    base = make_plan()[0]
    changed = replace(base, settings=base.settings | {"batch_size": 8, "reset": False})
    assert describe_changes(base, changed) == "batch_size: 256 → 8; reset: none → false"
