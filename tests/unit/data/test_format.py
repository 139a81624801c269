"""A processed data set survives the round trip, and every way to break it is named."""

import json

import numpy as np
import pytest

from competitive_mixtures.data import load_dataset, write_dataset
from competitive_mixtures.data.format import Chunks
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.checksums import sha256_of


@pytest.fixture
def vectors(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "train": rng.standard_normal((20, 3)).astype(np.float32),
        "test": rng.standard_normal((5, 3)).astype(np.float32),
        "train_labels": np.arange(20) % 2,
        "test_labels": np.arange(5) % 2,
    }
    write_dataset(tmp_path, "toy", arrays, source={"kind": "toy"}, label_names=["a", "b"], metadata={"answer": 42})
    return tmp_path, arrays


def edit_meta(folder, **changes):
    path = folder / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_round_trip_of_vectors(vectors):
    folder, arrays = vectors
    dataset = load_dataset(folder, verify=True)
    assert (dataset.name, dataset.kind, dataset.shape) == ("toy", "vector", (3,))
    for key, array in arrays.items():
        assert np.array_equal(getattr(dataset, key), array)
    assert dataset.meta["answer"] == 42
    assert dataset.meta["value_range"] == [arrays["train"].min(), arrays["train"].max()]
    assert dataset.meta["sha256"]["test.npy"] == sha256_of(folder / "test.npy")
    assert not dataset.train.flags.writeable


def test_round_trip_of_images_written_in_chunks(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (7, 1, 4, 5), dtype=np.uint8)
    chunks = Chunks(images.shape, np.uint8, (images[start : start + 3] for start in range(0, 7, 3)))
    write_dataset(tmp_path, "toy", {"train": chunks, "test": images[:2]}, source={})
    dataset = load_dataset(tmp_path, verify=True)
    assert (dataset.kind, dataset.shape, dataset.meta["value_range"]) == ("image", (1, 4, 5), [0, 255])
    assert np.array_equal(dataset.train, images)
    assert dataset.train_labels is None
    assert dataset.test_labels is None


def test_the_same_data_gives_the_same_bytes(vectors, tmp_path_factory):
    folder, arrays = vectors
    again = tmp_path_factory.mktemp("again")
    write_dataset(again, "toy", arrays, source={"kind": "toy"}, label_names=["a", "b"], metadata={"answer": 42})
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_arrays_of_an_earlier_version_are_removed(vectors):
    folder, arrays = vectors
    write_dataset(folder, "toy", {key: arrays[key] for key in ("train", "test")}, source={})
    assert load_dataset(folder).train_labels is None
    assert sorted(path.name for path in folder.iterdir()) == ["meta.json", "test.npy", "train.npy"]


def test_an_interrupted_write_leaves_no_finished_looking_folder(vectors):
    folder, arrays = vectors

    def blocks():
        yield arrays["train"][:10]
        raise KeyboardInterrupt

    broken = Chunks((20, 3), np.float32, blocks())
    with pytest.raises(KeyboardInterrupt):
        write_dataset(folder, "toy", {**arrays, "train": broken}, source={})
    assert not list(folder.glob(".*"))
    with pytest.raises(UserError, match=r"meta\.json: not found"):
        load_dataset(folder)


@pytest.mark.parametrize("name", ["train.npy", "test.npy", "train_labels.npy", "meta.json"])
def test_a_missing_file_is_named(vectors, name):
    (vectors[0] / name).unlink()
    with pytest.raises(UserError, match=rf"{name}: not found"):
        load_dataset(vectors[0])


@pytest.mark.parametrize("name", ["train.npy", "train_labels.npy"])
@pytest.mark.parametrize("keep", [0, 5, 100, 140])
def test_a_truncated_array_is_named(vectors, name, keep):
    path = vectors[0] / name
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=name):
        load_dataset(vectors[0])


def test_trailing_bytes_are_named(vectors):
    with (vectors[0] / "test.npy").open("ab") as file:
        file.write(b"more")
    with pytest.raises(UserError, match=r"test\.npy: 192 bytes, expected 188"):
        load_dataset(vectors[0])


def test_pickles_and_archives_are_refused(vectors):
    np.save(vectors[0] / "train.npy", np.array([{"an": "object"}]), allow_pickle=True)
    with pytest.raises(UserError, match=r"train\.npy: expected an array"):
        load_dataset(vectors[0])
    with (vectors[0] / "train.npy").open("wb") as file:
        np.savez(file, x=np.zeros(3))
    with pytest.raises(UserError, match=r"train\.npy: expected an array"):
        load_dataset(vectors[0])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((20, 4), np.float32), r"float32 \(20, 4\), meta.json says float32 \(20, 3\)"),
        (np.zeros((20, 3)), r"float64 \(20, 3\), meta.json says float32"),
        (np.full((20, 3), np.nan, np.float32), "row 0 holds NaN or infinite"),
    ],
)
def test_an_exchanged_array_is_named(vectors, array, message):
    np.save(vectors[0] / "train.npy", array)
    with pytest.raises(UserError, match=rf"train\.npy: .*{message}"):
        load_dataset(vectors[0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_bad_value_is_found_and_its_row_named(vectors, value):
    train = vectors[1]["train"].copy()
    train[13, 1] = value
    np.save(vectors[0] / "train.npy", train)
    with pytest.raises(UserError, match="row 13 holds NaN or infinite"):
        load_dataset(vectors[0])


def test_the_largest_floats_count_as_finite(tmp_path):
    largest = np.full((6, 2), np.finfo(np.float32).max)
    write_dataset(tmp_path, "toy", {"train": largest, "test": largest}, source={})
    assert load_dataset(tmp_path).train.max() == np.finfo(np.float32).max


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_without_a_name_is_named(vectors, label):
    labels = vectors[1]["train_labels"].copy()
    labels[3] = label
    np.save(vectors[0] / "train_labels.npy", labels)
    with pytest.raises(UserError, match=r"train_labels\.npy: labels from"):
        load_dataset(vectors[0])


def test_a_changed_byte_is_found_when_verified(vectors):
    path = vectors[0] / "test.npy"
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    load_dataset(vectors[0])
    with pytest.raises(UserError, match=r"test\.npy: SHA-256"):
        load_dataset(vectors[0], verify=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_train": 0}, "num_train = 0: the data set is empty"),
        ({"num_train": "20"}, "num_train: found '20'"),
        ({"shape": None}, "shape: found None"),
    ],
)
def test_a_broken_meta_is_named(vectors, changes, message):
    edit_meta(vectors[0], **changes)
    with pytest.raises(UserError, match=rf"meta\.json: {message}"):
        load_dataset(vectors[0])


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', "{}"])
def test_a_meta_of_another_form_is_named(vectors, text):
    (vectors[0] / "meta.json").write_text(text)
    with pytest.raises(UserError, match=r"meta\.json"):
        load_dataset(vectors[0])


@pytest.mark.parametrize("changes", [{"shape": ["a"]}, {"shape": [-1]}, {"dtype": "no type"}, {"kind": "sound"}])
def test_a_meta_with_wrong_values_is_refused(vectors, changes):
    edit_meta(vectors[0], **changes)
    with pytest.raises(UserError):
        load_dataset(vectors[0])
