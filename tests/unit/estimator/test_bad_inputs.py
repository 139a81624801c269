"""Bad inputs of every kind: the error names the argument, says what was found, and is a ValueError or a TypeError."""

import datetime
import decimal
import os
import pathlib
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from examples import make_blobs
from special_files import link, pipe, write

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.errors import UserError

pytestmark = pytest.mark.filterwarnings(
    "ignore:CompetitiveMixture. components",
    "ignore:The PyTorch API of nested",
    "ignore:torch.quantize",
    "ignore:Sparse",
    "ignore:X has feature names",
)
X = make_blobs().train[:40]
SMALL = {"n_components": 2, "n_rounds": 1, "steps_per_round": 2, "hidden_layer_sizes": (4,), "random_state": 0}

WRONG = {  # for whatever counts, switches or names something
    "not a number": np.nan,
    "infinity": -np.inf,
    "a fraction": 1.5,
    "a huge number": 10**30,
    "a word": "3",
    "an empty word": "",
    "bytes": b"3",
    "a list": ["a"],
    "a mapping": {"a": 1},
    "a set": {1},
    "an object": object(),
    "a function": lambda: 1,
    "an array": np.array([1.5, 2]),
    "a decimal": decimal.Decimal(2),
    "a ratio": Fraction(3),
    "an imaginary number": 1j,
    "a type": float,
    "a date": datetime.date(2020, 1, 1),
    "a date of NumPy": np.datetime64("2020"),
    "a tensor": torch.tensor(2.5),
    "a path": pathlib.Path("x"),
    "missing": pd.NA,
    "a series": pd.Series([1.5, 2]),
    "an ellipsis": ...,
}
ARGUMENTS = [name for name in CompetitiveMixture().get_params() if name != "settings"]
HARMLESS = {  # they take a long time, or are what the argument asks for
    ("n_rounds", "a huge number"), ("steps_per_round", "a huge number"), ("n_init", "a huge number"),
    ("warm_start", "a huge number"), ("verbose", "a huge number"),
}  # fmt: skip


class Liar:
    """It looks like an array and is none."""

    shape, ndim = (3, 2), 2


class Failing:
    """Its conversion to an array fails."""

    def __array__(self, *arguments, **options):
        raise RuntimeError("no array of me")


def days(*shape):
    return np.zeros(shape, "M8[D]")


