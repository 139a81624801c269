"""A processed data set on disk: `train.npy`, `test.npy`, labels where there are any, and `meta.json`, written last."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from competitive_mixtures.errors import UserError, printable
from competitive_mixtures.files.access import check_regular, write_atomically
from competitive_mixtures.files.checksums import sha256_of
from competitive_mixtures.files.folders import ProcessedData
from competitive_mixtures.files.formats import read_json, write_array, write_json

PREPARE_AGAIN = "delete the folder and prepare the data again"
DTYPES = {"vector": "float32", "image": "uint8"}
META_TYPES = {
    "name": str,
    "kind": str,
    "shape": list,
    "dtype": str,
    "num_train": int,
    "num_test": int,
    "label_names": list | None,
    "sha256": dict,
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """A processed data set; the arrays are read-only memory maps.

    Attributes:
        name: the data set's name in `params.yaml`.
        kind: `vector` (float32) or `image` (uint8, 0 to 255).
        shape: shape of one point, (d,) or (c, h, w).
        train: (num_train, *shape).
        test: (num_test, *shape).
        train_labels: (num_train,) int64, or None where the data has no labels.
        test_labels: (num_test,) int64 or None.
        meta: the content of `meta.json`.
    """

    name: str
    kind: Literal["vector", "image"]
    shape: tuple[int, ...]
    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray | None
    test_labels: np.ndarray | None
    meta: dict[str, Any]


@dataclass(frozen=True)
class Chunks:
    """An array that is never held as a whole: its shape and dtype, and consecutive blocks of its rows."""

    shape: tuple[int, ...]
    dtype: Any
    blocks: Iterable[np.ndarray]


def write_dataset(
    folder: Path | str,
    name: str,
    arrays: Mapping[str, np.ndarray | Chunks],
    source: Mapping[str, Any],
    label_names: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a processed data set; `meta.json` comes last, so a folder that has one is complete.

    Args:
        folder: where to write; arrays of an earlier version are removed.
        name: the data set's name.
        arrays: `train` and `test`, (N, d) float32 or (N, c, h, w) uint8; `train_labels` and `test_labels`, (N,)
            int64, where there are labels; any further array is written beside them under its own name.
        source: what the data was made from, usually the specification.
        label_names: one name per label value; kept as `printable` gives it, since figures and tables show it.
        metadata: further entries of `meta.json`.
    """
    folder = Path(folder)
    ProcessedData(folder).meta.unlink(missing_ok=True)
    for old in folder.glob("*.npy"):
        if old.stem not in arrays:
            old.unlink()
    for key, array in arrays.items():
        _write(folder / f"{key}.npy", array)
    train, test = arrays["train"], arrays["test"]
    is_vector = len(train.shape) == 2
    meta = {
        "name": name,
        "kind": "vector" if is_vector else "image",
        "shape": list(train.shape[1:]),
        "dtype": str(np.dtype(train.dtype)),
        "value_range": [float(train.min()), float(train.max())]
        if isinstance(train, np.ndarray) and is_vector
        else [0, 255],
        "num_train": train.shape[0],
        "num_test": test.shape[0],
        "label_names": None if label_names is None else [printable(label) for label in label_names],
        "sha256": {f"{key}.npy": sha256_of(folder / f"{key}.npy") for key in arrays},
        "source": dict(source),
    }
    write_json(ProcessedData(folder).meta, meta | dict(metadata or {}))


def load_dataset(folder: Path | str, verify: bool = False) -> Dataset:
    """Open a processed data set and check it against its `meta.json`.

    Args:
        folder: a folder written by `write_dataset`.
        verify: also compare the SHA-256 of every file, which reads all of it.

    Raises:
        UserError: a file is missing, empty, truncated, of another shape or type than `meta.json` says, holds NaN or
            infinite values or labels without a name, or (with `verify`) has another checksum.
    """
    folder = Path(folder)
    meta = _read_meta(ProcessedData(folder).meta)
    if verify:
        _verify_checksums(folder, meta["sha256"])
    arrays: dict[str, Any] = {}
    for split in ("train", "test"):
        rows = meta[f"num_{split}"]
        arrays[split] = _open(folder / f"{split}.npy", (rows, *meta["shape"]), meta["dtype"])
        _check_finite(folder / f"{split}.npy", arrays[split])
        labels = f"{split}_labels"
        arrays[labels] = None
        if f"{labels}.npy" in meta["sha256"]:
            arrays[labels] = _open(folder / f"{labels}.npy", (rows,), "int64")
            _check_labels(folder / f"{labels}.npy", arrays[labels], meta["label_names"])
    return Dataset(name=meta["name"], kind=meta["kind"], shape=tuple(meta["shape"]), meta=meta, **arrays)


