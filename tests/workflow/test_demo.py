"""The demo: a competition, its figure and a page of its numbers, named at the end and apart from the report."""

import csv
import json
import re
import shutil

import pandas as pd
import pytest
from PIL import Image
from projects import make_project
from test_code import needed_by, read_steps

TABLE = "results/experiments/demo/seed-0/rounds/2/assignments.parquet"
FILES = ["results/demo/demo.pdf", "results/demo/partition.png", TABLE]


def add_demo(params):
    params["seeds"] = 2  # of the other experiments
    params["experiments"]["demo"] = {"extends": "dots", "suite": "demo", "baselines": ["single"]}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A project after `snakemake demo`, and what that printed."""
    project = make_project(tmp_path_factory.mktemp("demo") / "mon étude")
    project.change(add_demo)
    return project, project.run("snakemake", "--cores", "2", "demo")


def test_the_files_are_named_at_the_end(shown):
    project, printed = shown
    assert [line.split("  ")[1] for line in printed.splitlines()[-3:]] == FILES
    assert len(printed) < 1500  # a calm console
    assert pd.read_parquet(project.root / TABLE).shape[0] == 300
    with Image.open(project.root / FILES[1]) as figure:
        assert figure.width > 1000


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_the_page_holds_the_numbers_of_the_run(shown):
    project, _ = shown
    text = project.run("pdftotext", "-layout", FILES[0], "-")
    assert text.count("\f") == 1  # ends the one page
    words = text.replace("−", "-").split()
    with (project.root / "results/experiments/demo/seed-0/evaluation/scores.csv").open() as file:
        scores = {
            (row["model"], row["protocol"]): float(row["value"])
            for row in csv.DictReader(file)
            if (row["metric"], row["split"]) == ("log_likelihood", "test")
        }
    assert scores.keys() == {("competitive", "-"), ("single", "paper"), ("single", "equal_compute"), ("data", "-")}
    assert {f"{value:.2f}" for value in scores.values()} <= set(words)
    for number in range(3):
        metrics = json.loads(
            (project.root / f"results/experiments/demo/seed-0/rounds/{number}/metrics.json").read_text()
        )
        assert f"{metrics['purity']:.2f}" in words


def test_a_second_demo_only_names_the_files_again(shown):
    project, _ = shown
    assert project.snakemake("demo") == {"demo": 1}


def test_nothing_else_sees_the_demo(shown):
    project, _ = shown
    plan = project.run("snakemake", "--dry-run", "--printshellcmds", "--forceall", "all")
    assert "seed-1" in plan
    assert not re.search(r"experiments/demo|settings/demo|demo=|demo\.typ", plan)
    assert not list(project.root.glob("results/experiments/demo/seed-1"))


def test_the_step_names_what_it_imports(shown):
    step = read_steps(shown[0], "demo")["write_demo"]
    assert needed_by(step.command) - step.code == set()


def test_an_experiment_of_that_name_in_another_suite_is_refused(fresh):
    fresh.change(add_demo)
    fresh.change(lambda params: params["experiments"].update(other={"extends": "demo", "suite": "default"}))
    fresh.change(lambda params: params["experiments"]["demo"].update(suite="default"))
    fresh.change(lambda params: params["experiments"]["other"].update(suite="demo"))
    printed = fresh.run("snakemake", "--dry-run", "all", check=False)
    assert "experiments.demo: is what a step or target is called; choose another name" in printed