POINTS = {
    "nothing": lambda: None,
    "a number": lambda: 3,
    "a word": lambda: "points.csv",
    "bytes": lambda: b"points",
    "a path": lambda: pathlib.Path("points.npz"),
    "an empty list": list,
    "an empty row": lambda: [[]],
    "ragged": lambda: [[1, 2], [3]],
    "ragged images": lambda: [[[1, 2], [3]]] * 5,
    "words": lambda: [["a", "b"]] * 5,
    "objects": lambda: np.array([[1, "a"], [2, None]] * 9, dtype=object),
    "a column": lambda: X[:, 0],
    "one number": lambda: np.array(1.0),
    "five axes": lambda: np.zeros((5, 3, 8, 8, 2)),
    "no points": lambda: np.zeros((0, 2)),
    "no columns": lambda: np.zeros((9, 0)),
    "NaN": lambda: np.where(np.arange(80).reshape(40, 2) == 3, np.nan, X),
    "infinity": lambda: np.where(np.arange(80).reshape(40, 2) == 3, np.inf, X),
    "beyond float32": lambda: X.astype(float) * 1e300,
    "complex": lambda: X + 1j,
    "dates": lambda: days(9, 2),
    "times": lambda: np.ones((9, 2), "m8[s]"),
    "void": lambda: np.zeros((9, 2), "V4"),
    "records": lambda: np.zeros(9, [("a", "f4"), ("b", "f4")]),
    "a sparse matrix": lambda: scipy.sparse.csr_matrix(X),
    "a sparse array": lambda: scipy.sparse.coo_array(X),
    "a frame of words": lambda: pd.DataFrame({"a": ["x"] * 9, "b": 1.0}),
    "a frame of categories": lambda: pd.DataFrame({"a": pd.Categorical(["x", "y", "z"] * 3), "b": 1.0}),
    "a frame with gaps": lambda: pd.DataFrame({"a": pd.array([1, None] * 5, dtype="Int64"), "b": 1.0}),
    "a frame of dates": lambda: pd.DataFrame({"a": pd.date_range("2020", "2021", 9), "b": 1.0}),
    "a series": lambda: pd.Series(X[:, 0]),
    "a mapping": lambda: {"a": [1, 2], "b": [2, 3]},
    "a set": lambda: {1, 2},
    "a generator": lambda: (row for row in X),
    "a function": lambda: lambda: 1,
    "a mask": lambda: np.ma.masked_array(X, mask=X.mean() < X),
    "a sparse tensor": lambda: torch.from_numpy(X).to_sparse(),
    "a complex tensor": lambda: torch.from_numpy(X + 1j).conj(),
    "a tensor without numbers": lambda: torch.empty(9, 2, device="meta"),
    "a nested tensor": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "a liar": Liar,
    "a failing array": Failing,
    "a module": lambda: np,
    "two channels": lambda: np.zeros((9, 2, 8, 8), np.uint8),
    "channels last": lambda: np.zeros((9, 8, 8, 3), np.uint8),
    "above 255": lambda: np.full((9, 8, 8), 256),
    "below 0": lambda: np.full((9, 8, 8), -1),
    "floats up to 255": lambda: np.full((9, 8, 8), 200.0),
    "images of NaN": lambda: np.full((9, 8, 8), np.nan),
    "images of nothing": lambda: np.full((9, 8, 8), None),
    "images of words": lambda: np.full((9, 8, 8), "a"),
    "images of dates": lambda: days(9, 8, 8),
    "complex images": lambda: np.zeros((9, 8, 8), complex),
    "images without rows": lambda: np.zeros((9, 0, 8), np.uint8),
    "no images": lambda: np.zeros((0, 8, 8), np.uint8),
}
PATHS = {
    "missing": lambda folder: folder / "missing",
    "a folder": lambda folder: folder,
    "under a file": lambda folder: folder / "saved" / "below",
    "empty": lambda folder: write(folder, b""),
    "cut": lambda folder: write(folder, (folder / "saved").read_bytes()[:-9]),
    "zeros": lambda folder: write(folder, bytes(1000)),
    "a huge header": lambda folder: write(folder, b"\xff" * 8 + b"{}"),
    "a broken link": lambda folder: link(folder, "nowhere"),
    "a link to itself": lambda folder: link(folder, "link"),
    "a pipe": lambda folder: pipe(folder),
    "a device": lambda folder: "/dev/zero",
    "a zero byte": lambda folder: "a\0b",
    "a long name": lambda folder: "x" * 5000,
    "no UTF-8": lambda folder: os.fsdecode(bytes(folder) + b"/\xff"),
    "nothing": lambda folder: None,
    "a number": lambda folder: 3,
    "a list": lambda folder: [],
}


@pytest.fixture(scope="module")
def fitted():
    return CompetitiveMixture(**SMALL).fit(X)


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument(name, kind):
    if (name, kind) in HARMLESS:
        return
    with pytest.raises(UserError, match=name):
        CompetitiveMixture(**(SMALL | {name: WRONG[kind]})).fit(X)


@pytest.mark.parametrize("kind", WRONG)
def test_a_number_of_samples(kind, fitted):
    with pytest.raises(UserError, match="n_samples"):
        fitted.sample(WRONG[kind])


@pytest.mark.parametrize("kind", POINTS)
def test_points(kind, fitted):
    methods = [CompetitiveMixture(**SMALL).fit, fitted.predict, fitted.predict_proba, fitted.score]
    for use in [*methods, *([] if kind == "nothing" else [fitted.plot])]:
        with pytest.raises(UserError, match=r"\bX\b"):
            use(POINTS[kind]())


@pytest.mark.parametrize("kind", PATHS)
def test_a_file(kind, fitted, tmp_path):
    fitted.save(tmp_path / "saved")
    with pytest.raises(UserError, match=r"expected|not found"):
        CompetitiveMixture.load(PATHS[kind](tmp_path))


@pytest.mark.parametrize("start", range(0, 2000, 97))
def test_a_damaged_file(start, fitted, tmp_path):
    """Whatever one wrong byte does, it ends in a sentence or in an estimator that predicts."""
    fitted.save(tmp_path / "saved")
    content = bytearray((tmp_path / "saved").read_bytes())
    content[start] ^= 0x5A
    (tmp_path / "saved").write_bytes(content)
    with suppress(UserError):
        assert CompetitiveMixture.load(tmp_path / "saved").predict(X).shape == (40,)
