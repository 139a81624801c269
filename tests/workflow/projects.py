"""A copy of the project with tiny parameters, driven as a user drives it."""

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).parents[2]
PARTS = (
    *("Snakefile", "workflow", "profiles", "paper", "src"),
    *("dvc.yaml", "overrides.yaml", "stages.yaml", ".dvc/config", ".dvc/plots", ".dvcignore", ".gitignore"),
    *("data/README.md", "data/files/README.md", "results/README.md"),
)
MADE = {
    "src": ("*.egg-info", "*.pyc.*"),  # byte code that is being written
    "paper": ("figures", "tables", "*.pdf", "verdict"),
}  # is not part of the project
IDX_NAMES = {
    "train": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def end(process: subprocess.Popen[bytes], sent: int, *, group: bool = True) -> None:
    """Send a signal to a run, or to its group, and wait for its end, which has to come."""
    if group:
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    try:
        process.wait(timeout=60)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)


@dataclass
class Project:
    """A folder that holds the project.

    Attributes:
        root: the folder.
        environment: further environment variables for everything that is run in it.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command in the folder, as in an activated environment; gives what it printed."""
        ran = subprocess.run(words, cwd=self.root, env=self._environment(), capture_output=True, text=True)
        output = ran.stdout + ran.stderr
        if check and ran.returncode:
            raise AssertionError(f"{' '.join(words)} ended with {ran.returncode}:\n{output}")
        return output

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own."""
        with (self.root / "started.log").open("wb") as log:
            return subprocess.Popen(
                words, cwd=self.root, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )

    def snakemake(self, *words: str) -> dict[str, int]:
        """Run Snakemake with a target and perhaps options; gives how many jobs of each rule there were."""
        return count_jobs(self.run("snakemake", *words))

    def plan(self, *targets: str) -> dict[str, int]:
        """The jobs of each rule that Snakemake would run for some targets."""
        return self.snakemake(*targets, "--dry-run")

    def change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        """Edit params.yaml."""
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text())
        edit(params)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def copy(self, root: Path) -> "Project":
        """The same project elsewhere, times of modification included."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root, self.environment)

    def read(self, pattern: str) -> dict[str, bytes]:
        """Contents of the files that match a pattern, by their paths."""
        return {str(path.relative_to(self.root)): path.read_bytes() for path in sorted(self.root.glob(pattern))}

    def _environment(self) -> Mapping[str, str]:
        scripts = str(Path(sys.executable).parent)
        ours = {
            "PATH": f"{scripts}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "DVC_NO_ANALYTICS": "1",
        }
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return inherited | ours | self.environment  # a command compiles 150 modules where none may be kept


def make_project(root: Path) -> Project:
    """Copy the project and give it the tiny parameters and three digits."""
    root.mkdir(parents=True)
    for part in PARTS:
        source, target = ROOT / part, root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*MADE.get(part, ())))
        else:
            shutil.copy2(source, target)
    params = (ROOT / "tests/workflow/tiny.yaml").read_text()
    for key, digest in write_digits(root / "data/raw/digits").items():
        params = params.replace(f"{key}: {key.upper()}", f"{key}: {digest}")
    (root / "params.yaml").write_text(params)
    return Project(root)


def write_digits(folder: Path) -> dict[str, str]:
    """Write lines across, lines down and crosses as idx files; gives their MD5."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    digests = {}
    for split, count in (("train", 150), ("test", 120)):
        labels = np.arange(count, dtype=np.uint8) % 3
        images = random.integers(0, 60, (count, 8, 8), dtype=np.uint8)
        for image, label, place in zip(images, labels, random.integers(1, 6, count), strict=True):
            for strokes in (image, image.T)[int(label == 1) : 1 + int(label > 0)]:  # a line across, one down, a cross
                strokes[place : place + 2] = 250
        for key, array in ((split, images), (f"{split}_labels", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            content = header + array.tobytes()
            (folder / IDX_NAMES[key]).write_bytes(content)
            digests[key] = md5(content).hexdigest()
    return digests


def count_jobs(output: str) -> dict[str, int]:
    """Read Snakemake's table of jobs; empty where nothing is to be done."""
    table = re.search(r"^Job stats:\njob +count\n[- ]+\n(.*?)\n\n", output, re.MULTILINE | re.DOTALL)
    if table is None:
        assert "Nothing to be done" in output, output
        return {}
    jobs = (line.split() for line in table[1].splitlines())
    return {rule: int(count) for rule, count in jobs if rule not in ("total", "all")}
