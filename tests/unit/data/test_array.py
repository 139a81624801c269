"""A user's own arrays: every usable form is stored, everything else is one clear error."""

import contextlib
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from competitive_mixtures.data import array_files, load_dataset
from competitive_mixtures.data.array import Spec, prepare
from competitive_mixtures.errors import UserError

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((30, 4))


def make(folder, path, **changes):
    prepare(Spec(kind="array", path=str(path), **changes), folder / "unused", folder / "out", "own")
    return load_dataset(folder / "out", verify=True)


def save(folder, **arrays):
    path = folder / "own data ü.npz"
    np.savez(path, **arrays)
    return path


def test_vectors_are_split_and_can_be_found_again(tmp_path):
    labels = np.array([f"class {row % 3}" for row in range(30)])
    dataset = make(tmp_path, save(tmp_path, x=VECTORS, y=labels), test_fraction=0.2, seed=5)
    assert (dataset.kind, dataset.shape, len(dataset.train), len(dataset.test)) == ("vector", (4,), 24, 6)
    assert dataset.meta["label_names"] == ["class 0", "class 1", "class 2"]
    rows = {split: np.load(tmp_path / "out" / f"{split}_rows.npy") for split in ("train", "test")}
    assert sorted([*rows["train"], *rows["test"]]) == list(range(30))
    for split in rows:
        assert np.array_equal(getattr(dataset, split), VECTORS[rows[split]].astype(np.float32))
        assert np.array_equal(getattr(dataset, f"{split}_labels"), rows[split] % 3)


