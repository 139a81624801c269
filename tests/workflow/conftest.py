"""A finished tiny project that the tests of the workflow copy and change."""

from pathlib import Path

import pytest
from projects import Project, make_project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process: they share the finished project."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("workflow"))


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """A project right after cloning; its path has a space and an accent."""
    return make_project(tmp_path / "fresh" / "mon étude")


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, int]]:
    """A project after the user's own command, to be left as it is, and the jobs that ran."""
    project = make_project(tmp_path_factory.mktemp("finished") / "mon étude")
    return project, project.snakemake("--cores", "4", "--resources", "gpu=1", "all")


@pytest.fixture
def finished(finished_once: tuple[Project, dict[str, int]], tmp_path: Path) -> Project:
    """A copy of the finished project."""
    return finished_once[0].copy(tmp_path / "finished" / "mon étude")
