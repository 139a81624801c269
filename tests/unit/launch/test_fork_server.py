"""Jobs forked from the process that has PyTorch imported: what a command would do by itself, and its end with it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from competitive_mixtures.launch.fork_server import serve_jobs
from competitive_mixtures.pipeline.fork_client import ADDRESS, connect

COMMAND = [sys.executable, "-c", "from competitive_mixtures.pipeline.cli import main; main()"]
DEADLINE_S = 60


@pytest.fixture(scope="module")
def served():
    with serve_jobs():
        yield


def run(*words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, **options)


def test_the_output_and_the_status_are_the_commands_own(served):
    helped = run("train-round", "--help")
    assert helped.returncode == 0
    assert "--previous" in helped.stdout
    misused = run("train-round", "--previuos", "x")
    assert misused.returncode == 2
    assert "--previuos" in misused.stderr


def test_mistakes_are_told_without_a_traceback_and_paths_are_those_of_the_caller(served, tmp_path):
    (tmp_path / "here.json").write_text("{")
    words = ["pretrain", "--config", "here.json", "--data", "data", "--seed", "0", "--out", "out"]
    found = run(*words, cwd=tmp_path)
    assert found.returncode == 1
    assert "here.json" in found.stderr
    assert "not found" not in found.stderr
    assert "Traceback" not in found.stderr


def test_a_job_ends_with_the_command_that_asked_for_it(served, tmp_path):
    """A pipe in the place of the settings: the job waits for them, and it can be seen whether somebody reads."""
    pipe = tmp_path / "config.json"
    os.mkfifo(pipe)
    words = f"pretrain --config {pipe} --data data --seed 0 --out out".split()
    client = subprocess.Popen([*COMMAND, *words])
    writer = wait_for(lambda: os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    client.kill()
    client.wait()
    with pytest.raises(BrokenPipeError):
        wait_for(lambda: os.write(writer, b" ") and None)
    os.close(writer)


def wait_for(attempt):
    """The first value that is not None; an error but "nobody reads yet" passes through."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            if (value := attempt()) is not None:
                return value
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
        time.sleep(0.05)
    raise TimeoutError


def test_a_command_works_alone_where_the_server_would_do_otherwise(served, monkeypatch):
    with connect():
        pass
    for name, value in {"OMP_NUM_THREADS": "2", "SLURM_JOB_ID": "7", ADDRESS: "/nowhere"}.items():
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert connect() is None


def test_the_server_ends_with_snakemake():
    with serve_jobs():
        address = os.environ[ADDRESS]
        assert Path(address).exists()
    assert ADDRESS not in os.environ
    assert not Path(address).exists()
    assert connect() is None
