"""The paper's 2-D data: isotropic Gaussians whose second coordinate is sheared, with their exact density."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.data.spec import Spec as BaseSpec
from competitive_mixtures.data.spec import download_nothing as download
from competitive_mixtures.data.spec import measured_in

__all__ = ["Shear", "Spec", "download", "draw_means", "log_density", "prepare"]

NUM_OVERLAP_POINTS = 200_000
Seed = Annotated[int, Field(ge=0, lt=2**32)]
NumPoints = Annotated[int, measured_in("points", ge=1, le=10**8)]
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]


class Shear(BaseModel):
    """The map x2 <- x2 + quadratic * x1^2 + offset; it preserves volume, so densities need no Jacobian.

    Attributes:
        quadratic: coefficient of x1^2.
        offset: what is added to x2.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    quadratic: float
    offset: float


class DrawnMeans(BaseModel):
    """Means as the authors drew them: uniform in [-range, range]^2, times `scale`.

    Attributes:
        seed: seed of NumPy's legacy generator.
        range: half the side of the square.
        scale: factor on the draw.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    seed: Seed
    range: Annotated[float, Field(gt=0, le=1e6)]
    scale: Annotated[float, Field(gt=0, le=1e6)]


class Spec(BaseSpec):
    """A mixture of isotropic Gaussians in the plane.

    Attributes:
        modes: number of Gaussians.
        means: their means before the shear: one [x1, x2] each, or how they are drawn.
        variance: variance of each coordinate of each mode.
        weights: one per mode, summing to 1; `null` means equal weights.
        shear: the coefficients of the shear; `null` leaves the points as they are.
        num_train: number of training points.
        num_test: number of test points.
        seed: seed of the points.
    """

    kind: Literal["gaussians"]
    modes: Annotated[int, measured_in("modes", ge=1, le=100)]
    means: DrawnMeans | list[Annotated[list[Coordinate], Field(min_length=2, max_length=2)]]
    variance: Annotated[float, measured_in("data units squared", ge=1e-12, le=1e12)]
    weights: list[Annotated[float, Field(gt=0, le=1)]] | None = None
    shear: Shear | None = None
    num_train: NumPoints
    num_test: NumPoints
    seed: Seed

    @model_validator(mode="after")
    def _check_modes(self) -> "Spec":
        if isinstance(self.means, list) and len(self.means) != self.modes:
            raise ValueError(f"means has {len(self.means)} entries, expected one for each of the {self.modes} modes")
        if self.weights is not None and len(self.weights) != self.modes:
            raise ValueError(
                f"weights has {len(self.weights)} entries, expected one for each of the {self.modes} modes"
            )
        if self.weights is not None and not math.isclose(sum(self.weights), 1.0, abs_tol=1e-6):
            raise ValueError(f"weights sum to {sum(self.weights):g}, expected 1")
        if min(self.num_train, self.num_test) < self.modes:
            raise ValueError(f"num_train and num_test must be at least the number of modes, {self.modes}")
        return self


def prepare(spec: Spec, raw_dir: Path | str, out_dir: Path | str, name: str) -> None:
    """Draw the data set and write it with its exact log-likelihoods.

    `meta.json` gains `means` (before the shear), `variances`, `weights`, `shear`, `log_likelihood_bound` (the
    negative entropy in nats, the best expected log-likelihood of any model) and `log_likelihood_test` (the mean exact
    log-density of the test points).
    """
    means = draw_means(spec)  # (modes, 2)
    weights = np.array(spec.weights or [1.0 / spec.modes] * spec.modes)
    metadata: dict[str, Any] = {
        "means": means.tolist(),
        "variances": [spec.variance] * spec.modes,
        "weights": (weights / weights.sum()).tolist(),
        "shear": None if spec.shear is None else spec.shear.model_dump(),
    }
    # One stream for each split: the test points stay the same when num_train changes.
    train_seed, test_seed, overlap_seed = np.random.SeedSequence(spec.seed).spawn(3)
    train, train_labels = _draw_points(metadata, spec.num_train, np.random.default_rng(train_seed))
    test, test_labels = _draw_points(metadata, spec.num_test, np.random.default_rng(test_seed))
    metadata["log_likelihood_bound"] = _negative_entropy(metadata, np.random.default_rng(overlap_seed))
    metadata["log_likelihood_test"] = float(log_density(test, metadata).mean())
    arrays = {"train": train, "test": test, "train_labels": train_labels, "test_labels": test_labels}
    names = [f"mode {mode}" for mode in range(spec.modes)]
    write_dataset(out_dir, name, arrays, source=spec.model_dump(), label_names=names, metadata=metadata)


def draw_means(spec: Spec) -> np.ndarray:
    """Means before the shear, (modes, 2): the given ones, or the authors' draw."""
    if isinstance(spec.means, list):
        return np.array(spec.means, dtype=np.float64)
    # NumPy's legacy generator, since only it repeats the authors' means.
    legacy = np.random.RandomState(spec.means.seed)
    return spec.means.scale * legacy.uniform(-spec.means.range, spec.means.range, (spec.modes, 2))