def test_the_seed_decides_the_split(tmp_path):
    path = save(tmp_path, x=VECTORS)
    first, again, other = (make(tmp_path / name, path, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_a_given_test_part_is_kept(tmp_path):
    path = save(tmp_path, x_train=VECTORS, x_test=VECTORS[:7], y_train=np.arange(30) % 5, y_test=np.arange(7) % 2 + 7)
    dataset = make(tmp_path, path)
    assert np.array_equal(dataset.test, VECTORS[:7].astype(np.float32))
    assert dataset.meta["label_names"] == ["0", "1", "2", "3", "4", "7", "8"]
    assert dataset.test_labels.tolist() == [5, 6, 5, 6, 5, 6, 5]


@pytest.mark.parametrize("split", ["train", "test"])
def test_labels_of_one_part_only(tmp_path, split):
    arrays = {"x_train": VECTORS, "x_test": VECTORS, f"y_{split}": np.array(["b", "a"] * 15)}
    dataset = make(tmp_path, save(tmp_path, **arrays))
    assert getattr(dataset, f"{split}_labels").tolist() == [1, 0] * 15
    assert (dataset.train_labels is None) == (split == "test")


def test_an_npy_file(tmp_path):
    np.save(tmp_path / "x.npy", VECTORS)
    assert make(tmp_path, tmp_path / "x.npy").train_labels is None


@pytest.mark.parametrize(
    ("images", "shape"),
    [
        (RNG.integers(0, 256, (9, 6, 5), dtype=np.uint8), (1, 6, 5)),
        (RNG.integers(0, 256, (9, 3, 6, 5)), (3, 6, 5)),
        (RNG.integers(0, 256, (9, 1, 6, 5)).astype(np.float64) / 255, (1, 6, 5)),
        (RNG.integers(0, 2, (9, 6, 5)).astype(bool), (1, 6, 5)),
    ],
)
def test_images_become_bytes(tmp_path, images, shape):
    dataset = make(tmp_path, save(tmp_path, x_train=images, x_test=images))
    assert (dataset.kind, dataset.shape, dataset.train.dtype) == ("image", shape, np.uint8)
    scale = 255 if images.dtype.kind in "fb" else 1
    assert np.array_equal(dataset.train.reshape(images.shape), np.rint(images * np.float64(scale)))


def test_constant_and_repeated_points_are_data_too(tmp_path):
    assert (make(tmp_path, save(tmp_path, x=np.ones((5, 2), int))).train == 1).all()


@pytest.mark.parametrize(
    "points", [np.full((5, 2), 0.1), 1e6 + 1e4 * VECTORS, 1e-30 * VECTORS, 2**20 + np.eye(9, dtype=int)]
)
def test_what_float32_keeps_is_stored(tmp_path, points):
    assert make(tmp_path, save(tmp_path, x_train=points, x_test=points)).train.dtype == np.float32


@pytest.mark.parametrize("num_points", [2, 3])
@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_neither_part_is_empty(tmp_path, num_points, fraction):
    dataset = make(tmp_path, save(tmp_path, x=np.ones((num_points, 2))), test_fraction=fraction)
    assert min(len(dataset.train), len(dataset.test)) == 1


BAD = {
    "1 point; expected at least 2": {"x": np.ones((1, 2))},
    r"there are no points": {"x": np.ones((0, 2))},
    r"shape \(5, 0\)": {"x": np.ones((5, 0))},
    r"reshape it to \(N, 1\)": {"x": np.ones(5)},
    r"shape \(\); expected": {"x": np.float64(3)},
    r"shape \(2, 2, 2, 2, 2\)": {"x": np.ones((2,) * 5)},
    "values of type complex128": {"x": np.ones((5, 2), complex)},
    "values of type <U1": {"x": np.full((5, 2), "a")},
    "values of type datetime64": {"x": np.zeros((5, 2), "datetime64[s]")},
    "row 3 holds NaN or infinite": {"x": np.where(np.arange(10).reshape(5, 2) == 7, np.nan, 0.0)},
    "row 1 holds NaN or infinite values": {"x": np.where(np.arange(10).reshape(5, 2) == 2, -np.inf, 0.0)},
    r"as large as 1e\+300": {"x": np.full((5, 2), 1e300)},
    "values from 1000000.1 to 1000000.9 lie too close together": {"x": 1e6 + np.linspace(0.1, 0.9, 10).reshape(5, 2)},
    "values from 1e-300 to 1e-299 lie too close together": {"x": np.linspace(1e-300, 1e-299, 10).reshape(5, 2)},
    r"float64 images from -1 to 1; expected 0 to 1": {"x": np.linspace(-1, 1, 45).reshape(5, 3, 3)},
    "int64 images from 0 to 256; expected 0 to 255": {"x": np.full((5, 3, 3), 256) * [0, 1, 1]},
    r"the channels come before height and width": {"x": np.zeros((5, 8, 8, 3), np.uint8)},
    "2 channels": {"x": np.zeros((5, 2, 8, 8), np.uint8)},
    r"labels of train: shape \(4,\); expected \(5,\)": {"x": np.ones((5, 2)), "y": np.arange(4)},
    "labels of train: values of type float64": {"x": np.ones((5, 2)), "y": np.ones(5)},
    r"have the shapes \(2,\) and \(3,\)": {"x": np.ones((5, 2)), "x_test": np.ones((5, 3))},
    "expected one array named x or x_train, found data": {"data": np.ones((5, 2))},
    "expected one array named x or x_train, found x, x_train": {"x": np.ones((5, 2)), "x_train": np.ones((5, 2))},
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_used_is_named(tmp_path, message):
    path = save(tmp_path, **BAD[message])
    with pytest.raises(UserError, match=message) as caught:
        make(tmp_path, path)
    assert str(caught.value).startswith(str(path))


def test_a_classifier_needs_images_with_labels(tmp_path):
    images, labels = np.zeros((140, 8, 8), np.uint8), np.arange(140) % 2
    assert make(tmp_path, save(tmp_path, x=images, y=labels), classifier=True, test_fraction=0.5).kind == "image"
    for arrays in ({"x": images}, {"x": VECTORS, "y": labels[:30]}, {"x": images, "y": labels}):
        with pytest.raises(UserError, match="classifier: true: found"):
            make(tmp_path, save(tmp_path, **arrays), classifier=True)


def test_python_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, allow_pickle=True, x=np.array([[1, "a"], [None, 2]], dtype=object))
    with pytest.raises(UserError, match="without Python objects"):
        make(tmp_path, path)
    (tmp_path / "x.npy").write_bytes(b"\x80\x04N.")
    with pytest.raises(UserError, match="found a pickle"):
        make(tmp_path, tmp_path / "x.npy")


def test_words_of_pandas_are_named_with_the_remedy(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, allow_pickle=True, x=VECTORS, y=np.array(["a", "b"] * 15, dtype=object))
    with pytest.raises(
        UserError, match=r"x\.npz: y: an array of Python objects .*: save numpy\.asarray\(y\)\.astype\(str\)"
    ):
        make(tmp_path, path)
    words = pd.Series(["a", "b"] * 15)
    for saved in (words.to_numpy(str), np.asarray(words).astype(str)):  # what the message says
        np.savez(path, x=VECTORS, y=saved)
        assert make(tmp_path, path).meta["label_names"] == ["a", "b"]


def test_labels_as_bytes_are_words_too(tmp_path):
    path = save(tmp_path, x=VECTORS, y=np.array(["é".encode(), b"b"] * 15))
    assert make(tmp_path, path).meta["label_names"] == ["b", "é"]
    with pytest.raises(UserError, match="y, the labels of train: bytes that are no UTF-8"):
        make(tmp_path, save(tmp_path, x=VECTORS, y=np.full(30, b"\xe9")))


@pytest.mark.parametrize("excess", [1e-7, 1e-4, 5e-4])
def test_float_images_a_rounding_out_of_range_are_clipped(tmp_path, excess):
    images = np.linspace(-excess, 1 + excess, 9 * 16).reshape(9, 4, 4)
    dataset = make(tmp_path, save(tmp_path, x_train=images, x_test=images))
    assert (dataset.train.min(), dataset.train.max()) == (0, 255)
    assert np.array_equal(dataset.train[:, 0], np.rint(images.clip(0, 1).astype(np.float32) * 255))


@pytest.mark.parametrize(("low", "high"), [(0.18, 1.002), (-0.002, 1), (0.5, 1.0011)])
def test_a_message_of_a_range_shows_what_is_wrong_with_it(tmp_path, low, high):
    path = save(tmp_path, x=np.linspace(low, high, 45).reshape(5, 3, 3))
    with pytest.raises(UserError, match=rf"x: float64 images from {low} to {high}; expected 0 to 1"):
        make(tmp_path, path)


@pytest.mark.parametrize(
    ("low", "high", "advice"),
    [
        (0, 255, "divide them by 255"),
        (0, 200, "divide them by 255"),
        (0, 16, "divide them by the largest value that they can have, say 16"),
        (0, 4095, "rescale them, or where they are no images reshape them to"),
        (-3, 4, "rescale them, or where they are no images reshape them to"),
    ],
)
def test_floats_out_of_range_are_told_what_to_do(tmp_path, low, high, advice):
    with pytest.raises(UserError, match=f"from {low} to {high}; expected 0 to 1: {advice}"):
        make(tmp_path, save(tmp_path, x=np.linspace(low, high, 45).reshape(5, 3, 3)))


def test_arrays_that_nobody_asked_for_are_told(tmp_path, capsys):
    make(tmp_path, save(tmp_path, x=VECTORS, labels=np.arange(30), x_val=VECTORS))
    assert "arrays passed over, since only x, y, x_train" in (told := capsys.readouterr().err)
    assert told.endswith("are read: labels, x_val\n")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": VECTORS, "y_test": np.arange(3)}, "found y_test without x_test"),
        ({"x": VECTORS, "y": np.arange(30), "y_train": np.arange(30)}, "found both y and y_train"),
    ],
)
def test_labels_that_would_be_lost_are_refused(tmp_path, arrays, message):
    with pytest.raises(UserError, match=message):
        make(tmp_path, save(tmp_path, **arrays))


