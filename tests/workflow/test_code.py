"""A step runs again when code is edited that its numbers depend on: what it imports is among its rule's inputs."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import ROOT, Project, make_project
from test_faults import STEPS
from test_inception_scores import RECORD, ask_for_fid

from competitive_mixtures.files.folders import Results
from imports import MODULES, SOURCE, close, holds_code, imports_of_command, read_listing, room_of

CODE = f"{SOURCE.relative_to(ROOT)}/"
LISTINGS = Results("results").code("").parent
# What a step imports and no number depends on.
EXEMPT = {
    "errors.py",  # sentences for the user
    "settings/messages.py",  # the same, of mistakes in settings
    "progress.py",  # bars and lines on the terminal
    "files/checksums.py",  # SHA-256, which tells files apart
    "files/access.py",  # whether a file can be read and written, not what is in it
    "files/formats.py",  # formats: what is written is read again as it was
    "files/folders.py",  # names
    "files/leftovers.py",  # half files that killed processes have left are removed
    "processes.py",  # which of these are alive
}

EXPERIMENT = "digits-latent"  # of the tiny project: its data are raw files, images and labelled
ALONE = {"summarize", "assess_claims", "write_tables", "plot_figures", "compile_paper", "write_pages"}
# Runs a step and writes down which modules of the package it has imported.
LISTING = """
import sys
from pathlib import Path
_, listing, *words = sys.argv
sys.argv = ["competitive-mixtures", *words]
import competitive_mixtures
from competitive_mixtures.pipeline.cli import app
try:
    app()
finally:
    root = Path(competitive_mixtures.__file__).parent
    files = [Path(module.__file__) for name, module in sys.modules.items() if name.startswith("competitive_mixtures.")]
    Path(listing).write_text("\\n".join(str(file.relative_to(root)) for file in files))
"""


@dataclass(frozen=True)
class Step:
    """A rule as Snakemake sees it.

    Attributes:
        command: the subcommand that it runs.
        inputs, outputs: of all its jobs; what is deleted once it has been used is no output.
    """

    command: str
    inputs: frozenset[str]
    outputs: frozenset[str]

    @property
    def code(self) -> set[str]:
        """The modules among its inputs, by their paths below the package."""
        return {path.removeprefix(CODE) for path in self.inputs if path.startswith(CODE)}


def read_inputs(project: Project, listed: Iterable[str]) -> Iterator[str]:
    """Inputs of a rule, the modules in the place of their list."""
    for path in listed:
        yield from read_listing(project.root / path) if Path(path).parent == LISTINGS else [path]


def read_steps(project: Project, *targets: str) -> dict[str, Step]:
    """The rules that targets need, by name."""
    steps: dict[str, Step] = {}
    for rule, block in read_jobs(project.run("snakemake", "-n", "-p", "--forceall", *targets)):
        lists = {
            key: re.findall(r"[^,\s][^,]*", line) for key, line in re.findall(r"^    (\w+): (.+)$", block, re.MULTILINE)
        }
        command = re.search(r"competitive-mixtures (\S+)", block)
        if command:
            known = steps.get(rule, Step(command[1], frozenset(), frozenset()))
            made = set(lists["output"]) if "output" in lists else set()
            inputs = known.inputs.union(read_inputs(project, lists["input"]))
            steps[rule] = Step(command[1], inputs, known.outputs | made)
    return steps


def read_jobs(output: str) -> Iterator[tuple[str, str]]:
    """The name of a job's rule and what Snakemake says of the job, from the output of a dry run."""
    parts = re.split(r"^(?:local)?rule (\S+):$", output, flags=re.MULTILINE)
    return zip(parts[1::2], parts[2::2], strict=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("code") / "project")


@pytest.fixture(scope="module")
def steps(project):
    return read_steps(project, "all", EXPERIMENT)


def needed_by(command: str) -> set[str]:
    """The modules with code that a subcommand imports and a number may depend on."""
    return {module for module in close(imports_of_command(command)) if holds_code(module)} - EXEMPT


def test_every_step_names_what_it_imports(steps, tmp_path):
    with_fid = make_project(tmp_path / "project")
    with_fid.change(ask_for_fid)
    steps = steps | read_steps(with_fid, RECORD)
    assert len(steps) > 15
    lacking = {rule: needed_by(step.command) - step.code for rule, step in steps.items()}
    assert {rule: sorted(modules) for rule, modules in lacking.items() if modules} == {}


def test_no_step_names_a_room_that_it_does_not_enter(steps):
    rooms = {
        rule: {room_of(module) for module in step.code} - {room_of(module) for module in needed_by(step.command)}
        for rule, step in steps.items()
    }
    assert {rule: names for rule, names in rooms.items() if names} == {}


@pytest.mark.parametrize("step", ["train-round", "evaluate", "write-tables", "plot-figures"])
def test_a_running_step_imports_what_its_source_says(finished_once, tmp_path, step):
    project, _ = finished_once
    words = STEPS[step].replace("NEW", str(tmp_path / "new")).split()
    project.run(sys.executable, "-c", LISTING, str(tmp_path / "modules"), *words)
    modules = set((tmp_path / "modules").read_text().split())
    assert len(modules) > 15
    assert modules <= close(imports_of_command(step)) | close(["pipeline/cli.py", "__init__.py"])


def test_nothing_is_exempt_that_is_gone():
    assert EXEMPT <= MODULES


@pytest.fixture(scope="module")
def stages(project, steps):
    """What the stages of dvc.yaml depend on, what they make, and the steps that they run, by their names."""
    listed = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    text = yaml.safe_dump(listed["experiment"]["do"]).replace("${item}", EXPERIMENT)
    data, experiment = read_steps(project, "data"), read_steps(project, EXPERIMENT)
    return [
        read_stage(listed["data"], data),
        read_stage(yaml.safe_load(text), {rule: experiment[rule] for rule in experiment.keys() - data}),
        read_stage(listed["report"], {rule: steps[rule] for rule in ALONE & steps.keys()}),
    ]


def read_stage(stage: dict[str, Any], steps: dict[str, Step]) -> tuple[set[str], set[str], dict[str, Step]]:
    """A stage's dependencies, its outs of all kinds, and its steps."""
    outs = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind, ())]
    return set(stage["deps"]), {path for out in outs for path in out}, steps


def find_outside(paths: Iterable[str], folders: set[str]) -> set[str]:
    """The paths that are none of these and lie in none of these."""
    return {path for path in paths if not {path, *map(str, Path(path).parents)} & folders}


def test_dvc_depends_on_what_the_steps_read(stages):
    for deps, _, steps in stages:
        made = {path for step in steps.values() for path in step.outputs}
        for rule, step in steps.items():
            assert find_outside(step.inputs - made, deps) == set(), rule


def test_dvc_keeps_what_the_steps_write(stages):
    for _, outs, steps in stages:
        for rule, step in steps.items():
            assert find_outside(step.outputs, outs) == set(), rule


def test_every_step_is_one_of_dvcs(stages, steps):
    sharded = {"train_shard", "reassign", "reassign_last"}
    assert {rule for *_, of_stage in stages for rule in of_stage} | sharded == steps.keys()
