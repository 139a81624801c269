"""What stands between params.yaml and the jobs: written where it changes, and read back the same."""

import hashlib
import json
import os
from pathlib import Path

import pytest
import yaml
from examples import BASE, BLOBS, PARAMS, params

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import Project
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import describe_stages, read_experiment, read_plan, write_resolved
from competitive_mixtures.settings.resolved_data import check_files, read_dataset, write_datasets
from competitive_mixtures.settings.schema import Experiment, load_params

OWN = {"kind": "array", "path": "x.npz"}


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
    assert written == ["data/settings/blobs.json", "results/plan.json", "results/settings/tiny.json", "stages.yaml"]


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(BASE | {"shards": "two"}))
    with pytest.raises(UserError, match=r"config.json: shards: found 'two'"):
        read_experiment(path)
    path.write_text(json.dumps(BLOBS | {"kind": "nothing"}))
    with pytest.raises(UserError, match=r"config.json: "):
        read_dataset(path)


@pytest.mark.parametrize(
    ("block", "file"),
    [
        ({"kind": "images", "path": "my pictures", "size": 8}, "my pictures/a/ü.png"),
        ({"kind": "array", "path": "{x}<y>.npz"}, "{x}<y>.npz"),
    ],
)
def test_what_a_users_own_files_hold_is_listed(tmp_path, monkeypatch, block, file):
    monkeypatch.chdir(tmp_path)
    loaded = load_params(PARAMS | {"datasets": PARAMS["datasets"] | {"own": block}})
    listing = Project().data.listing("own")
    write_resolved(loaded)
    assert "expected" in listing.read_text()  # that it is missing, which is an error only where it is asked for
    with pytest.raises(UserError, match=r"^params\.yaml: datasets\.own\.path: "):
        check_files("own", loaded.datasets["own"])
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"12345")
    write_resolved(loaded)
    digest = hashlib.sha256(b"12345").hexdigest()
    assert json.loads(listing.read_text()) == [file, 5, digest]
    check_files("own", loaded.datasets["own"])
    before = listing.stat().st_mtime_ns
    os.utime(path)
    write_resolved(loaded)
    assert listing.stat().st_mtime_ns == before  # touched, and the same
    path.write_bytes(b"12346")
    os.utime(path, ns=(0, 0))  # an older date is a change as well
    write_resolved(loaded)
    assert listing.stat().st_mtime_ns > before
    assert not Project().data.listing("blobs").exists()


def test_a_broken_record_of_hashes_is_no_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.npz").write_bytes(b"1")
    data = Project().data
    data.hashed("own").parent.mkdir(parents=True)
    for text in ("", "[1]", '{"x.npz": 1}'):
        data.hashed("own").write_text(text)
        write_datasets(load_params(PARAMS | {"datasets": PARAMS["datasets"] | {"own": OWN}}).datasets, data)
        assert json.loads(data.listing("own").read_text())[:2] == ["x.npz", 1]


def test_dvc_has_a_stage_for_each_experiment_of_the_default_suite_and_its_own_data():
    blocks = {
        "mine": {"extends": "tiny", "dataset": "own"},
        "aside": {"extends": "tiny", "dataset": "unused", "suite": "ablations"},
    }
    datasets = {"own": OWN, "unused": OWN | {"path": "other.npz"}}
    loaded = load_params(
        PARAMS | {"datasets": PARAMS["datasets"] | datasets, "experiments": PARAMS["experiments"] | blocks}
    )
    stages = yaml.safe_load(describe_stages(loaded))
    assert stages == {"default_experiments": ["tiny", "mine"], "own_data": {"own": "x.npz"}}


def test_the_stages_of_the_project_are_current():
    root = Path(__file__).parents[3]
    assert (root / "stages.yaml").read_text() == describe_stages(read_params(root / "params.yaml"))
