"""Mistakes in params.yaml stop Snakemake before the first job, all at once and without a traceback."""

import os

import pytest
from test_changes import set_number


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


@pytest.mark.parametrize("name", ["data", "evaluate"])
def test_an_experiment_with_the_name_of_a_target_or_step(fresh, name):
    fresh.change(set_number("experiments", name, value={"extends": "dots"}))
    output = fresh.run("snakemake", "-n", "dots", check=False)
    assert f"params.yaml: experiments.{name}: is what a step or target is called; choose another name" in output


def test_planning_writes_what_the_rules_read_and_no_folder_of_an_experiment(fresh):
    """Of all experiments: the report lists those that were not run, and what is there is looked at once."""
    raw = {str(path) for path in fresh.root.glob("data/raw/**/*")}
    fresh.plan("dots")
    written = {path for folder in ("data", "results") for path in (fresh.root / folder).rglob("*") if path.is_file()}
    assert {str(path.relative_to(fresh.root)) for path in written if str(path) not in raw} == {
        *("data/README.md", "data/settings/dots.json", "data/settings/digits.json"),
        *("results/README.md", "results/plan.json"),
        *(f"results/settings/{name}.json" for name in ("dots", "dots-sharded", "digits", "dots-long")),
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
