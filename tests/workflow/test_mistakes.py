"""Mistakes in params.yaml stop Snakemake before the first job, all at once and without a traceback."""

import os
import re

import numpy as np
import pytest
from test_changes import set_number

from competitive_mixtures.settings.targets import TARGETS


@pytest.mark.parametrize(
    ("keys", "value", "named"),
    [
        (("experiments", "dots", "trainning"), {}, "experiments.dots.trainning"),
        (("experiments", "dots", "training", "steps_per_round"), -1, "experiments.dots.training.steps_per_round"),
        (("experiments", "dots", "dataset"), "dot", "experiments.dots"),
        (("seeds",), 0, "seeds"),
        (("datasets", "dots", "variance"), "wide", "datasets.dots"),
    ],
)
def test_a_mistake_is_named(fresh, keys, value, named):
    fresh.change(set_number(*keys, value=value))
    output = fresh.run("snakemake", "all", check=False)
    assert named in output
    assert "Traceback" not in output
    assert os.listdir(fresh.root / "results") == ["README.md"]


@pytest.mark.parametrize("name", ["data", "train_round", "all", "summary"])
def test_an_experiment_with_the_name_of_a_target_or_step(fresh, name):
    fresh.change(set_number("experiments", name, value={"extends": "dots"}))
    output = fresh.run("snakemake", "-n", "dots", check=False)
    assert f"params.yaml: experiments.{name}: is what a step or target is called; choose another name" in output
    assert os.listdir(fresh.root / "results") == ["README.md"]


@pytest.mark.parametrize("name", ["summary.csv", "x" * 300, "{x}", "a<b>", "Dots"])
def test_a_name_that_no_experiment_can_have(fresh, name):
    fresh.change(set_number("experiments", name, value={"extends": "dots"}))
    output = fresh.run("snakemake", "-n", "dots", check=False)
    assert f"params.yaml: experiments.{name}: " in output
    assert "Traceback" not in output
    assert os.listdir(fresh.root / "results") == ["README.md"]


@pytest.mark.parametrize("seed", ["1" * 20, "1234567890123456789"])
def test_a_seed_of_too_many_digits(fresh, seed):
    output = fresh.run("snakemake", "-n", f"results/experiments/dots/seed-{seed}/pretrain/metrics.json", check=False)
    assert "No rule to produce" in output
    assert "Traceback" not in output
    assert fresh.plan(f"results/experiments/dots/seed-{seed[:18]}/pretrain/metrics.json")["pretrain"] == 1


def test_no_target_is_forgotten(fresh):
    listed = set(re.findall(r"^([\w-]+)$", fresh.run("snakemake", "--list-rules"), re.MULTILINE))
    experiments = {"dots", "dots-sharded", "digits", "digits-latent", "dots-long", "demo"}
    assert listed - experiments == TARGETS - {"write_demo"}  # this project has no demo


def ask_for_own_data(project, path, **settings):
    """Give the project an experiment `mine` on the user's own data set `own`."""
    block = {"kind": "array", "path": path} | settings
    project.change(set_number("datasets", "own", value=block))
    baselines, evaluation = [], {"num_samples": 50, "num_bandwidth_samples": 20}
    changes = {"dataset": "own", "rounds": 1, "baselines": baselines, "evaluation": evaluation}
    project.change(set_number("experiments", "mine", value={"extends": "dots"} | changes))


def write_points(path, seed=0):
    np.savez(path, x=np.random.default_rng(seed).normal(size=(200, 2)))


PREPARED = "data/processed/own/meta.json"


def test_own_data_that_are_gone_are_not_taken_for_current(fresh):
    write_points(fresh.root / "{x} <y>.npz")
    ask_for_own_data(fresh, "{x} <y>.npz")
    assert fresh.snakemake("--cores", "1", PREPARED) == {"download": 1, "prepare": 1}
    assert fresh.plan(PREPARED) == {}
    write_points(fresh.root / "{x} <y>.npz", seed=1)
    os.utime(fresh.root / "{x} <y>.npz", (0, 0))
    assert fresh.plan(PREPARED)["prepare"] == 1
    (fresh.root / "{x} <y>.npz").unlink()
    os.mkfifo(fresh.root / "pipe.npz")
    (fresh.root / "folder.npz").mkdir()
    trials = {"{x} <y>.npz": "not found", "nowhere.npz": "not found", "pipe.npz": "found a named pipe"}
    for path, found in (trials | {"folder.npz": "found a folder"}).items():
        ask_for_own_data(fresh, path, test_fraction=0.3)
        for target in (PREPARED, "mine", "data"):
            output = fresh.run("snakemake", target, "--cores", "1", check=False)
            assert f"params.yaml: datasets.own.path: {path}: {found}" in output
            assert "Nothing to be done" not in output
            assert "Traceback" not in output
    assert fresh.plan("dots")  # which needs none of it


