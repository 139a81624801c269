"""Files of any format are whole or not there."""

import os

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import write_atomically
from competitive_mixtures.files.formats import write_json, write_text


def write_half(path, error):
    with write_atomically(path) as partial:
        partial.write_text("half")
        raise error


class TestWriteAtomically:
    def test_makes_folders_and_leaves_nothing_else(self, tmp_path):
        path = tmp_path / "deep" / "er" / "file.txt"
        write_text(path, "new")
        assert path.read_text() == "new"
        assert os.listdir(path.parent) == ["file.txt"]

    def test_a_failure_keeps_the_old_file(self, tmp_path):
        path = tmp_path / "file.txt"
        write_text(path, "old")
        with pytest.raises(ValueError, match="half way"):
            write_half(path, ValueError("half way"))
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["file.txt"]

    def test_nothing_is_visible_before_the_end(self, tmp_path):
        path = tmp_path / "file.txt"
        with write_atomically(path) as partial:
            partial.write_text("new")
            assert not path.exists()
            assert partial.parent == path.parent
            assert partial.suffix == path.suffix

    @pytest.mark.parametrize("blocked", ["file/inside.json", "folder"])
    def test_a_path_that_cannot_be_written_is_named(self, tmp_path, blocked):
        (tmp_path / "file").write_text("")
        (tmp_path / "folder" / "full").mkdir(parents=True)
        with pytest.raises(UserError, match=rf"{blocked}: cannot be written"):
            write_json(tmp_path / blocked, {})

    def test_a_full_disk_is_named_and_leaves_nothing(self, tmp_path):
        with pytest.raises(UserError, match=r"No space left.*free space"):
            write_half(tmp_path / "x", OSError(28, "No space left on device"))
        assert os.listdir(tmp_path) == []
