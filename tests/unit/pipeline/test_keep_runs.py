"""Runs that enter the kept tables in pieces: each run's rows as a whole, the same runs the same bytes."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import write_json
from competitive_mixtures.pipeline.keep_runs import keep_runs
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import write_resolved

TINY = Path(__file__).parents[2] / "workflow/tiny.yaml"
TABLES = ("summary.csv", "rounds.csv", "timing.csv", "metrics.json", "kept_runs.csv")
SECONDS = {"load": 0.5, "train": 2.0, "discriminate": 1.0}


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def add_round(run, number, purity):
    metrics = {"round": number, "counts": [10, 30], "share_changed": 0.1, "purity": purity, "nmi": 0.5, "ari": 0.4}
    metrics |= {"objective": 1.5, "samples_seen": 100 * (number + 1), "compute": 10, "seconds": SECONDS}
    write_json(run / "rounds" / str(number) / "metrics.json", metrics)


def finish(run):
    (run / "evaluation").mkdir(exist_ok=True)
    rows = [
        "model,protocol,metric,split,value",
        "competitive,-,log_likelihood,test,-4.75",
        "competitive,-,purity,train,0.875",
    ]
    (run / "evaluation/scores.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def project(tmp_path):
    """Settings of two experiments of three rounds, a run of each that has made two, and empty kept tables."""
    params = yaml.safe_load(TINY.read_text())
    dots = params["experiments"]["dots"] | {"rounds": 2, "baselines": []}
    params |= {"experiments": {"dots": dots, "dots-10": {"extends": "dots"}, "dots-9": {"extends": "dots"}}}
    params["datasets"].pop("digits")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    write_resolved(read_params(tmp_path / "params.yaml"), tmp_path)
    for name in ("dots-9", "dots-10"):
        run = tmp_path / f"results/experiments/{name}/seed-0"
        write_json(run / "pretrain/metrics.json", {"seconds": {"train": 4.0}})
        add_round(run, 0, 0.5)
        add_round(run, 1, 0.75)
    (tmp_path / "kept").mkdir()
    return tmp_path


def keep(project, *names):
    keep_runs(project, [project / f"results/experiments/{name}" for name in names], project / "kept")
    return {name: (project / "kept" / name).read_bytes() for name in TABLES}


def test_an_unfinished_run_has_its_rounds_so_far(project):
    keep(project, "dots-9/seed-0")
    kept = project / "kept"
    assert [(row["round"], row["purity"], row["seconds"]) for row in read(kept / "rounds.csv")] == [
        ("0", "0.5", "3.5"), ("1", "0.75", "3.5"),
    ]  # fmt: skip
    scores = {(row["metric"], row["split"]): float(row["value"]) for row in read(kept / "summary.csv")}
    assert scores["purity", "train"] == 0.75  # of the last round
    assert ("log_likelihood", "test") not in scores
    seconds = {row["phase"]: float(row["seconds"]) for row in read(kept / "timing.csv")}
    assert seconds == {"pretrain": 4.0, "load": 1.0, "train": 4.0, "discriminate": 2.0}
    (row,) = read(kept / "kept_runs.csv")
    assert (row["experiment"], row["seed"], row["rounds"], row["rounds_asked"]) == ("dots-9", "0", "1", "2")
    assert row["finished"] == "no"
    assert row["commit"]


def test_the_same_runs_give_the_same_bytes_in_any_order(project):
    first = keep(project, "dots-9/seed-0", "dots-10/seed-0")
    assert keep(project, "dots-10/seed-0", "dots-9/seed-0") == first
    assert keep(project, "dots-9/seed-0") == first
    assert [row["experiment"] for row in read(project / "kept/kept_runs.csv")] == ["dots-9", "dots-10"]


def test_rows_of_a_run_are_replaced_as_a_whole_and_no_others(project):
    keep(project, "dots-9/seed-0", "dots-10/seed-0")
    others = [row for row in read(project / "kept/summary.csv") if row["experiment"] == "dots-10"]
    run = project / "results/experiments/dots-9/seed-0"
    add_round(run, 2, 0.875)
    finish(run)
    keep(project, "dots-9/seed-0")
    rows = read(project / "kept/summary.csv")
    assert [row for row in rows if row["experiment"] == "dots-10"] == others
    assert {row["metric"]: row["value"] for row in rows if row["experiment"] == "dots-9"} == {
        "log_likelihood": "-4.75", "purity": "0.875",
    }  # fmt: skip
    rounds = [row["round"] for row in read(project / "kept/rounds.csv") if row["experiment"] == "dots-9"]
    assert rounds == ["0", "1", "2"]
    means = json.loads((project / "kept/metrics.json").read_text())
    assert means["dots-9"]["log_likelihood"] == {"competitive": -4.75}
    assert list(means) == ["dots-9"]  # the other run is not at its last round: its scores are of another length
    assert [row["finished"] for row in read(project / "kept/kept_runs.csv")] == ["yes", "no"]


def test_scores_of_fewer_rounds_than_asked_for_do_not_count(project):
    """They are left from a run that has been lengthened since."""
    finish(project / "results/experiments/dots-9/seed-0")
    keep(project, "dots-9/seed-0")
    assert "log_likelihood" not in {row["metric"] for row in read(project / "kept/summary.csv")}


def test_a_run_without_a_round_is_left_out(project):
    shutil.rmtree(project / "results/experiments/dots-10/seed-0/rounds")
    keep(project, "dots-9/seed-0", "dots-10/seed-0")
    assert {row["experiment"] for row in read(project / "kept/rounds.csv")} == {"dots-9"}


def test_a_run_that_has_only_scored_its_pretraining_is_left_out(project):
    shutil.rmtree(project / "results/experiments/dots-10/seed-0/rounds/1")
    keep(project, "dots-9/seed-0", "dots-10/seed-0")
    assert {row["experiment"] for row in read(project / "kept/kept_runs.csv")} == {"dots-9"}


def test_other_settings_than_those_of_the_project_are_refused(project):
    path = project / "results/settings/dots-9.json"
    path.write_text(path.read_text().replace('"batch_size": 16', '"batch_size": 17'))
    with pytest.raises(UserError, match=r"dots-9\.json: found other settings than experiments\.dots-9"):
        keep(project, "dots-9/seed-0")
    assert not list((project / "kept").iterdir())


def test_settings_that_did_not_exist_yet_have_their_defaults(project):
    path = project / "results/settings/dots-9.json"
    content = json.loads(path.read_text())
    assert content.pop("representation") is None
    path.write_text(json.dumps(content))
    keep(project, "dots-9/seed-0")
    assert {row["experiment"] for row in read(project / "kept/rounds.csv")} == {"dots-9"}


def test_an_unknown_experiment_is_refused(project):
    (project / "results/experiments/dots-9").rename(project / "results/experiments/mine")
    with pytest.raises(UserError, match=r"params\.yaml has no experiment 'mine'"):
        keep(project, "mine/seed-0")