TABLES = {
    "decimal commas.csv": "1;2,5\n3;4\n",
    "names and decimal commas.csv": "a;b\n1;2,5\n3;4\n",
    "remarks.txt": "# by savetxt\n1 2.5\n3 4\n",
    "numbers of rows.csv": ",a,b\n0,1,2.5\n1,3,4\n",
    "an empty first line.csv": "\n1,2.5\n3,4\n",
    "names.csv": "height,width\n1,2.5\n3,4\n",
    "numbers.csv": "1,2.5\n3,4\n",
    "tabs and 'quotes'.tsv": "a\tb\n1\t2.5\n3\t4\n",
    "semicolons.txt": "a;b\n1;2.5\n3;4\n",
    "spaces.dat": " 1  2.5\n 3  4\n",
    "mark.csv": "\ufeffa,b\n1,2.5\n3,4\n",
}


class TestOtherFormats:
    @pytest.mark.parametrize("name", TABLES)
    def test_the_command_of_the_message_converts_a_table(self, tmp_path, name):
        (tmp_path / name).write_text(TABLES[name])
        with pytest.raises(UserError, match=r"not a readable \.npz or \.npy file: found a text file") as caught:
            make(tmp_path, tmp_path / name)
        assert "pickle" not in str(caught.value)
        _, program, *arguments = shlex.split(str(caught.value).splitlines()[1])
        assert program == "-c"
        subprocess.run([sys.executable, "-c", *arguments], check=True)
        assert np.load((tmp_path / name).with_suffix(".npy")).tolist() == [[1, 2.5], [3, 4]]

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            (b"", "an empty file"),
            (b"\x89HDF\r\n", "an HDF5 file; read it by h5py"),
            (b"PAR1...", "a Parquet file; read it by pandas.read_parquet"),
            (b"MATLAB 5.0 MAT-file", "a MATLAB file; read it by scipy.io.loadmat"),
            (b"\x1f\x8b\x08", "a gzipped file"),
            (b"\x80\x04N.", "a pickle"),
            (b"\xff\xd8\xff", "something else"),
            (b"\x00\x01", "something else"),
        ],
    )
    def test_others_are_named(self, tmp_path, content, found):
        (tmp_path / "x.npy").write_bytes(content)
        with pytest.raises(UserError, match=rf"x\.npy: not a readable .*found {found}"):
            make(tmp_path, tmp_path / "x.npy")

    def test_a_huge_header_is_no_reason_to_trust_a_pickle(self, tmp_path):
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }" + b" " * 20_000 + b"\n"
        (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        with pytest.raises(UserError, match="its header is damaged") as caught:
            make(tmp_path, tmp_path / "x.npy")
        assert "pickle" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.npz: not found"):
        make(tmp_path, tmp_path / "nothing.npz")
    with pytest.raises(UserError, match=r"found a folder; expected an \.npz or \.npy file"):
        make(tmp_path, tmp_path)


def test_what_would_not_fit_into_memory_is_refused(tmp_path):
    bomb = save(tmp_path, x=np.ones((5, 2)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(array_files.os, "sysconf", lambda name: 20)
        with pytest.raises(UserError, match="a quarter of this machine's memory"):
            make(tmp_path, bomb)
    sparse = tmp_path / "sparse.npy"
    with sparse.open("wb") as file:
        file.truncate(10**13)
    with pytest.raises(UserError, match="found something else"):
        make(tmp_path, sparse)
    with sparse.open("r+b") as file:
        file.write(b"\x93NUMPY")
    with pytest.raises(UserError, match=r"10000\.0 GB unpacked"):
        make(tmp_path, sparse)


def test_a_header_that_promises_too_much_is_refused(tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**6)})
    with pytest.raises(UserError, match="its header claims more than memory holds"):
        make(tmp_path, tmp_path / "x.npy")


@pytest.mark.parametrize("shape", ["(30, 4", "(True, 4)", "(30, 'a')", "3 4"])
def test_a_damaged_header_is_called_so(tmp_path, shape):
    np.save(tmp_path / "x.npy", VECTORS)
    content = (tmp_path / "x.npy").read_bytes()
    padded = shape.encode().ljust(len("(30, 4), }       "))
    (tmp_path / "x.npy").write_bytes(content.replace(b"(30, 4), }       ", padded))
    with pytest.raises(UserError, match=r"x\.npy: not a readable .*\(its header is damaged\); save numeric arrays"):
        make(tmp_path, tmp_path / "x.npy")


def test_two_arrays_in_one_npy_file_are_not_taken_for_one(tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        np.save(file, VECTORS)
        np.save(file, VECTORS)
    with pytest.raises(UserError, match=r"x\.npy: \d+ bytes behind the array, another array perhaps; expected one"):
        make(tmp_path, tmp_path / "x.npy")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name_are_not_taken_for_one(tmp_path):
    path = save(tmp_path, x=VECTORS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", archive.read("x.npy"))
    with pytest.raises(UserError, match=r"npz: x: found several; expected one: save numeric arrays"):
        make(tmp_path, path)


@given(
    hnp.arrays(
        dtype=hnp.boolean_dtypes() | hnp.integer_dtypes() | hnp.floating_dtypes() | hnp.unicode_string_dtypes(),
        shape=hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
    )
)
def test_any_array_gives_a_valid_data_set_or_one_clear_error(points):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            dataset = make(folder, save(folder, x=points))
        except UserError:
            return
        assert len(dataset.train) + len(dataset.test) == len(points)
        assert len(dataset.test) >= 1


SAVED = {}
for suffix in (".npz", ".npy"):
    with tempfile.TemporaryDirectory() as name:
        saved = Path(name) / f"x{suffix}"
        np.savez(saved, x=VECTORS) if suffix == ".npz" else np.save(saved, VECTORS)
        SAVED[suffix] = saved.read_bytes()


@given(st.sampled_from(sorted(SAVED)), st.data())
def test_damaged_files_give_a_valid_data_set_or_one_clear_error(suffix, data):
    content = bytearray(SAVED[suffix])
    start = data.draw(st.integers(0, len(content)))
    content[start : start + data.draw(st.integers(0, 400))] = data.draw(st.binary(max_size=20))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"x{suffix}"
        path.write_bytes(content)
        with contextlib.suppress(UserError):
            make(Path(name), path)
