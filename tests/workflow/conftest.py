"""A finished tiny project that the tests of the workflow copy and change."""

import json
import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from projects import Project, make_project


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """A project right after cloning; its path has a space and an accent."""
    return make_project(tmp_path / "fresh" / "mon étude")


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, int]]:
    """A project after the user's own command, to be left as it is, and the jobs that ran.

    One for all processes of the tests: the first that asks makes it, and others wait.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    root, jobs = folder / "finished" / "mon étude", folder / "finished.json"
    with FileLock(folder / "finished.lock"):
        if not jobs.is_file():
            shutil.rmtree(root, ignore_errors=True)  # of a process that failed
            ran = make_project(root).snakemake("--cores", "4", "--resources", "gpu=1", "all")
            jobs.write_text(json.dumps(ran))
    return Project(root), json.loads(jobs.read_text())


@pytest.fixture
def finished(finished_once: tuple[Project, dict[str, int]], tmp_path: Path) -> Project:
    """A copy of the finished project."""
    return finished_once[0].copy(tmp_path / "finished" / "mon étude")
