"""The user's own command on a tiny project: what runs, what it leaves, what a second run does."""

import csv
import json
import re

from projects import ROOT

from competitive_mixtures.settings.yaml_files import read_yaml


def test_every_step_runs_once(finished_once):
    _, jobs = finished_once
    assert jobs["pretrain"] == 3
    assert jobs["train_shard"] == 6  # 3 shards in each of the rounds 0 and 1
    assert jobs["reassign"] + jobs["reassign_last"] == 2
    assert jobs["train_round"] + jobs["train_last_round"] == 3 + 2
    assert jobs["train_baseline"] == 3
    assert jobs["evaluate"] == 3
    assert jobs["train_classifier"] == 1


def test_results_are_there(finished):
    with (finished.root / "results/summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["experiment", "seed", "model", "protocol", "metric", "split", "value"]
    assert {row["experiment"] for row in rows} == {"dots", "dots-sharded", "digits"}
    assert {(row["model"], row["protocol"]) for row in rows if row["experiment"] == "dots"} >= {
        ("competitive", "-"),
        ("single", "paper"),
        ("single", "equal_compute"),
        ("kmeans", "paper"),
    }
    assert json.loads((finished.root / "results/metrics.json").read_text())
    assert (finished.root / "paper/paper.pdf").read_bytes().startswith(b"%PDF")


def test_only_the_last_state_is_kept(finished):
    states = finished.read("results/experiments/*/seed-*/**/state.safetensors")
    rounds = {path for path in states if "/baselines/" not in path}
    assert rounds == {
        "results/experiments/dots/seed-0/rounds/2/state.safetensors",
        "results/experiments/dots-sharded/seed-0/rounds/1/state.safetensors",
        "results/experiments/digits/seed-0/rounds/1/state.safetensors",
    }
    assert not finished.read("results/experiments/*/seed-*/rounds/*/shards/*")


def test_nothing_is_to_be_done_again(finished):
    assert finished.snakemake("--cores", "4", "--resources", "gpu=1", "all") == {}


def test_jobs_say_what_they_need(finished):
    plan = finished.run("snakemake", "all", "--dry-run", "--forceall")
    blocks = [block for block in plan.split("\n\n") if "rule " in block and "jobid" in block]
    for block in blocks:
        if "output:" in block:
            assert "log:" in block, block
            assert all(name in block for name in ("gpu=", "mem_mb=", "runtime=")), block


def test_targets_by_name(fresh):
    assert set(fresh.plan("data")) >= {"download", "prepare", "train_classifier"}
    assert fresh.plan("dots")["train_round"] == 2
    assert fresh.plan("paper_scale")["train_round"] == 50


def test_seeds_can_draw_data_and_classifiers_anew(fresh):
    def draw_twice(params):
        params["seeds"] = 3
        for name in ("dots", "digits"):
            params["experiments"][name] |= {"draws": 2}

    fresh.change(draw_twice)
    assert fresh.plan("dots")["prepare"] == 2  # seeds 0 and 2 share a draw
    plan = fresh.plan("digits")
    assert (plan["prepare"], plan["train_classifier"], plan["train_further_classifier"]) == (1, 1, 1)


def test_the_baselines_of_images_are_tuned_by_the_classifier(fresh):
    tuning = {"rates": [1.0], "looks": 2, "held_out": 0.2}
    fresh.change(lambda params: params["experiments"]["digits"].update(tuning=tuning))
    plan = fresh.run("snakemake", "-n", "-p", "digits")
    (command,) = re.findall(r"competitive-mixtures train-baseline .*", plan)
    assert "--classifier results/classifiers/digits " in command


def test_params_read_the_same_by_dvc():
    from dvc.utils.serialize import load_yaml

    path = str(ROOT / "params.yaml")
    assert read_yaml(path) == load_yaml(path)


def test_lint_finds_only_that_there_is_one_environment(fresh):
    findings = re.findall(r"^    \* (.+)$", fresh.run("snakemake", "--lint", check=False), re.MULTILINE)
    assert set(findings) == {"Specify a conda environment or container for each rule.:"}
