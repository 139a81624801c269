"""A list of files is another one where a file's content or name is, and only there."""

import hashlib
import os
from pathlib import Path

import pytest

from competitive_mixtures.files.checksums import write_listing
from imports import read_listing


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a b.py", "c.py"):
        (tmp_path / name).write_text(name)
    return [Path("a b.py"), Path("c.py")]


def write_old(path, files):
    """Write a list; gives whether that was a change."""
    if path.exists():
        os.utime(path, (1, 1))
    write_listing(path, files)
    return path.stat().st_mtime != 1


def test_it_is_written_where_content_or_names_change(files, tmp_path):
    path = tmp_path / "code/step.txt"
    assert write_old(path, files)
    assert not write_old(path, files)
    files[0].touch()
    assert not write_old(path, files)
    files[0].write_text("other")
    assert write_old(path, files)
    files[0].write_text("a b.py")
    assert write_old(path, files)
    assert write_old(path, files[1:])
    files[1].rename("d.py")
    assert write_old(path, [files[1].with_name("d.py")])


def test_names_come_back_and_checksums_hold(files, tmp_path):
    write_listing(tmp_path / "list.txt", files)
    assert read_listing(tmp_path / "list.txt") == ["a b.py", "c.py"]
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}" for file in files]
    assert (tmp_path / "list.txt").read_text().splitlines() == lines
