"""Files of every kind in the place of what a command reads, and numbers without sense: one sentence, no traceback."""

import os
import re
import sys

import pytest
from special_files import link, pipe, write

from competitive_mixtures.pipeline.cli import run_command

PATHS = {
    "missing": lambda folder: folder / "missing",
    "empty": lambda folder: write(folder, b""),
    "text": lambda folder: write(folder, b"hello\n"),
    "no text": lambda folder: write(folder, bytes(range(256))),
    "latin-1": lambda folder: write(folder, "é".encode("latin-1")),
    "another mapping": lambda folder: write(folder, b'{"kinds": 3}'),
    "a list": lambda folder: write(folder, b"[1]"),
    "nothing": lambda folder: write(folder, b"null"),
    "deep": lambda folder: write(folder, b"[" * 100_000),
    "a byte order mark": lambda folder: write(folder, b"\xef\xbb\xbf{}"),
    "NaN": lambda folder: write(folder, b'{"kind": NaN}'),
    "a number of 5000 digits": lambda folder: write(folder, b'{"kind": ' + b"9" * 5000 + b"}"),
    "half a character": lambda folder: write(folder, b'{"kind": "\\ud800"}'),
    "a folder": lambda folder: folder,
    "below a file": lambda folder: write(folder, b"") / "below",
    "a pipe": lambda folder: pipe(folder),
    "a broken link": lambda folder: link(folder, "nowhere"),
    "a link to itself": lambda folder: link(folder, "link"),
    "a device": lambda folder: "/dev/zero",
    "a long name": lambda folder: "x" * 300,
    "a line break": lambda folder: "a\nb",
    "no UTF-8": lambda folder: os.fsdecode(b"\xff"),
    "no name": lambda folder: "",
}
COMMANDS = {
    "download": "download --config {} --out out",
    "prepare": "prepare --config {} --raw . --out out",
    "pretrain": "pretrain --config {} --data . --seed 0 --out out",
    "train-classifier": "train-classifier --data {} --out out",
    "summarize": "summarize {} --out out",
    "assess-claims": "assess-claims --claims {} --out out.csv",
}
MISTAKES = {
    "no such command": ("nope", "No such command"),
    "no such option": ("--nope", "No such option"),
    "no option": ("pretrain", "Missing option"),
    "a negative seed": ("pretrain --config a --data b --out c --seed -1", "--seed"),
    "a word for a seed": ("pretrain --config a --data b --out c --seed x", "--seed"),
    "no threads": ("train-classifier --data a --out b --threads 0", "--threads"),
    "too many threads": ("train-classifier --data a --out b --threads 99999999999999999999", "--threads"),
    "a limit without a name": ("summarize a --rounds =3", "--rounds =3: expected <experiment>=<last round>"),
    "a limit that is no number": ("summarize a --rounds a=x", "--rounds a=x: expected"),
    "a limit of many digits": (f"summarize a --rounds a={'9' * 5000}", "expected <experiment>=<last round>"),
    "no paper": ("compile-paper", "run from the project's root"),
    "no folder of a run": ("summarize results/mnist", "results/mnist: expected a run's folder"),
}


def run(words, monkeypatch, capsys):
    """The exit status and all that is printed; a traceback would be an exception here."""
    monkeypatch.setattr(sys, "argv", ["competitive-mixtures", *words])
    with pytest.raises(SystemExit) as ended:
        run_command()
    return ended.value.code, "".join(capsys.readouterr())


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", PATHS)
def test_a_path(kind, command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [str(PATHS[kind](tmp_path)) if word == "{}" else word for word in COMMANDS[command].split()]
    status, printed = run(words, monkeypatch, capsys)
    assert status != 0
    assert re.search("expected|not found|cannot be read|unknown key", printed), printed


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake(mistake, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words, expected = MISTAKES[mistake]
    status, printed = run(words.split(), monkeypatch, capsys)
    assert status != 0
    assert expected in printed
