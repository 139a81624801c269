"""`dvc.lock` belongs to `dvc.yaml`, and `docs/storage.md` says what made it and which of its checksums hold seconds."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCK = yaml.safe_load((ROOT / "dvc.lock").read_text())
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
LISTED = yaml.safe_load((ROOT / "stages.yaml").read_text())
CHECKSUM = re.compile(r"[0-9a-f]{32}(\.dir)?")
STORAGE = (ROOT / "docs/storage.md").read_text()


def expand(name):
    """A stage of `dvc.yaml` as `dvc.lock` has it; `experiment@mnist` is one of a `foreach`."""
    group, _, item = name.partition("@")
    if not item:
        return STAGES[group]
    assert item in LISTED["default_experiments"], name
    return yaml.safe_load(json.dumps(STAGES[group]["do"]).replace("${item}", item))


def list_paths(entries):
    """Of outputs and dependencies, with options or without."""
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def test_stages_are_those_of_dvc_yaml():
    assert LOCK["schema"] == "2.0"
    assert set(LOCK["stages"]) == {"configure", "data", "report"} | {
        f"experiment@{name}" for name in LISTED["default_experiments"]
    }


@pytest.mark.parametrize("name", LOCK["stages"])
def test_a_stage_reads_and_writes_what_dvc_yaml_says(name):
    locked, stage = LOCK["stages"][name], expand(name)
    assert locked["cmd"] == stage["cmd"]
    assert [entry["path"] for entry in locked.get("deps", [])] == sorted(stage.get("deps", []))
    outs = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind, [])]
    assert sorted(entry["path"] for entry in locked["outs"]) == sorted(list_paths(outs))
    assert all(CHECKSUM.fullmatch(entry["md5"]) and entry["size"] for entry in locked["outs"])


def test_what_an_experiment_was_made_from_is_what_was_written():
    """All stages are of one run: what one wrote is what the next one read."""
    written = {entry["path"]: entry["md5"] for stage in LOCK["stages"].values() for entry in stage["outs"]}
    read = [entry for stage in LOCK["stages"].values() for entry in stage.get("deps", [])]
    assert {entry["path"] for entry in read} & set(written) == {
        "data/processed",
        "data/settings",
        "results/classifiers",
        "results/plan.json",
        "results/settings",
    }
    assert all(written.get(entry["path"], entry["md5"]) == entry["md5"] for entry in read)


def test_the_document_says_what_made_it():
    made = r"`dvc\.lock` is that of commit `[0-9a-f]{7,40}`, on .*(?:AMD|Intel).* with AVX.*, Python 3\.\d+"
    assert re.search(made, STORAGE.replace("\n", " "))


def test_only_addresses_of_the_settings_stand_in_it():
    settings = (ROOT / "params.yaml").read_text()
    assert all(address in settings for address in re.findall(r"\w+://[^\s,'\"]+", (ROOT / "dvc.lock").read_text()))


def test_the_document_sorts_every_output():
    """Each has one row of the table: those that hold no seconds, and those that always differ."""
    rows = re.findall(r"^\| (same bytes|always other bytes) \| (.+?) \|", STORAGE, re.MULTILINE)
    named = [pattern for _, cell in rows for pattern in re.findall(r"`([^`]+)`", cell)]
    patterns = [re.compile(re.escape(pattern).replace("<experiment>", "[^/]+")) for pattern in named]
    for stage in LOCK["stages"].values():
        for entry in stage["outs"]:
            assert sum(bool(pattern.fullmatch(entry["path"])) for pattern in patterns) == 1, entry["path"]
