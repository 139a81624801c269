"""Kills at any moment: the next run goes on by itself and ends with the same bytes."""

import os
import random
import shutil
import signal
import subprocess

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
    fresh.run("snakemake", LAST)
    assert fresh.read(TABLES.format("dots")) == finished.read(TABLES.format("dots"))
