"""What continuous integration runs: a browser and poppler come where missing, then checks, documents and tests."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLS = """for package in "$@"; do
    case "$package" in
        chromium) command=chromium ;;
        poppler-utils) command=pdftotext ;;
        *) continue ;;
    esac
    printf "#!/bin/sh\\n" > "$TOOLS/$command"
    chmod +x "$TOOLS/$command"
done
"""


@dataclass
class Machine:
    """A machine with the commands that a test gives it; each notes in `calls` how it was called."""

    tools: Path

    def give(self, name: str, script: str = "") -> None:
        path = self.tools / name
        path.write_text(f'#!/bin/sh\necho {name} "$*" >> "$TOOLS/calls"\n{script}')
        path.chmod(0o755)

    def run(self) -> tuple[list[str], str]:
        """Run `.ci/run`; gives the calls in order, and what it said."""
        script = self.tools.parent / ".ci/run"
        environment = os.environ | {"PATH": str(self.tools), "TOOLS": str(self.tools)}
        ran = subprocess.run([self.tools / "bash", script], env=environment, capture_output=True, text=True, check=True)
        return (self.tools / "calls").read_text().splitlines(), ran.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One without a browser and poppler, whose user is root."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tmp_path / ".ci").mkdir()
    shutil.copy2(ROOT / ".ci/run", tmp_path / ".ci/run")
    for name in ("bash", "sh", "dirname", "chmod"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "id").write_text("#!/bin/sh\necho 0\n")
    (tools / "id").chmod(0o755)
    machine = Machine(tools)
    machine.give("make")
    return machine


MADE = ["make check", "make docs", "make test"]


NOTES = (
    "note: no browser here, and none could be installed: the tests in one are skipped\n"
    "note: no pdftotext here: the tests of the PDF's text are skipped\n"
)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_what_is_there_is_taken(machine, name):
    machine.give(name)
    machine.give("pdftotext")
    machine.give("apt-get", INSTALLS)
    assert machine.run() == (MADE, "")


@pytest.mark.parametrize(
    ("there", "installed"),
    [((), " chromium poppler-utils"), (("chromium",), " poppler-utils"), (("pdftotext",), " chromium")],
)
def test_what_is_missing_is_installed(machine, there, installed):
    for name in there:
        machine.give(name)
    machine.give("apt-get", INSTALLS)
    calls, said = machine.run()
    assert [call.partition(" ")[0] for call in calls] == ["apt-get", "apt-get", "make", "make", "make"]
    assert calls[1].endswith("--no-install-recommends" + installed)
    assert calls[2:] == MADE
    assert said == ""


@pytest.mark.parametrize("script", [None, "exit 100\n"])
def test_what_cannot_be_had_is_said_and_the_rest_runs(machine, script):
    if script:
        machine.give("apt-get", script)
    calls, said = machine.run()
    assert calls[-3:] == MADE
    assert said == NOTES


def test_who_is_not_root_installs_nothing(machine):
    (machine.tools / "id").write_text("#!/bin/sh\necho 1000\n")
    machine.give("apt-get", INSTALLS)
    assert machine.run() == (MADE, NOTES)
