"""The project's `snakemake` in an activated environment, before and after Snakemake is reinstalled there."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import competitive_mixtures
from competitive_mixtures.launch import activation

ROOT = Path(__file__).parents[3]
SNAKEFILE = 'rule hello:\n    output: "hello.txt"\n    shell: "echo hello > {output}"\n'
INFO = "snakemake-99.0.dist-info"
WHEEL = {  # of Snakemake, as far as pip makes a command from it
    "METADATA": "Metadata-Version: 2.1\nName: snakemake\nVersion: 99.0\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "entry_points.txt": "[console_scripts]\nsnakemake = snakemake.cli:main\n",
    "RECORD": f"{INFO}/METADATA,,\n{INFO}/WHEEL,,\n{INFO}/entry_points.txt,,\n{INFO}/RECORD,,\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a Snakefile, and an environment `.venv` that finds all packages of the one the tests run in."""
    folder = tmp_path / "mon étude"
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    venv.create(folder / ".venv", symlinks=True)
    (packages,) = (folder / ".venv/lib").glob("python*/site-packages")
    found = [Path(competitive_mixtures.__file__).parents[1], sysconfig.get_path("purelib")]
    (packages / "all.pth").write_text("".join(f"{path}\n" for path in found))
    return folder


def run(project: Path, *words: str) -> str:
    """Run a command in the folder, in no environment; gives what it printed."""
    hidden = {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PATH"] = os.pathsep.join(
        part for part in os.environ["PATH"].split(os.pathsep) if not (Path(part) / "snakemake").exists()
    )
    ran = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def install(project: Path) -> None:
    run(project, ".venv/bin/python", "-m", "competitive_mixtures.launch.activation")


def reinstall_snakemake(project: Path) -> None:
    """Have pip write Snakemake's own command, as it does whenever it installs Snakemake."""
    wheel = project / "snakemake-99.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in WHEEL.items():
            archive.writestr(f"{INFO}/{name}", text)
    pip = [sys.executable, "-m", "pip", "--python", ".venv/bin/python", "install", "--quiet", "--no-index"]
    run(project, *pip, "--no-deps", "--force-reinstall", "--root-user-action=ignore", wheel.name)
    assert "from snakemake.cli import main" in (project / ".venv/bin/snakemake").read_text()


def test_the_command_to_the_letter_after_a_reinstallation(project):
    install(project)
    reinstall_snakemake(project)
    run(project, "sh", "-c", ". .venv/bin/activate && snakemake --cores 4 --resources gpu=1 hello")
    assert (project / "hello.txt").read_text() == "hello\n"
    run(project, "sh", "-c", ". .venv/bin/activate && python -m snakemake hello --cores 4 --resources gpu=1 --forceall")


def test_the_environments_path_without_activation(project):
    install(project)
    assert "usage: snakemake" in run(project, ".venv/bin/snakemake", "--help")


@pytest.mark.parametrize(
    ("shell", "activate", "where", "otherwise"),
    [
        ("bash", "activate", "command -v snakemake", "|| echo none"),
        ("fish", "activate.fish", "command -v snakemake", "; or echo none"),
        ("tcsh", "activate.csh", "which snakemake", "|| echo none"),
    ],
)
def test_shells_find_it_first_and_lose_it_again(project, shell, activate, where, otherwise):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    install(project)
    reinstall_snakemake(project)
    lines = ["set prompt=x", f"source .venv/bin/{activate}", where, "deactivate", f"{where} {otherwise}"]
    (project / "script").write_text("\n".join(lines if shell == "tcsh" else lines[1:]) + "\n")
    found, *after = run(project, shell, "script").splitlines()
    assert found == str(project / ".venv/commands/snakemake")
    assert after[-1] == "none"


def test_installing_twice_is_installing_once(project):
    install(project)
    before = {path: path.read_text() for path in (project / ".venv/bin").glob("activate*")}
    install(project)
    assert before == {path: path.read_text() for path in before}
    assert all("commands" in before[project / ".venv/bin" / name] for name in activation.SHELLS)


def test_make_restores_the_copy_in_bin_and_is_then_done(project):
    install(project)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy2(ROOT / name, project)
    code = project / "src/competitive_mixtures/launch/activation.py"
    code.parent.mkdir(parents=True)
    shutil.copy2(activation.__file__, code)
    for name in ("requirements.lock", "pyproject.toml"):  # stands for a finished installation
        shutil.copy(ROOT / name, project / ".venv")
    run(project, "make", "environment")
    assert "Nothing to be done" in run(project, "make", "environment")
    reinstall_snakemake(project)
    run(project, "make", "environment")
    assert "snakemake_entry" in (project / ".venv/bin/snakemake").read_text()
    assert "Nothing to be done" in run(project, "make", "environment")


def test_only_a_virtual_environment_is_written_to(monkeypatch):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(activation, "install", lambda environment: pytest.fail("it was written to"))
    with pytest.raises(SystemExit, match="is no virtual environment"):
        activation.main()
