"""The synthetic data has the paper's means, variances and shear, and its density is exact."""

import numpy as np
import pytest
from pydantic import ValidationError

from competitive_mixtures.data import load_dataset, log_density
from competitive_mixtures.data.gaussians import Spec, draw_means, prepare

DRAWN = {"seed": 821, "range": 16.0, "scale": 1.5}
GRID = [[x, y] for x in (-10, 0, 10) for y in (-10, 0, 10)]
BASE = {
    "kind": "gaussians",
    "modes": 3,
    "means": DRAWN,
    "variance": 1.875,
    "shear": {"quadratic": 0.04, "offset": -4.0},
    "num_train": 6000,
    "num_test": 600,
    "seed": 0,
}


def make(folder, **changes):
    prepare(Spec(**(BASE | changes)), folder / "unused", folder / "toy", "toy")
    return load_dataset(folder / "toy")


def test_the_means_are_the_authors_draw():
    np.random.seed(821)  # what the authors did, in global state
    expected = 1.5 * np.random.uniform(-16.0, 16.0, (3, 2))
    assert np.array_equal(draw_means(Spec(**BASE)), expected)


def test_given_means_are_kept(tmp_path):
    dataset = make(tmp_path, modes=9, means=GRID)
    assert dataset.meta["means"] == GRID


@pytest.mark.parametrize(
    ("modes", "means", "variance", "expected"),
    [(3, DRAWN, 15 / 8, -4.565), (6, DRAWN, 15 / 108, -2.6555), (9, GRID, 15 / 243, -2.250)],
)
def test_the_bound_is_the_negative_entropy_of_separate_modes(tmp_path, modes, means, variance, expected):
    meta = make(tmp_path, modes=modes, means=means, variance=variance).meta
    assert meta["log_likelihood_bound"] == pytest.approx(-np.log(modes) - np.log(2 * np.pi * np.e * variance), abs=1e-4)
    assert meta["log_likelihood_bound"] == pytest.approx(expected, abs=6e-4)
    assert meta["log_likelihood_test"] == pytest.approx(expected, abs=5 / np.sqrt(600))


def test_undoing_the_shear_gives_isotropic_gaussians(tmp_path):
    dataset = make(tmp_path, num_train=60_000)
    points = np.array(dataset.train, dtype=np.float64)
    points[:, 1] += 4 - 0.04 * points[:, 0] ** 2
    for mode, mean in enumerate(dataset.meta["means"]):
        cell = points[dataset.train_labels == mode]
        assert cell.mean(axis=0) == pytest.approx(mean, abs=5 * np.sqrt(1.875 / len(cell)))
        assert np.cov(cell.T) == pytest.approx(1.875 * np.eye(2), abs=0.1)


def test_a_strongly_overlapping_mixture_against_numerical_integration(tmp_path):
    means, weights = [[0.0, 0.0], [1.5, 0.5]], [0.8, 0.2]
    shear = {"quadratic": 0.3, "offset": 1.0}
    meta = make(tmp_path, modes=2, means=means, weights=weights, variance=1.0, shear=shear).meta
    first, second = np.meshgrid(np.linspace(-7, 9, 801), np.linspace(-8, 35, 2151), indexing="ij")
    log_p = log_density(np.stack([first.ravel(), second.ravel()], axis=1), meta)
    mass = np.exp(log_p) * (16 / 800) * (43 / 2150)
    assert mass.sum() == pytest.approx(1.0, abs=1e-5)
    assert meta["log_likelihood_bound"] == pytest.approx(np.sum(mass * log_p), abs=2e-3)


def test_the_density_of_one_gaussian_by_hand():
    meta = {"means": [[1.0, -2.0]], "variances": [4.0], "weights": [1.0], "shear": {"quadratic": 0.5, "offset": 3.0}}
    # x1 = 3 shifts x2 by 0.5 * 9 + 3 = 7.5: the point was (3, -2), at distance 2 from the mean.
    assert log_density(np.array([[3.0, 5.5]]), meta) == pytest.approx([-np.log(8 * np.pi) - 4 / 8])


def test_the_test_likelihood_is_that_of_the_stored_points(tmp_path):
    dataset = make(tmp_path)
    assert dataset.meta["log_likelihood_test"] == log_density(dataset.test, dataset.meta).mean()


@pytest.mark.parametrize(
    ("modes", "weights", "num_train", "expected"),
    [(3, None, 64, [22, 21, 21]), (3, [0.5, 0.3, 0.2], 10, [5, 3, 2]), (2, [0.99, 0.01], 30, [30, 0])],
)
def test_points_per_mode_are_exact_up_to_rounding(tmp_path, modes, weights, num_train, expected):
    labels = make(tmp_path, modes=modes, weights=weights, num_train=num_train).train_labels
    assert np.bincount(labels, minlength=modes).tolist() == expected


def test_points_come_in_random_order(tmp_path):
    labels = make(tmp_path).train_labels
    assert abs(np.mean(labels[1:] == labels[:-1]) - 1 / 3) < 0.05


def test_the_test_points_do_not_depend_on_the_number_of_training_points(tmp_path):
    short, long = (make(tmp_path / name, num_train=number) for name, number in (("a", 300), ("b", 900)))
    assert np.array_equal(short.test, long.test)


def test_the_seed_decides_the_points_and_nothing_else(tmp_path):
    first, again, other = (make(tmp_path / name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert np.array_equal(first.train, again.train)
    assert not np.array_equal(first.train, other.train)
    assert first.meta["means"] == other.meta["means"]
    assert not np.array_equal(first.train[: len(first.test)], first.test)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modes": 0}, "greater than or equal to 1"),
        ({"modes": 3.0}, "valid integer"),
        ({"modes": True}, "valid integer"),
        ({"modes": 4, "means": GRID}, "means has 9 entries, expected one for each of the 4 modes"),
        ({"means": None}, "means"),
        ({"means": [[0, 0], [1, 1], [2]]}, "at least 2 items"),
        ({"means": [[0, 0], [1, 1], [2, float("nan")]]}, "means"),
        ({"means": {"seed": -1, "range": 16.0, "scale": 1.5}}, "greater than or equal to 0"),
        ({"variance": 0.0}, "greater than or equal"),
        ({"variance": float("inf")}, "finite"),
        ({"variance": "1.0e-4"}, "valid number"),
        ({"weights": [0.5, 0.5]}, "weights has 2 entries"),
        ({"weights": [0.5, 0.5, 0.5]}, "weights sum to 1.5, expected 1"),
        ({"weights": [1.2, -0.1, -0.1]}, "weights"),
        ({"num_test": 2}, "at least the number of modes, 3"),
        ({"num_train": -1}, "greater than or equal to 1"),
        ({"varience": 1.0}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_values_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        Spec(**(BASE | changes))
