"""The points that the estimator is given, checked, as the pipeline stores them."""

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from competitive_mixtures.data.array import DARK, to_points
from competitive_mixtures.data.precision import check_magnitude, check_precision, find_centre, is_rounded_away
from competitive_mixtures.errors import UserError, UserTypeError

SHOWN_COLUMNS = 5  # in an error


@dataclass(frozen=True)
class Form:
    """How a user holds points.

    Attributes:
        kind: `vector` or `image`.
        shape: of one point, (d,) or (c, h, w).
        dtype: name of the type that samples are given in.
        centre: (d,) what is subtracted from vectors, in float64, where float32 would round their differences away.
        flat: whether images have no axis of channels, (n, h, w).
    """

    kind: Literal["vector", "image"]
    shape: tuple[int, ...]
    dtype: str
    centre: tuple[float, ...] = ()
    flat: bool = False

    def restore(self, samples: np.ndarray) -> np.ndarray:
        """Stored samples as the user holds points: images in floats are from 0 to 1."""
        if self.kind == "image":
            images = samples[:, 0] if self.flat else samples
            floats = np.dtype(self.dtype).kind == "f"
            return images.astype(self.dtype) / np.dtype(self.dtype).type(255) if floats else images
        return (samples + np.array(self.centre)).astype(self.dtype) if self.centre else samples.astype(self.dtype)


def read_points(estimator: BaseEstimator, X: Any, *, form: Form | None = None) -> tuple[np.ndarray, Form]:
    """Check what a user gives and bring it into the stored form.

    Args:
        estimator: notes the number and names of the features, or holds against them.
        X: (n, d) numbers, or images (n, h, w) or (n, c, h, w) with c = 1 or 3, as integers from 0 to 255 or as floats
            from 0 to 1; a NumPy array, a data frame, a tensor, or what makes an array.
        form: of the points that the estimator was fitted to; None while it is being fitted.

    Returns:
        (n, d) float32 or (n, c, h, w) uint8, and the form of X.

    Raises:
        ValueError: X is empty, of a wrong shape, holds NaN, infinite or out-of-range values, or does not fit `form`.
    """
    with explain(X, form):
        return _read_points(estimator, X, form)


def _read_points(estimator: BaseEstimator, X: Any, form: Form | None) -> tuple[np.ndarray, Form]:
    X = _open(X)
    if _count_axes(X) in (3, 4):
        with np.errstate(invalid="ignore"):  # scikit-learn adds all numbers up to find infinite ones
            images = check_array(X, dtype=None, ensure_2d=False, allow_nd=True, input_name="X")
        flat = images.ndim == 3
        points = to_points("X", images[:, None] if flat else images)
        dtype = str(images.dtype) if images.dtype.kind == "f" else "uint8"
        found = Form("image", points.shape[1:], dtype, flat=flat)
        if form is None:
            estimator.n_features_in_ = int(np.prod(found.shape))
    else:
        with np.errstate(invalid="ignore"):
            vectors = validate_data(estimator, X, reset=form is None, dtype=(np.float64, np.float32))
        check_magnitude("X", vectors)
        centre = form.centre if form else choose_centre(vectors)
        points = to_points("X", vectors - np.array(centre) if centre else vectors)
        found = Form("vector", points.shape[1:], str(vectors.dtype), centre)
    if form is not None and (found.kind, found.shape) != (form.kind, form.shape):
        raise UserError(f"X: points of shape {found.shape}; expected {form.shape}, as in fit")
    return points, found


@contextmanager
def explain(X: Any, form: Form | None = None) -> Iterator[None]:
    """Have whatever NumPy, PyTorch or scikit-learn say of X name X, what was found and what was expected.

    Raises:
        UserError: also a TypeError where theirs is one.
    """
    try:
        yield
    except (UserError, MemoryError, Warning):
        raise
    except Exception as error:  # X's own class converts it, and may raise anything
        reason = re.sub(r":?\narray=.*\n(?=Reshape)", "; ", str(error), flags=re.DOTALL)  # the numbers themselves
        reason = re.sub(r"^(Complex data not supported|Input X contains NaN\.)\n.*", r"\1", reason, flags=re.DOTALL)
        kind = UserTypeError if isinstance(error, TypeError) else UserError
        expected = "numbers (n, d), or images (n, h, w) or (n, c, h, w)"
        if form is not None:
            expected = f"points of shape {form.shape}, as in fit"
        raise kind(f"X: found {describe(X)}: {reason}{name_bad_columns(X)}\nExpected {expected}") from error


