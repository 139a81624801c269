"""Digits seen through independent mechanisms: the data set whose true mechanism is known.

Reference: Parascandolo, Kilbertus, Rojas-Carulla, Schölkopf, "Learning Independent Causal Mechanisms", ICML 2018,
whose ten mechanisms these are: translations in eight directions, contrast inversion, additive noise. How far and how
strongly is chosen by us, and the images keep their size.
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from competitive_mixtures.data.format import load_dataset, write_dataset
from competitive_mixtures.data.spec import Spec as BaseSpec
from competitive_mixtures.data.spec import download_nothing as download
from competitive_mixtures.data.spec import measured_in
from competitive_mixtures.errors import UserError

__all__ = ["NAMES", "Spec", "apply_mechanism", "download", "prepare"]

# (rows down, columns to the right), clockwise from the top
DIRECTIONS = {
    "up": (-1, 0),
    "up right": (-1, 1),
    "right": (0, 1),
    "down right": (1, 1),
    "down": (1, 0),
    "down left": (1, -1),
    "left": (0, -1),
    "up left": (-1, -1),
}
NAMES = [*DIRECTIONS, "contrast inversion", "noise"]


class Spec(BaseSpec):
    """Every image of another data set, sent through one of ten mechanisms drawn at random, all equally often.

    The label is the mechanism; the source's own label is kept in `train_source_labels.npy` and
    `test_source_labels.npy`.

    Attributes:
        source: name of the data set that is transformed, one of images.
        shift: length of the translations in pixels along each axis; what enters from outside is black.
        noise: standard deviation of the Gaussian noise on pixel values from 0 to 1, clipped to that range.
        seed: seed of the mechanisms and of the noise.
    """

    kind: Literal["mechanisms"]
    source: Annotated[str, Field(min_length=1)]
    shift: Annotated[int, measured_in("pixels", ge=1, le=256)]
    noise: Annotated[float, measured_in("range of a pixel", gt=0, le=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]

    @property
    def requires(self) -> str:
        """The data set that is transformed."""
        return self.source


def prepare(spec: Spec, raw_dir: Path | str, out_dir: Path | str, name: str) -> None:
    """Transform a processed data set of images.

    Args:
        spec: the specification.
        raw_dir: the processed folder of the data set `spec.source`; its checksums are verified.
        out_dir: where to write.
        name: the data set's name.

    Raises:
        UserError: the source is missing or altered, holds no images, or is too small for the shift.
    """
    source = load_dataset(raw_dir, verify=True)
    if source.kind != "image":
        raise UserError(f"{raw_dir}: a data set of {source.kind}s; `source` must name one of images")
    if spec.shift >= min(source.shape[1:]):
        raise UserError(f"{raw_dir}: images of {source.shape[1:]} pixels; `shift` = {spec.shift} must be smaller")
    arrays = {}
    seeds = np.random.SeedSequence(spec.seed).spawn(2)
    for split, seed in zip(("train", "test"), seeds, strict=True):
        rng = np.random.default_rng(seed)
        images, digits = getattr(source, split), getattr(source, f"{split}_labels")
        labels = rng.permutation(np.arange(len(images)) % len(NAMES))
        arrays[split] = _transform(np.asarray(images), labels, spec, rng)
        arrays[f"{split}_labels"] = labels.astype(np.int64)
        if digits is not None:
            arrays[f"{split}_source_labels"] = np.asarray(digits)
    metadata = {"source_label_names": source.meta["label_names"], "source_sha256": source.meta["sha256"]}
    write_dataset(out_dir, name, arrays, spec.model_dump(), NAMES, metadata)


def apply_mechanism(images: np.ndarray, mechanism: str, spec: Spec, rng: np.random.Generator) -> np.ndarray:
    """Send images through one mechanism.

    Args:
        images: (n, c, h, w) uint8.
        mechanism: one of `NAMES`.
        spec: gives the length of a translation and the strength of the noise.
        rng: draws the noise.

    Returns:
        (n, c, h, w) uint8.
    """
    if mechanism == "contrast inversion":
        return 255 - images
    if mechanism == "noise":
        noise = 255 * spec.noise * rng.standard_normal(images.shape, dtype=np.float32)
        return np.rint(np.clip(images + noise, 0, 255)).astype(np.uint8)
    down, right = (spec.shift * step for step in DIRECTIONS[mechanism])
    height, width = images.shape[2:]
    moved = np.zeros_like(images)
    target = (slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0)))
    origin = (slice(max(-down, 0), height - max(down, 0)), slice(max(-right, 0), width - max(right, 0)))
    moved[:, :, *target] = images[:, :, *origin]
    return moved


def _transform(images: np.ndarray, labels: np.ndarray, spec: Spec, rng: np.random.Generator) -> np.ndarray:
    transformed = np.empty_like(images)
    for number, mechanism in enumerate(NAMES):
        transformed[labels == number] = apply_mechanism(images[labels == number], mechanism, spec, rng)
    return transformed