def log_density(points: np.ndarray, meta: Mapping[str, Any]) -> np.ndarray:
    """Exact log-density of sheared points.

    Args:
        points: (n, 2), in the data's coordinates.
        meta: `means`, `variances`, `weights` and `shear` of a data set of this kind.

    Returns:
        (n,) float64, in nats.
    """
    return _logsumexp(_joint_log_density(_unshear(points, meta["shear"]), meta))


def _draw_points(meta: Mapping[str, Any], num_points: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw points, (n, 2) float32, and their modes, (n,) int64, in random order.

    The number of points per mode is exact up to rounding, not multinomial: it takes the noise of the mode counts out of
    every comparison between seeds of the data, and no mode can be missing by chance.
    """
    labels = rng.permutation(np.repeat(np.arange(len(meta["weights"])), _counts(meta["weights"], num_points)))
    spread = np.sqrt(np.array(meta["variances"]))[labels, None]
    points = np.array(meta["means"])[labels] + spread * rng.standard_normal((num_points, 2))
    if meta["shear"] is not None:
        points[:, 1] += _shift(points[:, 0], meta["shear"])
    return points.astype(np.float32), labels.astype(np.int64)


def _counts(weights: list[float], num_points: int) -> np.ndarray:
    """Integers that sum to `num_points` and are nearest to the weights (largest remainders), (modes,)."""
    shares = np.array(weights) * num_points
    counts = np.floor(shares).astype(np.int64)
    leftover = num_points - int(counts.sum())
    counts[np.argsort(counts - shares, kind="stable")[:leftover]] += 1
    return counts


def _negative_entropy(meta: Mapping[str, Any], rng: np.random.Generator) -> float:
    """E[log p(x)] in nats: the closed form of separate modes plus the mean gain by their overlap.

    With j the mode that made x, log p(x) = log(w_j N_j(x)) + log(p(x) / (w_j N_j(x))). The first term has the mean
    sum_j w_j (log w_j - log(2 pi e sigma_j^2)); the second, averaged over an own sample, vanishes for separate modes,
    so its Monte Carlo error does too.
    """
    weights, variances = np.array(meta["weights"]), np.array(meta["variances"])
    closed_form = float(np.sum(weights * (np.log(weights) - np.log(2 * np.pi * np.e * variances))))
    points, labels = _draw_points(dict(meta, shear=None), NUM_OVERLAP_POINTS, rng)
    joint = _joint_log_density(points.astype(np.float64), meta)  # (n, modes)
    return closed_form + float(np.mean(_logsumexp(joint) - joint[np.arange(len(labels)), labels]))


def _joint_log_density(points: np.ndarray, meta: Mapping[str, Any]) -> np.ndarray:
    """log(w_j N_j(x)) of points before the shear, (n, modes) float64."""
    variances = np.array(meta["variances"])
    squares = np.stack([np.sum((points - np.array(mean)) ** 2, axis=1) for mean in meta["means"]], axis=1)
    return np.log(meta["weights"]) - np.log(2 * np.pi * variances) - squares / (2 * variances)


def _logsumexp(values: np.ndarray) -> np.ndarray:
    """Row-wise log of the sum of exponentials, (n, modes) -> (n,); SciPy's costs 0.2 s of import."""
    highest = values.max(axis=1)
    return highest + np.log(np.exp(values - highest[:, None]).sum(axis=1))


def _unshear(points: np.ndarray, shear: Mapping[str, float] | None) -> np.ndarray:
    points = np.array(points, dtype=np.float64)
    if shear is not None:
        points[:, 1] -= _shift(points[:, 0], shear)
    return points


def _shift(first: np.ndarray, shear: Mapping[str, float]) -> np.ndarray:
    return shear["quadratic"] * first**2 + shear["offset"]
