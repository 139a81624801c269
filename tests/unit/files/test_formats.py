"""Files of a run: read as they were written, and told apart from broken ones."""

import json
import os

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import (
    read_json,
    read_metadata,
    read_table,
    read_tensors,
    take_named,
    write_array,
    write_json,
    write_table,
    write_tensors,
    write_text_if_changed,
)

TABLE = {"index": np.arange(5, dtype=np.int32), "margin": np.linspace(0, 1, 5, dtype=np.float32)}
TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor([1, 2])}


@pytest.fixture
def umask():
    """Sets the umask for the length of a test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


class TestFilesForColleagues:
    @pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o007, 0o660), (0o077, 0o600)])
    @pytest.mark.parametrize("write", ["write_tensors", "write_table", "write_array", "write_json"])
    def test_the_umask_decides_who_may_read(self, tmp_path, umask, write, mask, mode):
        writers = {
            "write_tensors": lambda path: write_tensors(path, TENSORS),
            "write_table": lambda path: write_table(path, TABLE),
            "write_array": lambda path: write_array(path, TABLE["index"]),
            "write_json": lambda path: write_json(path, {}),
        }
        umask(mask)
        writers[write](tmp_path / "file")
        assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_text_is_written_only_where_it_changes(tmp_path):
    path = tmp_path / "a.txt"
    assert write_text_if_changed(path, "one")
    os.utime(path, (0, 0))
    assert not write_text_if_changed(path, "one")
    assert path.stat().st_mtime == 0
    assert write_text_if_changed(path, "two")
    assert path.stat().st_mtime > 0


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        st.lists,
    )
)
def test_json_round_trip(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "round_trip.json"
    write_json(path, content)
    assert read_json(path) == content


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_holds_finite_numbers_only(tmp_path, number):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": number})
    assert json.loads((tmp_path / "a.json").read_text()) == 1
    assert os.listdir(tmp_path) == ["a.json"]


def test_table_round_trip_and_same_bytes(tmp_path):
    write_table(tmp_path / "a.parquet", TABLE)
    write_table(tmp_path / "b.parquet", TABLE)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    found = read_table(tmp_path / "a.parquet")
    for name, column in TABLE.items():
        assert found[name].dtype == column.dtype
        assert np.array_equal(found[name], column)


@pytest.mark.parametrize("size", [0, 1, 200_000])
def test_tables_of_any_length_and_layout_round_trip(tmp_path, size):
    columns = {"every other": np.arange(2 * size, dtype=np.int16)[::2], "margin": np.full(size, np.inf)}
    write_table(tmp_path / "a.parquet", columns)
    for name, column in read_table(tmp_path / "a.parquet").items():
        assert column.dtype == columns[name].dtype
        assert np.array_equal(column, columns[name])


def test_tensors_round_trip_with_metadata(tmp_path):
    path = tmp_path / "a.safetensors"
    metadata = {"ids": [1, 2], "loss": None, "text": "é"}
    write_tensors(path, TENSORS | {"view": TENSORS["a"].T}, metadata)
    assert read_metadata(path) == metadata
    found = read_tensors(path)
    assert torch.equal(found["view"], TENSORS["a"].T)
    assert found["b"].dtype == torch.int64


def test_tensors_on_a_full_disk(tmp_path, monkeypatch):
    def fail(*_):
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    with pytest.raises(UserError, match=r"x: cannot be written \(I/O error: No space"):
        write_tensors(tmp_path / "x", TENSORS)


def test_tensors_that_share_memory_are_stored_apart(tmp_path):
    whole = torch.arange(10.0)
    write_tensors(tmp_path / "a.safetensors", {"head": whole[:5], "tail": whole[5:]})
    assert torch.equal(read_tensors(tmp_path / "a.safetensors")["tail"], torch.arange(5.0, 10.0))


def test_array_round_trip(tmp_path):
    write_array(tmp_path / "a.npy", np.arange(4))
    assert np.array_equal(np.load(tmp_path / "a.npy"), np.arange(4))


WRITERS = {
    read_json: lambda path: write_json(path, {"a": list(range(100))}),
    read_table: lambda path: write_table(path, TABLE),
    read_tensors: lambda path: write_tensors(path, TENSORS, {"a": 1}),
    read_metadata: lambda path: write_tensors(path, TENSORS, {"a": 1}),
}


@pytest.mark.parametrize("read", WRITERS)
class TestBrokenFiles:
    def test_missing(self, read, tmp_path):
        with pytest.raises(UserError, match=r"nothing.here: not found"):
            read(tmp_path / "nothing.here")

    def test_a_folder(self, read, tmp_path):
        with pytest.raises(UserError, match=tmp_path.name):
            read(tmp_path)

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
    def test_truncated(self, read, tmp_path, share):
        path = tmp_path / "file"
        WRITERS[read](path)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        if read is read_metadata and share > 0.9:
            return  # the header is whole
        with pytest.raises(UserError, match="file: expected"):
            read(path)

    @pytest.mark.parametrize("content", [b"no such thing", bytes(range(256)) * 4])
    def test_something_else(self, read, tmp_path, content):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(UserError, match="file: expected"):
            read(tmp_path / "file")


def test_tensors_without_metadata_are_refused(tmp_path):
    write_tensors(tmp_path / "a.safetensors", TENSORS)
    with pytest.raises(UserError, match=r"a.safetensors: expected .*metadata"):
        read_metadata(tmp_path / "a.safetensors")


def test_take_named():
    assert take_named({"a.b.c": 1, "a.d": 2, "ab.c": 3}, "a.") == {"b.c": 1, "d": 2}
