"""A job's command: it has another process do the work, in a run only, and follows the run."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from competitive_mixtures.pipeline import lifeline
from competitive_mixtures.pipeline.fork_client import explain_kill, wait
from competitive_mixtures.pipeline.lifeline import RUN, follow_run, name_run
from competitive_mixtures.pipeline.worker import STARTED, tell_end
from competitive_mixtures.processes import find_start

PROGRAM = """
import os, sys, time
from competitive_mixtures.pipeline.fork_client import run_job
asked = os.getpid()
def run():
    {}
sys.exit(run_job(sys.argv, run, by_server=False))
"""


def run_job(body: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", PROGRAM.format(body)]
    return subprocess.run(words, capture_output=True, text=True, env=os.environ | environment, timeout=60)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('a word')", 1),
        ("raise ValueError", 1),
        ("os._exit(7)", 1),
    ],
)
def test_the_exit_status_is_that_of_the_work(body, status):
    ran = run_job(body)
    assert ran.returncode == status
    assert "since the run" not in ran.stderr


def test_another_process_works_whose_output_is_the_commands():
    ran = run_job("print(os.getpid() != asked)")
    assert ran.stdout == "True\n"


@pytest.mark.parametrize(("name", "hint"), [("SIGKILL", "the memory was full"), ("SIGSEGV", "a crash of a library")])
def test_a_signal_that_ends_the_work_is_named(name, hint):
    number = signal.Signals[name]
    ran = run_job(f"os.kill(os.getpid(), {int(number)})")
    assert ran.returncode == 128 + number
    assert ran.stderr.startswith(f"error: the job was ended by signal {int(number)} ({name}): ")
    assert hint in ran.stderr


@pytest.mark.parametrize("begun", [b"", STARTED], ids=["before it says that it started", "afterwards"])
def test_a_job_that_the_server_saw_killed_is_named(begun, capfd):
    command, server = socket.socketpair()
    server.sendall(begun)
    tell_end(server, signal.SIGKILL)  # which closes it
    with command:
        assert wait(command, lambda: True) == 128 + signal.SIGKILL
    assert capfd.readouterr().err.startswith("error: the job was ended by signal 9 (SIGKILL): ")


def test_no_more_processes_are_done_without():
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)); "
    words = [sys.executable, "-c", PROGRAM.format("print(os.getpid() == asked)").replace("asked =", limit + "asked =")]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, "True\n"), ran.stderr


def test_a_job_ends_when_the_run_is_no_more():
    """The run's process of that number and start is none, as after a kill in the moment that the job starts."""
    *place, pid, start = name_run().split(" ")
    for gone in ([*place, pid, "1"], [*place, "99999999", start]):
        ran = run_job("time.sleep(30); print('survived')", **{RUN: " ".join(gone)})
        assert ran.returncode == 1
        assert ran.stdout == ""


def test_a_job_ends_when_the_shell_between_is_killed(tmp_path):
    (tmp_path / "job.py").write_text(
        PROGRAM.format("open('started', 'w').write(str(os.getpid())); time.sleep(60); open('survived', 'w').close()")
    )
    command = f"{sys.executable} job.py & while ! [ -s started ]; do sleep 0.05; done; kill -9 $$"
    subprocess.run(["sh", "-c", command], cwd=tmp_path, env=os.environ | {RUN: name_run()}, check=False)
    job = int((tmp_path / "started").read_text())
    end = time.monotonic() + 40
    while find_start(job) is not None:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not (tmp_path / "survived").exists()


@pytest.mark.parametrize("change", ["no run", "another machine", "a job of Slurm's"])
def test_runs_elsewhere_are_not_followed(monkeypatch, change):
    *place, _, start = name_run().split(" ")
    gone = " ".join([*place, "99999999", start])
    monkeypatch.setenv(RUN, gone)
    assert not follow_run()()
    if change == "no run":
        monkeypatch.delenv(RUN)
    elif change == "another machine":
        monkeypatch.setattr(lifeline, "MACHINE", "another")
    else:
        monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert follow_run()()


def test_every_signal_has_a_remedy():
    assert all("run again" in explain_kill(number) for number in (0, *signal.valid_signals()) if number < 32)
