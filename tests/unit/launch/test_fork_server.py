"""Jobs forked from the process that has PyTorch imported: what a command would do by itself, and its end with it."""

import errno
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from competitive_mixtures.launch import fork_server
from competitive_mixtures.launch.fork_server import MANY_JOBS, serve_jobs
from competitive_mixtures.pipeline.fork_client import ADDRESS, connect, is_own
from competitive_mixtures.pipeline.lifeline import RUN
from competitive_mixtures.processes import find_start

COMMAND = [sys.executable, "-c", "from competitive_mixtures.launch.cli_entry import main; main()"]
DEADLINE_S = 60
SOON_S = 2.0  # in which everything has ended that nobody waits for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do without the server")


@pytest.fixture(scope="module")
def served():
    with serve_jobs():
        yield


@pytest.fixture
def server():
    """The server's process, in a run of its own."""
    with pytest.MonkeyPatch.context() as patch:
        started = []
        start = fork_server.start_server
        patch.setattr(fork_server, "start_server", lambda: started.append(start()) or started[0])
        saved = {name: os.environ.get(name) for name in (ADDRESS, RUN)}
        with serve_jobs():
            yield started[0]
        os.environ.update({name: value for name, value in saved.items() if value})


def run(*words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, **options)


class WaitingJob:
    """A job that waits to print its help, since the pipe that it prints to is full."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.log = folder / "log"
        self.reader, writer = os.pipe()
        fill(writer)
        with self.log.open("w") as log:
            self.command = subprocess.Popen(
                [*COMMAND, "pretrain", "--help"], stdout=writer, stderr=log, env=os.environ | environment
            )
        os.close(writer)
        self.worker = wait_for(self.find_worker)

    def find_worker(self) -> int | None:
        """The process besides the command that may print."""
        pipe = os.readlink(f"/proc/self/fd/{self.reader}")
        for output in Path("/proc").glob("[0-9]*/fd/1"):
            pid = int(output.parts[2])
            with suppress(OSError):  # it has just ended
                if pid != self.command.pid and os.readlink(output) == pipe:
                    return pid
        return None

    def has_ended(self) -> bool:
        with suppress(TimeoutError):
            wait_for(lambda: True if find_start(self.worker) is None else None, SOON_S)
        os.close(self.reader)
        return find_start(self.worker) is None


def fill(writer: int) -> None:
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b" " * 4096)
    os.set_blocking(writer, True)


def wait_for(attempt, seconds=DEADLINE_S):
    """The first value that is not None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (value := attempt()) is not None:
            return value
        time.sleep(0.05)
    raise TimeoutError


def test_the_output_and_the_status_are_the_commands_own(served):
    helped = run("train-round", "--help")
    assert helped.returncode == 0
    assert "--previous" in helped.stdout
    misused = run("train-round", "--previuos", "x")
    assert misused.returncode == 2
    assert "--previuos" in misused.stderr


def test_what_few_jobs_need_is_imported_after_many(server):
    def holds_scikit_learn():
        return "/sklearn/" in Path(f"/proc/{server.pid}/maps").read_text()

    for _ in range(MANY_JOBS - 1):
        assert run("pretrain", "--help").returncode == 0
    assert "/torch/" in Path(f"/proc/{server.pid}/maps").read_text()
    assert not holds_scikit_learn()
    assert run("pretrain", "--help").returncode == 0
    wait_for(lambda: holds_scikit_learn() or None)
    assert run("pretrain", "--help").returncode == 0


def test_mistakes_are_told_without_a_traceback_and_paths_are_those_of_the_caller(served, tmp_path):
    (tmp_path / "here.json").write_text("{")
    words = ["pretrain", "--config", "here.json", "--data", "data", "--seed", "0", "--out", "out"]
    found = run(*words, cwd=tmp_path)
    assert found.returncode == 1
    assert "here.json" in found.stderr
    assert "not found" not in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("by_server", [True, False])