@pytest.mark.parametrize(
    "settings", [{"kind": "images", "size": 8}, {"kind": "celeba", "size": 64, "crop": 140, "label": "Male"}]
)
def test_a_folder_that_is_not_there(fresh, settings):
    ask_for_own_data(fresh, "nowhere", **settings)
    (fresh.root / PREPARED).parent.mkdir(parents=True)
    for name in (PREPARED, "data/raw/own/download.json"):  # of an earlier run
        (fresh.root / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh.root / name).write_text("{}")
    output = fresh.run("snakemake", PREPARED, "--cores", "1", check=False)
    assert "params.yaml: datasets.own.path: nowhere: " in output
    assert "Traceback" not in output


def test_a_number_as_dvc_writes_it_and_options_of_the_command_line(fresh):
    (fresh.root / "overrides.yaml").write_text("experiments:\n  dots:\n    balancing:\n      min_share: 5e-05\n")
    (fresh.root / "more.yaml").write_text("experiments: {dots: {rounds: 3}}\n")
    assert fresh.plan("dots")["train_round"] == 2
    assert '"min_share": 5e-05' in (fresh.root / "results/settings/dots.json").read_text()
    assert fresh.snakemake("dots", "-n", "--configfile", "more.yaml")["train_round"] == 3
    options = ("--config", "seeds=2", "experiments={dots: {training: {batch_size: 7}}}")
    assert fresh.snakemake("dots", "-n", *options)["pretrain"] == 2
    assert '"batch_size": 7' in (fresh.root / "results/settings/dots.json").read_text()


def test_a_word_for_a_number_is_refused_with_its_line(fresh):
    (fresh.root / "overrides.yaml").write_text("experiments:\n  dots:\n    rounds: 2e\n")
    output = fresh.run("snakemake", "-n", "dots", check=False)
    assert "params.yaml: experiments.dots.rounds: found '2e'" in output
    assert "(overrides.yaml, line 3)" in output


STEPS_WITH_CODE = (
    *("preparation", "classifier", "representation", "rounds", "baselines", "inception", "evaluation"),
    *("summary", "claims", "tables", "figures", "paper", "pages"),
)


def test_planning_writes_what_the_rules_read_and_no_folder_of_an_experiment(fresh):
    """Of all experiments: the report lists those that were not run, and what is there is looked at once."""
    raw = {str(path) for path in fresh.root.glob("data/raw/**/*")}
    fresh.plan("dots")
    written = {path for folder in ("data", "results") for path in (fresh.root / folder).rglob("*") if path.is_file()}
    assert {str(path.relative_to(fresh.root)) for path in written if str(path) not in raw} == {
        *("data/README.md", "data/files/README.md", "data/settings/dots.json", "data/settings/digits.json"),
        *("results/README.md", "results/plan.json"),
        *(f"results/settings/{name}.json" for name in ("dots", "dots-sharded", "digits", "digits-latent", "dots-long")),
        *(f"results/code/{step}.txt" for step in STEPS_WITH_CODE),
    }


def test_all_mistakes_at_once(fresh):
    fresh.change(set_number("seeds", value=0))
    fresh.change(set_number("experiments", "digits", "rounds", value=0))
    output = fresh.run("snakemake", "all", check=False)
    assert "seeds" in output
    assert "experiments.digits.rounds" in output


def test_a_repeated_key_is_named_with_its_lines(fresh):
    path = fresh.root / "params.yaml"
    path.write_text(path.read_text().replace("    rounds: 2\n", "    rounds: 2\n    rounds: 3\n", 1))
    output = fresh.run("snakemake", "-n", "all", check=False)
    assert "params.yaml: experiments.dots.rounds: stands in line" in output
    assert "Traceback" not in output
    assert os.listdir(fresh.root / "results") == ["README.md"]


def test_a_failing_job_shows_its_message_and_keeps_the_rest(fresh):
    (fresh.root / "data/raw/digits/train-images-idx3-ubyte").write_bytes(b"no idx file")
    output = fresh.run("snakemake", "data", "--keep-going", check=False)
    assert "train-images-idx3-ubyte" in output
    assert "Traceback" not in output
    assert (fresh.root / "data/processed/dots/meta.json").is_file()


@pytest.mark.parametrize("key", ["params.yaml: inception.path", "INCEPTION_WEIGHTS"])
def test_weights_that_are_not_there(fresh, key):
    path = "my weights.pth"
    named = key.startswith("params")
    fresh.change(set_number("inception", value={"path": path if named else None, "sha256": "0" * 64}))
    if not named:
        fresh.environment["INCEPTION_WEIGHTS"] = path
    record = "data/inception/weights.json"
    (fresh.root / record).parent.mkdir(parents=True)
    (fresh.root / record).write_text("{}")  # of an earlier run
    output = fresh.run("snakemake", "-n", record, check=False)
    assert f"{key}: {path}: not found; expected the weights" in output
    assert "Nothing to be done" not in output
    (fresh.root / path).write_bytes(b"weights")
    assert fresh.plan(record) == {"find_inception": 1}
    if named:
        fresh.change(set_number("inception", "path", value="{w}<x>.pth"))
        assert f"{key}: {{w}}<x>.pth: found one of" in fresh.run("snakemake", "-n", record, check=False)