def _write(path: Path, array: np.ndarray | Chunks) -> None:
    if isinstance(array, np.ndarray):
        write_array(path, np.ascontiguousarray(array))
        return
    # Plain appending and not a memory map: a full disk is then an error to report, not a SIGBUS.
    with write_atomically(path) as partial, partial.open("wb") as file:
        descr = np.lib.format.dtype_to_descr(np.dtype(array.dtype))
        np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": array.shape})
        for block in array.blocks:
            file.write(np.ascontiguousarray(block, dtype=array.dtype).tobytes())


def _read_meta(path: Path) -> dict[str, Any]:
    meta = read_json(path)
    if not isinstance(meta, dict):
        raise UserError(f"{path}: expected a JSON object, found {type(meta).__name__}; delete the folder and run again")
    for key, expected in META_TYPES.items():
        if key not in meta or not isinstance(meta[key], expected):
            found = f"found {meta[key]!r}" if key in meta else "the key is missing"
            raise UserError(f"{path}: {key}: {found}; {PREPARE_AGAIN}")
    if DTYPES.get(meta["kind"]) != meta["dtype"]:
        raise UserError(f"{path}: kind {meta['kind']!r} with dtype {meta['dtype']!r}; expected one of {DTYPES}")
    for key in ("num_train", "num_test"):
        if meta[key] < 1:
            raise UserError(f"{path}: {key} = {meta[key]}: the data set is empty; expected at least 1 point")
    return meta


def _open(path: Path, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Map one array and compare its type, shape and size on disk with what is expected."""
    try:
        check_regular(path)
        array = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found, though meta.json lists it; {PREPARE_AGAIN}") from error
    except Exception as error:  # NumPy's reader raises whatever it stumbles over in a broken header
        raise UserError(
            f"{path}: expected an array in .npy format, found {_describe(error)}; {PREPARE_AGAIN}"
        ) from error
    if array.dtype != dtype or array.shape != shape:
        raise UserError(f"{path}: found {array.dtype} {array.shape}, meta.json says {dtype} {shape}; {PREPARE_AGAIN}")
    size = array.offset + math.prod(shape) * array.dtype.itemsize
    if path.stat().st_size != size:
        raise UserError(f"{path}: {path.stat().st_size} bytes, expected {size}; {PREPARE_AGAIN}")
    return array


def _describe(error: Exception) -> str:
    """What NumPy's reader stumbled over, in its words or, where these advise to trust a pickle, in ours."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "something else" if "pickle" in str(error) else str(error) or "something else"


def _check_finite(path: Path, array: np.ndarray) -> None:
    if array.dtype.kind != "f":
        return
    # A float64 sum of float32 numbers cannot overflow: it is finite exactly when all of them are.
    if not np.isfinite(np.sum(array, dtype=np.float64)):
        row = int(np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))[0])
        raise UserError(f"{path}: row {row} holds NaN or infinite values; expected finite numbers: correct the data")


def _check_labels(path: Path, labels: np.ndarray, names: list[str] | None) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (names is not None and high >= len(names)):
        limit = "" if names is None else f" and below {len(names)}"
        raise UserError(f"{path}: labels from {low} to {high}; expected them at least 0{limit}: prepare the data again")


def _verify_checksums(folder: Path, digests: Mapping[str, str]) -> None:
    for name, expected in digests.items():
        path = folder / Path(name).name
        try:
            found = sha256_of(path)
        except FileNotFoundError as error:
            raise UserError(f"{path}: not found, though meta.json lists it; {PREPARE_AGAIN}") from error
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}); {PREPARE_AGAIN}") from error
        if found != expected:
            raise UserError(f"{path}: SHA-256 {found}, meta.json says {expected}; {PREPARE_AGAIN}")
