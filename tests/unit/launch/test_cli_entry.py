"""The `competitive-mixtures` command where packages are missing; tests/packaging runs it as pip installs it."""

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
def test_a_missing_package_of_a_subcommand_is_a_sentence_too(monkeypatch, name):
    monkeypatch.setattr(cli, "main", lambda: raise_missing(name))
    with pytest.raises(
        SystemExit, match=rf"^error: this command needs {name}; install competitive-mixtures\[pipeline\]$"
    ):
        cli_entry.main()


def test_a_missing_module_of_our_own_is_a_fault_and_no_advice(monkeypatch):
    monkeypatch.setattr(cli, "main", lambda: raise_missing("competitive_mixtures.nowhere"))
    with pytest.raises(ModuleNotFoundError):
        cli_entry.main()


def test_the_command_is_the_pipelines(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["competitive-mixtures", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli_entry.main()
    assert ended.value.code == 0
    assert "train-round" in capsys.readouterr().out