def name_bad_columns(X: Any) -> str:
    """The columns that hold words, NaN or infinity, for the end of a sentence; nothing where X has no columns."""
    with suppress(Exception):  # an aid: whatever X is, its error is being reported
        if hasattr(X, "columns"):
            columns = {name: np.asarray(X[name]) for name in X.columns}
        else:
            columns = dict(enumerate(np.asarray(X).T)) if np.ndim(X) == 2 else {}
        bad = [f"{name!r}" for name, values in columns.items() if not is_finite(values)]
        if bad:
            shown = bad if len(bad) <= SHOWN_COLUMNS else [*bad[:SHOWN_COLUMNS], f"{len(bad) - SHOWN_COLUMNS} more"]
            return f" (column{'s' if len(bad) > 1 else ''} {', '.join(shown)})"
    return ""


def is_finite(values: np.ndarray) -> bool:
    """Whether all values are numbers, and none of them is NaN or infinite."""
    try:
        return bool(np.isfinite(values.astype(np.float64)).all())
    except (TypeError, ValueError):
        return False


def describe(X: Any) -> str:
    """What X is, in a few words."""
    if isinstance(X, str | bytes | os.PathLike):
        return f"{X!r}, a word or path; read the file first, say by numpy.load or pandas.read_csv"
    found = type(X).__name__
    for preposition, name in (("of", "dtype"), ("of shape", "shape")):
        with suppress(Exception):  # some tensors have none and say so by an error
            if isinstance(value := getattr(X, name), np.dtype | torch.dtype | tuple):
                found += f" {preposition} {tuple(value) if isinstance(value, tuple) else value}"
    return found


def warn_of_dark_images(points: np.ndarray, form: Form, stacklevel: int = 3) -> None:
    """Warn of images that all stay dark: as a rule their white is another number than 255, or 1 of floats.

    Args:
        points: (n, c, h, w) uint8, or vectors, of which nothing is said.
        form: how the user holds them.
        stacklevel: of the warning, seen from here.
    """
    if form.kind == "image" and 0 < (highest := int(points.max())) <= DARK:
        white = 255 if form.dtype == "uint8" else 1
        found = f"{highest * white / 255:.3g}"
        warnings.warn(
            f"CompetitiveMixture: X holds images from 0 to {found}, of which {white} would be white; if {found} is, "
            f"give X / {found}",
            UserWarning,
            stacklevel=stacklevel,
        )


def _open(X: Any) -> Any:
    """Tensors as arrays; refuses what scikit-learn takes for numbers, though it is none.

    Raises:
        UserError: numbers are masked, or X holds dates.
    """
    if isinstance(X, torch.Tensor):
        X = X.detach().cpu().resolve_conj().resolve_neg()
        unknown = X.is_floating_point() and X.dtype not in (torch.float16, torch.float32, torch.float64)
        X = (X.float() if unknown else X).numpy()
    if np.ma.is_masked(X):
        raise UserError(
            f"X: found {np.ma.count_masked(X)} masked numbers; expected none: fill them, or drop their points"
        )
    types = X.dtypes if hasattr(X, "columns") else [getattr(X, "dtype", None)]  # a data frame has several
    if any(getattr(dtype, "kind", None) in ("m", "M") for dtype in types):
        raise UserError("X: found dates or times; expected numbers: convert them, say to days since the first")
    return X


def _count_axes(X: Any) -> int:
    """2 where nested lists make no array, which scikit-learn then explains."""
    try:
        return X.ndim if hasattr(X, "ndim") else np.ndim(X)
    except ValueError:
        return 2


def choose_centre(vectors: np.ndarray) -> tuple[float, ...]:
    """The centre of (n, d) vectors far from zero and close together, (d,); () where float32 takes them as they are.

    Raises:
        UserError: float32 would round their differences away around their centre too.
    """
    if not is_rounded_away(vectors):
        return ()
    centre = find_centre(vectors)
    check_precision("X", vectors - centre)
    return tuple(centre.tolist())
