import shutil
from dataclasses import replace

import numpy as np
import pytest
from fakes import ROOT, copy_paper, make_plan

from competitive_mixtures.report.plan import list_ablations, read_plan
from competitive_mixtures.report.tables.ablations import describe_changes
from competitive_mixtures.report.tables.write import write_tables
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import write_resolved


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


def describe(before, after):
    base = make_plan()[0]
    return describe_changes(replace(base, settings=before), replace(base, settings=after))


def test_changes_are_read_off_the_settings():
    before = {"batch_size": 256, "training": {"shared_layers": 0}, "baselines": ["single"]}
    after = {"batch_size": 8, "training": {"shared_layers": 1}, "baselines": [], "reset": False}
    assert describe(before, after) == "batch_size: 256 → 8; training.shared_layers: 0 → 1; reset: none → false"


def test_another_kind_says_that_the_keys_of_the_former_are_gone():
    before = {"scoring": {"kind": "discriminators", "reset": True, "network": {"kind": "mlp", "hidden": [8]}}}
    assert describe(before, {"scoring": {"kind": "bound"}}) == "scoring.kind: discriminators → bound"
    after = {"scoring": before["scoring"] | {"network": {"kind": "conv", "channels": [4, 6]}}}
    assert describe(before, after) == "scoring.network.kind: mlp → conv; scoring.network.channels: none → 4, 6"


def test_a_block_that_comes_or_goes_is_told_once():
    revival = {"revival": {"every": 3, "until": 9}}
    assert describe(revival, {"revival": None}) == "revival: every 3, until 9 → none"
    assert describe({"revival": None}, revival) == "revival.every: none → 3; revival.until: none → 9"


def test_the_projects_ablations_list_what_differs_from_what_they_extend(tmp_path):
    write_resolved(read_params(ROOT / "params.yaml"), tmp_path)
    plan = read_plan(tmp_path)
    changes = {ablation.name: describe_changes(base, ablation) for ablation, base in list_ablations(plan)}
    assert all(changes.values())
    assert changes["mnist-shared-layers"] == "training.pretraining_steps: 200 → 0; training.shared_layers: 0 → 1"
    assert changes["mnist-shared-layers-pretrained"] == "training.shared_layers: 0 → 1"
    assert changes["synthetic-9-soft-bound"] == "scoring.kind: discriminators → soft_bound"
