"""Clocks count work, and not what a process does once: imports, and the start of a device."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from examples import make_blobs, make_experiment, make_images

from competitive_mixtures.method import device as devices
from competitive_mixtures.method.device import warm_up
from competitive_mixtures.method.run import Clock, Run

JOBS = """
import sys, time
from contextlib import contextmanager
from pathlib import Path

start = time.perf_counter()
import torch
from examples import make_blobs, make_experiment, play
from competitive_mixtures.method import baselines
from competitive_mixtures.method.run import Clock, Run

imported, plain = {}, Clock.time

@contextmanager
def watch(clock, phase):
    before = set(sys.modules)
    with plain(clock, phase):
        yield
    imported.setdefault(phase, []).extend(sorted(set(sys.modules) - before))

Clock.time = watch
out, experiment = Path(sys.argv[1]), make_experiment()
if sys.argv[2] == "competition":
    play(experiment, make_blobs(30, 12), out, rounds=1)
else:
    baselines.train_baseline(Run(experiment, make_blobs(30, 12), 0), sys.argv[2], 1, Path(sys.argv[3]), out)
import json
print(json.dumps({"imported": imported, "process_s": time.perf_counter() - start}))
"""


def run_jobs(*words):
    """Run jobs in a process of their own; gives what each clock saw imported, and the process's seconds."""
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", JOBS, *map(str, words)]
    ran = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, check=True)
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def competition(tmp_path_factory):
    folder = tmp_path_factory.mktemp("competition")
    return folder, run_jobs(folder, "competition")


def test_no_clock_of_a_round_counts_an_import(competition):
    _, told = competition
    assert told["imported"] == {phase: [] for phase in ("load", "train", "discriminate", "score", "assign", "write")}


@pytest.mark.parametrize("name", ["kmeans", "bagging", "gaussian_mixture"])
def test_no_clock_of_a_baseline_counts_an_import(competition, tmp_path, name):
    folder, _ = competition
    last = max(folder.rglob("metrics.json"), key=lambda path: path.parent.name)
    told = run_jobs(tmp_path, name, last.parent)
    networks = {"partition"} if name != "gaussian_mixture" else set()
    assert {"load", "train"} | networks <= told["imported"].keys()
    assert not any(told["imported"].values())
    for record in json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["protocols"].values():
        assert record["train_time_s"] < told["process_s"] / 10


def test_a_block_that_fails_is_counted():
    clock = Clock()

    def fail():
        with clock.time("train"):
            time.sleep(0.01)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert clock.seconds["train"] >= 0.01


@pytest.mark.parametrize(("dataset", "convolves"), [(make_blobs(), False), (make_images(), True)])
def test_a_run_warms_its_device_up_before_its_clock_starts(monkeypatch, dataset, convolves):
    events = []
    monkeypatch.setattr("competitive_mixtures.method.run.warm_up", lambda *words, **more: events.append(more))
    monkeypatch.setattr("competitive_mixtures.method.run.time.perf_counter", lambda: events.append("clock") or 0.0)
    Run(make_experiment(), dataset, 0)
    assert events == [{"convolves": convolves}, "clock", "clock"]


def test_warming_up_leaves_nothing_behind():
    devices.warm_up.cache_clear()
    drawn = torch.get_rng_state()
    with torch.no_grad():
        warm_up(torch.device("cpu"), convolves=True)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), drawn)
