"""A user's own arrays: an `.npz` or `.npy` file with vectors or images."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from competitive_mixtures.data.array_files import read_arrays
from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.data.precision import check_magnitude, check_precision
from competitive_mixtures.data.spec import Spec as BaseSpec
from competitive_mixtures.data.spec import download_nothing as download
from competitive_mixtures.data.spec import look_at
from competitive_mixtures.data.split import check_classes, number_labels, split_rows
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.checksums import sha256_of

__all__ = ["Spec", "download", "prepare", "to_points"]

DARK = 127  # of 255: what images pass somewhere, as a rule
CLIPPED = 1e-3  # beyond 0 and 1, of floating-point images: the roundings of whatever resized them, half precision's too


class Spec(BaseSpec):
    """Vectors (N, d), or images (N, h, w) or (N, c, h, w) with c = 1 or 3, in a file that needs no pickle.

    An `.npy` file is one array. An `.npz` file has `x` or `x_train`, and as it likes `x_test` and the labels `y` or
    `y_train` and `y_test` (integers or strings). Vectors are stored as float32 as they are, and
    refused where that would round the differences between them away. Images must be
    integers from 0 to 255, or floating-point numbers from 0 to 1 (roundings apart), which become round(255 x).
    Without `x_test` a part is drawn for testing; `train_rows.npy` and `test_rows.npy` then say which rows of the
    file the points are.

    Attributes:
        path: the file, relative to the project's root.
        test_fraction: share of the points that are kept for testing where there is no `x_test`.
        seed: seed of that draw.
        classifier: train a classifier of the labels, which scores generated images (`frechet_classifier`).
    """

    kind: Literal["array"]
    path: Annotated[str, Field(min_length=1)]
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    classifier: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The file itself."""
        return (self.path,)

    def list_files(self) -> list[tuple[str, int, int]]:
        """The file itself."""
        return [look_at(self.path, "an .npz or .npy file")]

    @property
    def has_classifier(self) -> bool:
        """As the user says: only `prepare` sees whether there are labels."""
        return self.classifier


def prepare(spec: Spec, raw_dir: Path | str, out_dir: Path | str, name: str) -> None:
    """Check the arrays and write them; `raw_dir` is not used.

    Raises:
        UserError: the file is missing, too large, broken or holds Python objects; an array is empty, of a wrong shape
            or type, holds NaN, infinite or out-of-range values; labels do not match the points, or no classifier can
            learn them.
    """
    path = Path(spec.path)
    content = read_arrays(path)
    splits = [split for split in ("train", "test") if split in content]
    arrays: dict[str, np.ndarray] = {split: to_points(*content[split]) for split in splits}
    if content["train"][1].ndim == 2:
        check_precision(*content["train"])
    for split in splits:
        if f"{split}_labels" in content:
            label, labels = content[f"{split}_labels"]
            arrays[f"{split}_labels"] = _check_labels(f"{label}, the labels of {split}", labels, len(arrays[split]))
    if "test" not in arrays:
        arrays = _split(path, arrays, spec)
    elif arrays["train"].shape[1:] != arrays["test"].shape[1:]:
        shapes = f"{arrays['train'].shape[1:]} and {arrays['test'].shape[1:]}"
        raise UserError(f"{path}: points of x_train and x_test have the shapes {shapes}; expected the same")
    names = None
    if parts := [key for key in ("train_labels", "test_labels") if key in arrays]:
        numbers, names = number_labels(*(arrays[key] for key in parts))
        arrays |= dict(zip(parts, numbers, strict=True))
    if spec.classifier:
        check_classes(str(path), arrays)
    write_dataset(out_dir, name, arrays, spec.model_dump(), names, metadata={"source_sha256": sha256_of(path)})


def to_points(label: str, array: np.ndarray) -> np.ndarray:
    """Check one array and give it the stored form, (N, d) float32 or (N, c, h, w) uint8.

    Args:
        label: names the array in an error.
        array: (N, d), (N, h, w) or (N, c, h, w); see `Spec`.

    Raises:
        UserError: it is empty, of a wrong shape or type, or holds NaN, infinite or out-of-range values.
    """
    if array.dtype.kind not in "buif":
        hint = ": convert them by astype(float)" if array.dtype.kind in "OSU" else ""
        raise UserError(f"{label}: values of type {array.dtype}; expected integers or floating-point numbers{hint}")
    if array.ndim not in (2, 3, 4):
        hint = "; reshape it to (N, 1)" if array.ndim == 1 else ""
        raise UserError(f"{label}: shape {array.shape}; expected (N, d), (N, h, w) or (N, c, h, w){hint}")
    if array.size == 0:
        raise UserError(f"{label}: shape {array.shape}: there are no points; expected at least one of each axis")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(axis=1)))
        raise UserError(f"{label}: row {row} holds NaN or infinite values; expected finite numbers: correct the data")
    if array.ndim > 2:
        return _to_images(label, array)
    check_magnitude(label, array)
    return array.astype(np.float32)


def _to_images(label: str, array: np.ndarray) -> np.ndarray:
    images = array[:, None] if array.ndim == 3 else array
    if images.shape[1] not in (1, 3):
        last = "; the channels come before height and width: give x.transpose(0, 3, 1, 2)"
        hint = last if images.shape[3] in (1, 3) else ""
        raise UserError(f"{label}: {images.shape[1]} channels in shape {array.shape}; expected 1 or 3{hint}")
    highest, slack = (255, 0.0) if array.dtype.kind in "ui" else (1, CLIPPED)
    low, high = float(array.min()), float(array.max())
    if low < -slack or high > highest + slack:
        raise UserError(
            f"{label}: {array.dtype} images from {low:.7g} to {high:.7g}; expected 0 to {highest}: "
            f"{_advise(low, high, floats=slack > 0)}"
        )
    if array.dtype.kind in "ui":
        return images.astype(np.uint8)
    return np.rint(images.astype(np.float32).clip(0, 1) * 255).astype(np.uint8)


def _advise(low: float, high: float, *, floats: bool) -> str:
    """How images out of range come into it."""
    if low < 0 or not floats or high <= 2 or high > 255:
        return "rescale them, or where they are no images reshape them to (N, d)"
    if high > DARK:
        return "divide them by 255"
    return f"divide them by the largest value that they can have, say {high:.7g}"


def _check_labels(label: str, labels: np.ndarray, num_points: int) -> np.ndarray:
    if labels.dtype.kind == "S":  # as HDF5 files have them
        try:
            labels = np.char.decode(labels, "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{label}: bytes that are no UTF-8 ({error}); expected integers or strings") from error
    if labels.dtype.kind not in "buiU":
        remedy = "astype(int) makes integers, astype(str) strings"
        raise UserError(f"{label}: values of type {labels.dtype}; expected integers or strings: {remedy}")
    if labels.shape != (num_points,):
        raise UserError(f"{label}: shape {labels.shape}; expected ({num_points},), one for each point")
    return labels


def _split(path: Path, arrays: dict[str, np.ndarray], spec: Spec) -> dict[str, Any]:
    num_points = len(arrays["train"])
    if num_points < 2:
        raise UserError(f"{path}: 1 point; expected at least 2, one to train on and one to test on")
    rows = dict(zip(("train", "test"), split_rows(num_points, spec.test_fraction, spec.seed), strict=True))
    parts: dict[str, Any] = {split: arrays["train"][rows[split]] for split in rows}
    if "train_labels" in arrays:
        parts |= {f"{split}_labels": arrays["train_labels"][rows[split]] for split in rows}
    return parts | {f"{split}_rows": rows[split] for split in rows}