def test_a_job_ends_with_the_command_that_asked_for_it(served, tmp_path, by_server):
    job = WaitingJob(tmp_path, **({} if by_server else {ADDRESS: ""}))
    job.command.kill()
    job.command.wait()
    assert job.has_ended()
    assert "ended, since the run or the command" in job.log.read_text()


@pytest.mark.parametrize("by_server", [True, False])
def test_a_job_that_is_killed_leaves_a_sentence(served, tmp_path, by_server):
    job = WaitingJob(tmp_path, **({} if by_server else {ADDRESS: ""}))
    os.kill(job.worker, signal.SIGKILL)
    assert job.command.wait(timeout=SOON_S) == 128 + signal.SIGKILL
    assert job.has_ended()
    message = job.log.read_text()
    assert message.startswith("error: the job was ended by signal 9 (SIGKILL): killed, by the system if the memory was")
    assert "mem_mb" in message
    assert message.count("\n") == 1


def test_a_command_that_is_asked_to_end_says_so(served, tmp_path):
    job = WaitingJob(tmp_path)
    job.command.terminate()
    assert job.command.wait(timeout=SOON_S) == 128 + signal.SIGTERM
    assert job.has_ended()
    assert "signal 15 (SIGTERM): asked to end; run again" in job.log.read_text()


def test_the_death_of_the_server_leaves_its_jobs_alone(server, tmp_path):
    job = WaitingJob(tmp_path)
    server.kill()
    server.wait()
    with pytest.raises(subprocess.TimeoutExpired):
        job.command.wait(timeout=1.0)
    os.kill(job.worker, signal.SIGKILL)
    assert job.command.wait(timeout=SOON_S) == 1
    assert job.has_ended()
    assert "error: the job was ended by a signal: killed, by the system if the memory was full" in job.log.read_text()
    assert "--previous" in run("train-round", "--help").stdout  # without it


def test_a_request_that_waits_while_the_server_dies_is_met_by_the_command(server):
    server.send_signal(signal.SIGSTOP)
    client = subprocess.Popen([*COMMAND, "train-round", "--help"], stdout=subprocess.PIPE, text=True)
    time.sleep(1.0)
    assert client.poll() is None
    server.kill()
    output, _ = client.communicate(timeout=DEADLINE_S)
    assert client.returncode == 0
    assert "--previous" in output


def test_a_server_that_can_open_no_more_files_is_done_without(server):
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (6, 6))
    assert "--previous" in run("train-round", "--help").stdout


@pytest.mark.parametrize("failing", ["socket", "Popen"])
def test_without_a_server_a_run_says_one_sentence(monkeypatch, capsys, failing):
    def fail(*_, **__):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(*((socket, "socket") if failing == "socket" else (subprocess, "Popen")), fail)
        with serve_jobs():
            assert ADDRESS not in os.environ
            assert RUN in os.environ
    assert re.fullmatch(r"note: each job imports PyTorch itself.*\(.*Too many open files\)\n", capsys.readouterr().err)


def test_a_command_works_alone_where_the_server_would_do_otherwise(server, monkeypatch):
    with connect():
        pass
    for name, value in {"OMP_NUM_THREADS": "2", "SLURM_JOB_ID": "7", ADDRESS: "nowhere"}.items():
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert connect() is None


def test_the_server_ends_with_snakemake(tmp_path):
    with serve_jobs():
        address = os.environ[ADDRESS]
        with connect():
            pass
    assert {ADDRESS, RUN}.isdisjoint(os.environ)
    assert address not in Path("/proc/net/unix").read_text()
    assert connect() is None


def test_no_folder_is_needed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / ("x" * 120)))
    with serve_jobs():
        assert "--previous" in run("train-round", "--help").stdout
    assert list(tmp_path.iterdir()) == []


def test_only_the_users_own_processes_are_served(monkeypatch):
    here, there = socket.socketpair()
    with here, there:
        assert is_own(here)
        monkeypatch.setattr(os, "getuid", lambda: 12345)
        assert not is_own(here)
