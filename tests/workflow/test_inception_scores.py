"""The Inception weights are looked for only where an experiment asks for FID, and again when what is named changes."""

import hashlib
import json
import shutil

from projects import ROOT, Project

RECORD = "data/inception/weights.json"


def ask_for_fid(params):
    params["inception"] = {"path": None, "sha256": hashlib.sha256(b"weights").hexdigest()}
    params["experiments"]["digits"]["evaluation"] |= {"fid_features": 64}


def test_only_fid_asks_for_the_weights(fresh):
    assert "find_inception" not in fresh.plan("all")
    fresh.change(ask_for_fid)
    assert fresh.plan("all")["find_inception"] == 1
    assert "find_inception" not in fresh.plan("dots")


def test_the_users_file_by_environment_then_by_parameter(fresh):
    fresh.change(ask_for_fid)
    for name in ("first.pth", "second.pth"):
        (fresh.root / name).write_bytes(b"weights")
    project = Project(fresh.root, {"INCEPTION_WEIGHTS": "first.pth"})
    assert project.snakemake("--cores", "1", RECORD) == {"find_inception": 1}
    assert json.loads((fresh.root / RECORD).read_text())["path"] == "first.pth"
    assert project.snakemake("--cores", "1", RECORD) == {}

    project.change(lambda params: params["inception"].update(path="second.pth"))
    project.snakemake("--cores", "1", RECORD)
    assert json.loads((fresh.root / RECORD).read_text())["path"] == "second.pth"


def test_a_wrong_file_is_named(fresh):
    fresh.change(ask_for_fid)
    (fresh.root / "short.pth").write_bytes(b"weigh")
    project = Project(fresh.root, {"INCEPTION_WEIGHTS": "short.pth"})
    assert "short.pth: found SHA-256" in project.run("snakemake", "--cores", "1", RECORD, check=False)
    assert not (fresh.root / RECORD).exists()


def test_paper_scale_is_planned_with_its_resources_and_without_its_data(fresh):
    shutil.copy(ROOT / "params.yaml", fresh.root)
    plan = fresh.run("snakemake", "paper_scale", "--dry-run")
    blocks = [block for block in plan.split("\n\n") if "output: results/" in block and "seed-" in block]
    assert any("results/experiments/celeba-gan/seed-0/pretrain" in block for block in blocks)
    assert all("gpu=1" in block and "runtime=" in block for block in blocks)
    assert "data/processed/celeba" not in fresh.run("snakemake", "all", "--dry-run")
