"""What stands between params.yaml and the jobs: written where it changes, and read back the same."""

import json
import os

import pytest
from examples import BASE, BLOBS, PARAMS, params

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import Project
from competitive_mixtures.settings.resolved import read_experiment, read_plan, write_resolved
from competitive_mixtures.settings.resolved_data import read_dataset
from competitive_mixtures.settings.schema import Experiment, load_params


def test_round_trip(tmp_path):
    loaded = load_params(PARAMS)
    write_resolved(loaded, tmp_path)
    experiment = read_experiment(tmp_path / "results/settings/tiny.json")
    assert experiment == Experiment.model_validate(BASE)
    assert read_dataset(tmp_path / "data/settings/blobs.json") == loaded.datasets["blobs"]


def test_written_only_where_the_content_changes(tmp_path):
    write_resolved(load_params(PARAMS), tmp_path)
    files = [tmp_path / "results/settings/tiny.json", tmp_path / "data/settings/blobs.json"]
    for file in files:
        os.utime(file, (0, 0))
    write_resolved(load_params(params(rounds=9, suite="ablations", resources={"mem_mb": 1})), tmp_path)
    assert [file.stat().st_mtime for file in files] == [0, 0]
    write_resolved(load_params(params(training={"batch_size": 3})), tmp_path)
    assert [file.stat().st_mtime > 0 for file in files] == [True, False]


def test_the_plan_says_what_is_asked_for_and_nothing_else(tmp_path):
    plan = Project(tmp_path).results.plan
    write_resolved(load_params(PARAMS), tmp_path)
    assert json.loads(plan.read_text()) == {
        "tiny": {"suite": "default", "rounds": 2, "seeds": 2, "extends": None, "source": "gaussians"}
    }
    os.utime(plan, (0, 0))
    write_resolved(load_params(params(training={"batch_size": 3}, resources={"mem_mb": 1})), tmp_path)
    assert plan.stat().st_mtime == 0
    write_resolved(load_params(params(rounds=9) | {"seeds": 5}), tmp_path)
    entry = read_plan(plan)["tiny"]
    assert (entry.rounds, entry.seeds) == (9, 5)


def test_planning_leaves_no_folder_of_an_experiment(tmp_path):
    write_resolved(load_params(PARAMS), tmp_path)
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert written == ["data/settings/blobs.json", "results/plan.json", "results/settings/tiny.json"]


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(BASE | {"shards": "two"}))
    with pytest.raises(UserError, match=r"config.json: shards: found 'two'"):
        read_experiment(path)
    path.write_text(json.dumps(BLOBS | {"kind": "nothing"}))
    with pytest.raises(UserError, match=r"config.json: "):
        read_dataset(path)


def test_the_files_of_a_users_folder_are_listed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = {"kind": "images", "path": "my pictures", "size": 8}
    loaded = load_params(PARAMS | {"datasets": PARAMS["datasets"] | {"own": own}})
    (tmp_path / "my pictures/a").mkdir(parents=True)
    (tmp_path / "my pictures/a/ü.png").write_bytes(b"12345")
    write_resolved(loaded)
    data = Project(tmp_path).data
    assert json.loads(data.listing("own").read_text())[:2] == ["a/ü.png", 5]
    assert not data.listing("blobs").exists()
