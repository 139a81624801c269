"""Commands do not depend on what the user's environment says to libraries."""

import os
import subprocess
import sys

import pytest

from competitive_mixtures.launch import cli_entry, snakemake_entry
from competitive_mixtures.launch.user_settings import DROPPED, THREADS, choose_interpreter, read_threads

REPORT = """
import sys
from competitive_mixtures.launch.user_settings import set_aside
assert "numpy" not in sys.modules
set_aside(sys.argv[1:])
import locale, os
print(sys.getfilesystemencoding(), locale.getencoding() if not sys.flags.utf8_mode else "UTF-8", sys.flags.optimize)
print(sorted(sys.warnoptions), sys.argv[1:])
print({name: os.environ.get(name) for name in (*DROPPED, *THREADS)})
print("\\u732b")
""".replace("DROPPED", repr(DROPPED)).replace("THREADS", repr(THREADS))


def ask(environment, *words):
    plain = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ} | {"LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-c", REPORT, *words]
    ran = subprocess.run(command, env=plain | environment, capture_output=True, check=True)
    return ran.stdout.decode().splitlines()


@pytest.mark.parametrize(
    "environment",
    [
        dict.fromkeys(DROPPED, "1") | dict.fromkeys(THREADS, "7"),
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"},
        {"PYTHONWARNINGS": "error::UserWarning", "LC_ALL": "POSIX", "PYTHONUTF8": "0"},
    ],
)
def test_a_process_is_the_same_in_any_environment(environment):
    """The words, which may be any, arrive as they were given."""
    words = ("train-round", "--threads", "3", "a b", "$x", "")
    expected = ask({}, *words)
    assert ask(environment, *words) == expected
    assert expected[0] == "utf-8 UTF-8 0"
    assert "'OMP_NUM_THREADS': '3'" in expected[2]


def test_a_message_that_the_terminal_cannot_show_ends_no_command():
    assert ask({"PYTHONIOENCODING": "ascii"})[-1] == "\\u732b"


@pytest.mark.parametrize(
    ("words", "threads"),
    [
        ("train-round --threads 4 --out x", "4"),
        ("train-round --threads=2", "2"),
        ("train-round --threads 4 --threads 5", "5"),
        ("write-tables --out x", "1"),
        ("train-round --threads", "1"),
        ("train-round --threads four", "1"),
        ("", "1"),
    ],
)
def test_all_libraries_have_the_jobs_threads(words, threads):
    assert read_threads(words.split()) == threads


@pytest.mark.parametrize(
    ("environment", "utf8", "changes"),
    [
        ({}, True, {}),
        ({"PYTHONWARNINGS": "ignore"}, True, {}),
        ({"PYTHONWARNINGS": "default,error"}, True, {"PYTHONWARNINGS": None}),
        ({"PYTHONOPTIMIZE": "1"}, True, {"PYTHONOPTIMIZE": None}),
        ({"PYTHONUTF8": "0"}, False, {"PYTHONUTF8": "1"}),
        ({"PYTHONUTF8": "1"}, False, {}),  # has been tried: it is not started for ever
    ],
)
def test_an_interpreter_is_started_anew_only_where_that_helps(environment, utf8, changes):
    assert choose_interpreter(environment, utf8) == changes
    assert choose_interpreter({k: v for k, v in (environment | changes).items() if v is not None}, utf8) == {}


@pytest.mark.parametrize("entry", [cli_entry, snakemake_entry])
def test_both_commands_begin_with_it(monkeypatch, entry):
    class BegunError(Exception):
        pass

    def begin(words):
        raise BegunError

    monkeypatch.setattr(entry, "set_aside", begin)
    with pytest.raises(BegunError):
        entry.main()
