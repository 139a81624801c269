"""Vectors with a known partition: named generators, each the same points for the same seed.

The five of scikit-learn's page on clustering have that page's shapes and noise; their centres are those that the page's
own seeds draw.
"""

import argparse
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from competitive_mixtures.data import load_dataset, prepare
from competitive_mixtures.settings.overlays import read_params

NUM_POINTS = 3000  # of every set in the plane; real tables have what they have
TEST_SHARE = 0.2
PARAMS = Path(__file__).parents[1] / "params.yaml"
CENTRES = {"blobs": 30, "aniso": 170, "varied": 170}  # seeds of scikit-learn's page

Points = tuple[np.ndarray, np.ndarray]  # (n, d) float64 and (n,) integers, the true part of each


@dataclass(frozen=True)
class Found:
    """What a run of the pipeline has found.

    Attributes:
        parts: (n_train,) integers.
        seconds: that it took, by the clock.
    """

    parts: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Split:
    """Points to fit and points to score.

    Attributes:
        train, test: (n, d) float64, or (n, c, h, w) uint8 images.
        labels: (n_train,) integers, the true part of each training point; no method sees them.
        found: of latents, what finished runs of competitions have found there, by method.
    """

    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray
    found: Mapping[str, Found] | None = None

    @property
    def num_parts(self) -> int:
        """k, which every method is told."""
        return len(np.unique(self.labels))


def draw_split(name: str, seed: int) -> Split:
    """The points of a set and their split; another seed draws both anew (of real tables the split alone)."""
    if name.startswith("synthetic-"):
        return draw_synthetic(name, seed)
    points, labels = PLANE[name](seed) if name in PLANE else TABLES[name](return_X_y=True)
    train, test, train_labels, _ = train_test_split(
        points, labels, test_size=TEST_SHARE, random_state=seed, stratify=labels
    )
    if name in MEASURED:  # columns in different units
        scaler = StandardScaler().fit(train)
        train, test = scaler.transform(train), scaler.transform(test)
    return Split(train, test, train_labels)


def draw_synthetic(name: str, seed: int) -> Split:
    """The paper's Gaussians, by the project's own data code, in smaller number."""
    num_test = int(TEST_SHARE * NUM_POINTS)
    sizes = {"num_train": NUM_POINTS - num_test, "num_test": num_test, "seed": seed}
    spec = read_params(PARAMS).datasets[name].model_copy(update=sizes)
    with tempfile.TemporaryDirectory() as folder:
        prepare(spec, Path(folder), Path(folder), name)
        data = load_dataset(folder)
        return Split(
            *(np.array(part, dtype=np.float64) for part in (data.train, data.test)), np.array(data.train_labels)
        )


def draw_blobs(name: str, seed: int, deviations: float | tuple[float, ...] = 1.0) -> Points:
    """Three round blobs around the centres of scikit-learn's page."""
    *_, centres = datasets.make_blobs(3, random_state=CENTRES[name], return_centers=True)
    return datasets.make_blobs(NUM_POINTS, centers=centres, cluster_std=deviations, random_state=seed)


def draw_anisotropic(seed: int) -> Points:
    points, labels = draw_blobs("aniso", seed)
    return points @ [[0.6, -0.6], [-0.4, 0.8]], labels


def draw_pinwheel(seed: int) -> Points:
    """Five arms that are bent more the farther out."""
    random, arms = make_random(seed, 5)
    outward, across = 1 + 0.3 * random.normal(size=NUM_POINTS), 0.05 * random.normal(size=NUM_POINTS)
    return rotate(np.stack([outward, across], axis=1), 2 * np.pi * arms / 5 + 0.5 * np.exp(outward)), arms


def draw_arcs(seed: int) -> Points:
    """Three half circles, open to the centre."""
    random, arcs = make_random(seed, 3)
    angles = np.pi * random.uniform(-0.5, 0.5, size=NUM_POINTS)
    shape = np.array([3.2, 0.0]) + 1.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return rotate(shape, 2 * np.pi * arcs / 3) + 0.1 * random.normal(size=(NUM_POINTS, 2)), arcs


def draw_lines(seed: int) -> Points:
    """Three lines through one point."""
    random, lines = make_random(seed, 3)
    shape = np.stack([random.uniform(-3, 3, size=NUM_POINTS), 0.1 * random.normal(size=NUM_POINTS)], axis=1)
    return rotate(shape, np.pi * lines / 3), lines


def draw_widths(seed: int) -> Points:
    """Three blobs of the standard deviations 1, 0.3 and 2.5."""
    random, blobs = make_random(seed, 3)
    centres, deviations = np.array([[0.0, 0.0], [3.0, 3.0], [-6.0, 4.0]]), np.array([1.0, 0.3, 2.5])
    return centres[blobs] + deviations[blobs, None] * random.normal(size=(NUM_POINTS, 2)), blobs


def draw_spirals(seed: int) -> Points:
    """Two spirals of one and a half turns."""
    random, spirals = make_random(seed, 2)
    angles = 3 * np.pi * np.sqrt(random.uniform(0.05, 1, size=NUM_POINTS))
    shape = np.stack([angles, np.zeros(NUM_POINTS)], axis=1)
    return rotate(shape, angles + np.pi * spirals) + 0.3 * random.normal(size=(NUM_POINTS, 2)), spirals


def make_random(seed: int, parts: int) -> tuple[np.random.Generator, np.ndarray]:
    """A generator, and the part of each point."""
    random = np.random.default_rng(seed)
    return random, random.integers(parts, size=NUM_POINTS)


def rotate(points: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Each point, a row, turned around the origin by its own angle in radians."""
    cosines, sines = np.cos(angles), np.sin(angles)
    x, y = points.T
    return np.stack([cosines * x - sines * y, sines * x + cosines * y], axis=1)


PLANE: dict[str, Callable[[int], Points]] = {
    "moons": lambda seed: datasets.make_moons(NUM_POINTS, noise=0.05, random_state=seed),
    "circles": lambda seed: datasets.make_circles(NUM_POINTS, factor=0.5, noise=0.05, random_state=seed),
    "aniso": draw_anisotropic,
    "varied": partial(draw_blobs, "varied", deviations=(1.0, 2.5, 0.5)),
    "blobs": partial(draw_blobs, "blobs"),
    "pinwheel": draw_pinwheel,
    "arcs": draw_arcs,
    "lines": draw_lines,
    "widths": draw_widths,
    "spirals": draw_spirals,
}
TABLES = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
}
MEASURED = ("iris", "wine", "cancer")
VECTORS = (*PLANE, *TABLES, "synthetic-3", "synthetic-6", "synthetic-9")
DEVELOPMENT = ("moons", "aniso", "pinwheel", "lines", "iris", "cancer", "digits", "synthetic-9")


def known_names(known: Collection[str]) -> Callable[[str], list[str]]:
    """A reader of names with commas between them, as argparse takes one."""

    def read(text: str) -> list[str]:
        unknown = sorted(set(chosen := text.split(",")) - set(known))
        if unknown:
            raise argparse.ArgumentTypeError(f"found {', '.join(unknown)}, expected some of {', '.join(known)}")
        return chosen

    return read
