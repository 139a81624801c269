"""The distributions, built once from a copy of the project with files in it that do not belong into them."""

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_COPIED = {"data", "results", "logs", "build", "dist"}
STRAYS = ("data/raw/set.npz", "results/summary.csv", "paper/paper.pdf", "paper/figures/f.pdf", ".venv/bin/python")
BUILD = "from setuptools import build_meta; print(build_meta.build_{}({!r}))"


@dataclass(frozen=True)
class Built:
    """What `python -m build` makes: a source distribution, and a wheel from that.

    Attributes:
        source: the source distribution.
        wheel: the wheel.
        output: what setuptools said, both times.
    """

    source: Path
    wheel: Path
    output: str


def build(kind: str, project: Path, folder: Path) -> tuple[Path, str]:
    """Build a distribution with the setuptools of this environment; gives the file and what was printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [sys.executable, "-c", BUILD.format(kind, str(folder))]
    ran = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=True)
    return folder / ran.stdout.splitlines()[-1], ran.stdout + ran.stderr


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("build")
    project = folder / "project"
    project.mkdir()
    made = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for path in ROOT.iterdir():
        if path.is_dir() and path.name not in NOT_COPIED and not path.name.startswith("."):
            shutil.copytree(path, project / path.name, ignore=made)
        elif path.is_file():
            shutil.copy(path, project)
    shutil.copytree(ROOT / ".dvc/plots", project / ".dvc/plots")
    shutil.copy(ROOT / ".dvc/config", project / ".dvc")
    for name in STRAYS:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    source, said = build("sdist", project, folder)
    with tarfile.open(source) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    wheel, said_of_wheel = build("wheel", unpacked, folder)
    return Built(source, wheel, said + said_of_wheel)
