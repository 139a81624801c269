"""Kills at any moment of any step: the next run ends with the same bytes and repeats at most the running job."""

import os
import random
import shutil
import signal
import subprocess

from projects import Project, end

KILLS = int(os.environ.get("KILLS", "4"))  # `make test-kills` asks for 50
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
TARGET = "results/tables/dots/summary.csv"
RUN = "results/experiments/dots/seed-0"
MARKS = ("data/*/dots/*.json", f"{RUN}/**/metrics.json", f"{RUN}/**/scores.csv")
SAME = ("data/processed/dots/*", f"{RUN}/**/*.np?", f"{RUN}/**/*.parquet", f"{RUN}/**/*.safetensors")


def note_times(project: Project) -> dict[str, int]:
    """When each step ended, by the last file that it writes."""
    paths = [path for pattern in MARKS for path in project.root.glob(pattern)]
    return {str(path.parent): path.stat().st_mtime_ns for path in paths}


def kill_at_random(project: Project, chance: random.Random) -> bool:
    """Start the pipeline and kill it, with its job or alone; gives whether it ended before that."""
    process = project.start("snakemake", "--cores", "1", TARGET)
    sent = chance.choice(SIGNALS)
    try:
        process.wait(timeout=chance.uniform(0.5, 12))
    except subprocess.TimeoutExpired:
        end(process, sent, group=chance.random() < 0.5)
        return False
    assert process.returncode == 0, (project.root / "started.log").read_text()
    return True


def test_kills_at_random_moments(finished, fresh):
    """A run that gets through starts anew."""
    chance = random.Random(0)
    for _ in range(KILLS):
        before = note_times(fresh)
        ended = kill_at_random(fresh, chance)
        after = note_times(fresh)
        repeated = {step for step, time in before.items() if after[step] != time}
        assert len(repeated) <= 1, repeated
        if ended:
            shutil.rmtree(fresh.root / "results")
            shutil.rmtree(fresh.root / "data")
    fresh.run("snakemake", "--cores", "1", TARGET)
    for pattern in SAME:
        assert fresh.read(pattern) == finished.read(pattern), pattern
