"""Kills at any moment, a full disk, a truncated file: named, repaired by running again; nothing finished is lost."""

import os
import random
import shutil
import signal
import subprocess

from test_changes import set_number
from test_reproducibility import LAST, TABLES

KILLS = int(os.environ.get("KILLS", "4"))  # `make test-kills` asks for 50


def test_kills_at_random_moments(finished, fresh):
    """Of Snakemake alone, whose job then lives on, or of both; a run that gets through starts anew."""
    chance = random.Random(0)
    for _ in range(KILLS):
        process = fresh.start("snakemake", LAST)
        sent = chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        try:
            process.wait(timeout=chance.uniform(0.5, 8))
        except subprocess.TimeoutExpired:
            if chance.random() < 0.5:
                os.killpg(process.pid, sent)
            else:
                process.send_signal(sent)
            process.wait()
        else:
            shutil.rmtree(fresh.root / "results/dots")
        fresh.run("snakemake", "--unlock")
    fresh.run("snakemake", LAST)
    assert fresh.read(TABLES.format("dots")) == finished.read(TABLES.format("dots"))


def test_a_full_disk_is_named_and_leaves_no_half_file(finished):
    """The limit on a file's size stands in for the disk: writing fails in the same place."""
    folder = finished.root / "results/dots/seed-0/rounds"
    command = "competitive-mixtures train-round --config results/dots/config.json --data data/processed/dots"
    words = f"{command} --seed 0 --round 3 --previous {folder.relative_to(finished.root)}/2 --out results/new"
    output = finished.run("bash", "-c", f"ulimit -f 2; {words}", check=False)
    assert "results/new/" in output
    assert "Traceback" not in output
    assert not finished.read("results/new/*")


def test_a_truncated_state_is_named_and_the_rest_stays(finished):
    state = finished.root / LAST
    before = finished.read(TABLES.format("dots"))
    os.truncate(state, 100)
    finished.change(set_number("experiments", "dots", "rounds", value=3))
    output = finished.run("snakemake", LAST.replace("/2/", "/3/"), check=False)
    assert LAST in output
    assert "Traceback" not in output
    assert finished.read(TABLES.format("dots")) == before
