"""The `competitive-mixtures` command where packages are missing; tests/packaging runs it as pip installs it."""

import subprocess
import sys

import pytest

from competitive_mixtures.launch import cli_entry
from competitive_mixtures.pipeline import cli


@pytest.fixture(autouse=True)
def _environment_of_the_tests(monkeypatch):
    """Stays as it is: what the command does to its own is told by test_user_settings.py."""
    monkeypatch.setattr(cli_entry, "set_aside", lambda words: None)


def raise_missing(name):
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize("name", ["pyarrow", "matplotlib.pyplot"])
def test_a_missing_package_of_a_subcommand_is_a_sentence_too(monkeypatch, capsys, name):
    monkeypatch.setattr(cli, "run_command", lambda: raise_missing(name))
    with pytest.raises(SystemExit) as ended:
        cli_entry.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"error: this command needs {name}; install competitive-mixtures[pipeline]\n"


def test_a_missing_module_of_our_own_is_a_fault_and_no_advice(monkeypatch):
    monkeypatch.setattr(cli, "run_command", lambda: raise_missing("competitive_mixtures.nowhere"))
    with pytest.raises(ModuleNotFoundError):
        cli_entry.main()


def test_the_command_is_the_pipelines(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["competitive-mixtures", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli_entry.main()
    assert ended.value.code == 0
    assert "train-round" in capsys.readouterr().out


@pytest.mark.parametrize(("command", "by_server"), [("train-round", True), ("summarize", False)])
def test_in_a_run_of_the_workflow_the_command_only_waits(command, by_server):
    """What it imports, it imports once a job: neither the command line nor what that stands on."""
    program = f"""
import os, sys
from competitive_mixtures.launch import cli_entry
os.environ[cli_entry.RUN] = "a run"
sys.argv = ["competitive-mixtures", "{command}"]
cli_entry.run_job = lambda words, run, *, by_server: print(words[1], by_server)
try:
    cli_entry.main()
finally:
    print(*sorted({{"typer", "numpy", "pydantic", "competitive_mixtures.pipeline.cli"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [command, str(by_server)]


def test_the_server_does_every_subcommand_that_computes_with_pytorch():
    """And no other: those are the ones that ask for threads."""
    computing = {command.callback for command in cli.app.registered_commands if command.callback}
    names = {function.__name__.replace("_", "-") for function in computing if "threads" in function.__annotations__}
    assert names == cli_entry.WITH_PYTORCH
