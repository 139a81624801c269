"""The view of a running pipeline, from files as jobs leave them."""

import io
import json
import os
from types import SimpleNamespace

import pytest
from rich.console import Console

from competitive_mixtures.pipeline.watch import make_table, read_progress


@pytest.fixture
def params():
    experiments = {"toy": SimpleNamespace(suite="default", rounds=4), "long": SimpleNamespace(suite="other", rounds=9)}
    return SimpleNamespace(seeds=2, experiments=experiments)


def finish_round(run, number, at_s):
    path = run / "rounds" / str(number) / "metrics.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"round": number, "share_changed": 0.25, "objective": 1.5}))
    os.utime(path, (at_s, at_s))


def test_nothing_has_begun(params, tmp_path):
    runs = list(read_progress(params, tmp_path))
    assert [(run.experiment, run.seed, run.state, run.left_s) for run in runs] == [
        ("toy", 0, "waiting", None),
        ("toy", 1, "waiting", None),
    ]


def test_a_run_in_the_middle(params, tmp_path):
    run = tmp_path / "experiments/toy/seed-0"
    for number in range(3):
        finish_round(run, number, at_s=100 + 10 * number)
    first = next(iter(read_progress(params, tmp_path)))
    assert (first.round, first.state, first.share_changed, first.objective) == (2, "competing", 0.25, 1.5)
    assert first.left_s == 2 * 10


def test_a_finished_run_and_one_of_another_suite(params, tmp_path):
    for number in range(5):
        finish_round(tmp_path / "experiments/toy/seed-1", number, at_s=number)
    (tmp_path / "experiments/toy/seed-1/evaluation").mkdir()
    (tmp_path / "experiments/toy/seed-1/evaluation/scores.csv").touch()
    finish_round(tmp_path / "experiments/long/seed-0", 0, at_s=0)
    states = {(run.experiment, run.seed): run.state for run in read_progress(params, tmp_path)}
    assert states == {("toy", 0): "waiting", ("toy", 1): "done", ("long", 0): "competing"}


def test_the_table_shows_every_run(params, tmp_path):
    finish_round(tmp_path / "experiments/toy/seed-0", 0, at_s=0)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(make_table(list(read_progress(params, tmp_path))))
    text = console.export_text()
    assert "0 of 2 runs done" in text
    assert "25.0%" in text
