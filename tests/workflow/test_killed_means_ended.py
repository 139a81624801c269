"""Every process of a run killed, alone and with others: nothing of it is alive soon after, and the next run works."""

import os
import signal
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from projects import Project
from test_changes import set_number

from competitive_mixtures.launch.fork_server import start_server
from competitive_mixtures.processes import find_start

SOON_S = 2.0
DATA = "data/processed/dots/meta.json"
TARGET = "results/experiments/dots/seed-0/pretrain/metrics.json"
LOG = "logs/experiments/dots/seed-0/pretrain.log"
SETTLE_S = 0.5
ENDLESS = 10**6  # steps
SERVER = start_server.__module__
ROLES = ("snakemake", "server", "shell", "command", "work")


def list_run(project: Project) -> dict[int, str]:
    """The processes that work in a project's folder, with what they are."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # somebody else's, or gone
            if os.readlink(folder / "cwd") == str(project.root) and find_start(int(folder.name)):
                found[int(folder.name)] = name_role(folder)
    return found


def name_role(process: Path) -> str:
    """`snakemake`, `server`, `shell`, `command`, or `work`, forked from the server or the command."""
    words = (process / "cmdline").read_text()
    parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
    if "snakemake_entry" in words:
        return "snakemake"
    if words.startswith(("/bin/bash", "/bin/sh", "bash", "sh")):
        return "shell"
    above = Path(f"/proc/{parent}/cmdline").read_text()
    if SERVER in words:
        return "server" if "snakemake_entry" in above else "work"
    return "work" if words == above else "command"


@contextmanager
def train(project: Project) -> Iterator[dict[int, str]]:
    """Start a run and wait until it trains; gives its processes, and waits for its end."""
    with project.start("snakemake", "--cores", "2", TARGET) as snakemake:
        try:
            before, now = {}, list_run(project)
            while not any(role == "work" and before.get(pid) == role for pid, role in now.items()):
                assert snakemake.poll() is None, (project.root / "started.log").read_text()
                time.sleep(SETTLE_S)  # a fork that is about to run another program looks like work, once
                before, now = now, list_run(project)
            yield now
        except BaseException:  # a test that fails does not wait for the end of an endless training
            kill(list_run(project), ROLES)
            raise


def wait_for_quiet(project: Project, seconds: float) -> dict[int, str]:
    """What is left of a run after some seconds, or before, where nothing is."""
    deadline = time.monotonic() + seconds
    while (left := list_run(project)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.fixture
def project(fresh):
    """One whose pretraining would take minutes; nothing of it stays alive."""
    fresh.change(set_number("experiments", "dots", "training", "pretraining_steps", value=ENDLESS))
    fresh.run("snakemake", "--cores", "1", DATA)
    yield fresh
    for pid in list_run(fresh):
        os.kill(pid, signal.SIGKILL)


def kill(processes: dict[int, str], roles: Container[str]) -> None:
    """Kill the processes of some roles, all at once."""
    for pid, role in processes.items():
        if role in roles:
            os.kill(pid, signal.SIGKILL)


def test_a_run_ends_with_snakemake(project):
    """Each run is the next one after a kill."""
    for also in [(), ("server",), ("command",), ("work",), ("server", "command", "work", "shell")]:
        with train(project) as processes:
            assert {"snakemake", "server", "command", "work"} <= set(processes.values())
            kill(processes, ("snakemake", *also))
            assert wait_for_quiet(project, SOON_S) == {}, also
    project.change(set_number("experiments", "dots", "training", "pretraining_steps", value=1))
    project.run("snakemake", "--cores", "1", TARGET)
    assert not list((project.root / "results").rglob(".*"))


def test_a_job_ends_with_any_of_its_processes(project):
    """And Snakemake then reports that it failed. A command that loses server and worker at once may start again."""
    for roles in [("command",), ("work",), ("server", "command")]:
        with train(project) as processes:
            kill(processes, roles)
            assert {"command", "work"}.isdisjoint(wait_for_quiet(project, SOON_S).values()), roles
        assert list_run(project) == {}
        assert (project.root / LOG).read_text().count("error: ") == 1


@pytest.mark.parametrize("role", ["snakemake", "command", "work"])
def test_jobs_that_do_without_the_server(project, role):
    """Those of two threads do."""
    project.change(set_number("experiments", "dots", "resources", "threads", value=2))
    with train(project) as processes:
        kill(processes, [role])
        assert {"command", "work"}.isdisjoint(wait_for_quiet(project, SOON_S).values())


def test_a_run_goes_on_without_its_server(project):
    with train(project) as processes:
        kill(processes, ["server"])
        time.sleep(1.0)
        assert list_run(project) == {pid: role for pid, role in processes.items() if role != "server"}
        kill(processes, ["snakemake"])


@pytest.mark.parametrize("folder", ["missing", "x" * 120, "/proc"])
def test_the_folder_for_temporary_files_is_no_matter(fresh, tmp_path, folder):
    fresh.environment["TMPDIR"] = str(tmp_path / folder)
    output = fresh.run("snakemake", "--cores", "2", TARGET)
    assert "Traceback" not in output
    assert (fresh.root / TARGET).is_file()


def test_few_open_files(fresh):
    output = fresh.run("bash", "-c", f"ulimit -n 40; exec snakemake --cores 2 {TARGET}")
    assert "Traceback" not in output
