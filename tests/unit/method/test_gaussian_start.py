"""The start from Gaussians: parts of any shape, fewer where fewer are there, and what cannot be clustered."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from competitive_mixtures.method.gaussian_start import (
    choose_parts,
    cluster_by_gaussians,
    drop_codes,
    is_discrete,
    undo_rounding,
)
from competitive_mixtures.method.start import choose_start, cluster_by_kmeans


def blobs(k, n=900, seed=0):
    labels = np.arange(n) % k
    centres = 10 * np.stack([np.cos(2 * np.pi * labels / k), np.sin(2 * np.pi * labels / k)], 1)
    return (centres + np.random.default_rng(seed).normal(size=(n, 2))).astype(np.float32), labels


def arcs(n=900):
    rng = np.random.default_rng(0)
    labels, angle = np.arange(n) % 3, rng.uniform(0, np.pi, n)
    points = np.c_[np.cos(angle), np.sin(angle)] + 0.08 * rng.normal(size=(n, 2))
    return (points + np.array([[0, 0], [3, 0], [1.5, 2.5]])[labels]).astype(np.float32), labels


SHAPES = {
    "blobs": (3, *blobs(3)),
    "moons": (2, *make_moons(800, noise=0.05, random_state=0)),
    "circles": (2, *make_circles(800, factor=0.5, noise=0.05, random_state=0)),
    "arcs": (3, *arcs()),
}


@pytest.mark.parametrize("name", SHAPES)
def test_parts_follow_the_shape(name):
    k, points, labels = SHAPES[name]
    parts = cluster_by_gaussians(points, k, 0)
    assert parts.dtype == np.int16
    assert adjusted_rand_score(labels, parts) > 0.98


@pytest.mark.parametrize("seed", range(3))
def test_one_column_of_yes_and_no_makes_no_part(seed):
    """Customers by income, age, visits and membership; all members were one part, since that Gaussian has no width."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, 1200, p=[0.6, 0.3, 0.1])
    columns = [
        rng.lognormal(np.array([10, 10.8, 11.6])[labels], 0.3),
        rng.normal(np.array([30, 45, 60])[labels], 4),
        rng.poisson(np.array([2, 8, 20])[labels]),
        rng.random(1200) < np.array([0.1, 0.5, 0.9])[labels],
    ]
    points = StandardScaler().fit_transform(np.stack(columns, axis=1))
    assert adjusted_rand_score(labels, cluster_by_gaussians(points.astype(np.float32), 3, 0)) > 0.95


def test_points_of_nothing_but_codes_keep_their_columns():
    codes = np.eye(3)[np.arange(60) % 3]
    assert drop_codes(codes) is codes
    assert drop_codes(np.c_[codes, np.ones(60)]).shape == (60, 4)  # a constant tells nothing


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["blobs", "arcs"])
def test_twice_as_many_components_as_parts_are_given_up(name, seed):
    k, points, labels = SHAPES[name]
    parts = cluster_by_gaussians(points, 2 * k, seed)
    assert parts.max() + 1 == k
    assert adjusted_rand_score(labels, parts) > 0.98


@pytest.mark.parametrize("name", ["moons", "circles", "arcs"])
def test_ten_components_for_bent_parts_are_given_up(name):
    """The estimator's default number: each Gaussian of it covers a piece of a part, and hardly overlaps the next."""
    k, points, labels = SHAPES[name]
    parts = cluster_by_gaussians(points, 10, 0)
    assert parts.max() + 1 == k
    assert adjusted_rand_score(labels, parts) > 0.98


@pytest.mark.parametrize("columns", [10, 30])
def test_ten_components_for_blobs_in_many_columns_are_given_up(columns):
    """Fewer points than the covariances have numbers: the likelihood says nothing on how many Gaussians there are."""
    rng = np.random.default_rng(0)
    labels = np.arange(900) % 4
    points = rng.uniform(-10, 10, size=(4, columns))[labels] + rng.normal(size=(900, columns))
    parts = cluster_by_gaussians(points.astype(np.float32), 10, 0)
    assert parts.max() + 1 in (4, 5)  # a few points on their own at most
    assert adjusted_rand_score(labels, parts) > 0.98


def test_touching_gaussians_that_are_asked_for_stay():
    iris = load_iris()
    parts = cluster_by_gaussians(StandardScaler().fit_transform(iris.data), 3, 0)
    assert len(np.unique(parts)) == 3
    assert adjusted_rand_score(iris.target, parts) > 0.85


@pytest.mark.parametrize(
    ("points", "k"),
    [
        (np.zeros((5, 2)), 5),
        (np.zeros((40, 2)), 3),
        (np.random.default_rng(0).normal(size=(4, 3)), 4),
        (np.random.default_rng(0).normal(size=(1, 2)), 1),
        (np.random.default_rng(0).normal(size=(30, 150)), 3),
        (np.c_[np.arange(50), np.zeros(50)], 2),
        (np.r_[np.zeros((99, 2)), [[1e4, 1e4]]], 3),
    ],
)
@pytest.mark.filterwarnings("error")
def test_every_table_has_a_start(points, k):
    parts = cluster_by_gaussians(points.astype(np.float32), k, 0)
    assert parts.shape == (len(points),)
    assert 0 <= parts.min() <= parts.max() < k


def test_it_depends_on_the_seed_alone():
    points, _ = blobs(3, seed=1)
    assert np.array_equal(cluster_by_gaussians(points, 3, 0), cluster_by_gaussians(points, 3, 0))


@pytest.mark.parametrize("seed", range(3))
def test_copies_of_rows_are_no_evidence_for_more_parts(seed):
    points, labels = blobs(3, n=300, seed=seed)
    rows = np.repeat(np.arange(300), 4)
    parts = cluster_by_gaussians(points[rows], 3, seed)
    assert adjusted_rand_score(labels[rows], parts) > 0.98


@pytest.mark.parametrize("seed", range(3))
def test_whole_numbers_are_no_parts_of_their_own(seed):
    points, labels = blobs(3, seed=seed)
    parts = cluster_by_gaussians(np.round(points), 3, seed)
    assert adjusted_rand_score(labels, parts) > 0.98


def test_rounding_is_undone_within_half_a_gap():
    points = np.c_[np.arange(60) % 4 * 2.0, np.linspace(0, 1, 60), np.ones(60)]
    spread = undo_rounding(points, 0)
    assert np.abs(spread[:, 0] - points[:, 0]).max() <= 1
    assert len(np.unique(spread[:, 0])) == 60
    np.testing.assert_array_equal(spread[:, 1:], points[:, 1:])


@pytest.mark.parametrize("seed", range(3))
def test_a_small_part_is_no_splinter(seed):
    random, labels = np.random.default_rng(seed), np.repeat([0, 1], [2000, 100])
    points = np.array([[0, 0], [4, 1]])[labels] + np.array([1, 0.6])[labels, None] * random.normal(size=(2100, 2))
    assert adjusted_rand_score(labels, cluster_by_gaussians(points, 2, seed)) > 0.95


@pytest.mark.parametrize("distance", [1e3, 1e6])
def test_one_far_row_does_not_hide_the_parts(distance):
    points, labels = blobs(3)
    found = cluster_by_gaussians(np.vstack([points, [[distance, distance]]]).astype(np.float32), 3, 0)
    assert adjusted_rand_score(labels, found[:-1]) > 0.99


@pytest.mark.parametrize("seed", range(3))
def test_squares_side_by_side_are_no_pieces_of_one_another(seed):
    """The information criterion asks for twice as many Gaussians, which overlap most across the gaps."""
    random = np.random.default_rng(seed)
    labels = np.arange(1600) % 4
    points = random.uniform(0, 1, size=(1600, 2)) + 1.15 * np.stack(np.divmod(labels, 2), axis=1)
    assert adjusted_rand_score(labels, cluster_by_gaussians(points, 4, seed)) > 0.9


@pytest.mark.parametrize("seed", range(6))
def test_few_points_in_many_columns(seed):
    """Of several mixtures of so few points the likelihood prefers one whose Gaussian has shrunk to a few of them."""
    random, labels = np.random.default_rng(seed), np.arange(100) % 3
    points = 6 * random.normal(size=(3, 300))[labels] / np.sqrt(10) + random.normal(size=(100, 300))
    assert adjusted_rand_score(labels, cluster_by_gaussians(points, 3, seed)) > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_a_handful_beside_all_others_is_no_finding(seed):
    """Two lines that cross have no valley between them; joined, they would leave the two far points as a part."""
    random, labels = np.random.default_rng(seed), np.arange(1200) % 2
    along, across = random.uniform(-5, 5, size=1200), random.normal(scale=0.1, size=1200)
    points = np.where(labels[:, None] == 0, np.c_[along, along + across], np.c_[along, across - along])
    points = np.r_[points, [[0.0, 12.0], [0.1, 12.1]]]
    assert np.bincount(cluster_by_gaussians(points, 10, seed)).max() < 0.9 * len(points)


def overlapping(k, n, columns, distance, seed):
    """Gaussians around centres of a normal distribution, as a rule a few widths from one another."""
    random = np.random.default_rng(seed)
    labels = np.sort(np.arange(n) % k)
    centres = distance * random.normal(size=(k, columns))
    return centres[labels] + random.normal(size=(n, columns)), labels


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("k", "n", "columns", "distance"),
    [(4, 2000, 5, 1.8), (8, 300, 3, 3), (8, 2000, 3, 3), (4, 300, 15, 1), (4, 300, 5, 1.8)],
)
def test_overlapping_gaussians_that_are_asked_for_are_found_as_well_as_by_kmeans(k, n, columns, distance, seed):
    """There is hardly a valley between them, and a wide Gaussian is about as likely as two of them."""
    points, labels = overlapping(k, n, columns, distance, seed)
    points = StandardScaler().fit_transform(points)
    kmeans = KMeans(k, n_init=10, random_state=seed).fit_predict(points)
    found = cluster_by_gaussians(points, k, seed)
    assert adjusted_rand_score(labels, found) > adjusted_rand_score(labels, kmeans) - 0.07


@pytest.mark.parametrize("seed", range(4))
def test_fewer_points_than_a_covariance_has_numbers_start_from_the_best_clusters(seed):
    points, labels = overlapping(4, 300, 50, 1.8, seed)
    assert adjusted_rand_score(labels, cluster_by_gaussians(points, 4, seed)) > 0.98


@pytest.mark.parametrize("seed", range(3))
def test_parts_with_tails_stay_where_valleys_show_as_many_as_were_asked_for(seed):
    """Two Gaussians a part, a dense and a wide one, and the wide ones overlap most with one another."""
    random, labels = np.random.default_rng(seed), np.arange(400) % 4
    points = np.stack(np.divmod(labels, 2), axis=1) * 5 + random.exponential(size=(400, 2))
    found = cluster_by_gaussians(points, 4, seed)
    assert len(np.unique(found)) == 4
    assert adjusted_rand_score(labels, found) > 0.75


def codes(n=900, seed=0):
    """Five answers out of three, one-hot: in each part another one is the likeliest."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    answers = np.where(rng.uniform(size=(n, 5)) < 0.8, labels[:, None], rng.integers(3, size=(n, 5)))
    return np.eye(3, dtype=np.float32)[answers].reshape(n, -1), labels


def test_columns_of_codes_start_from_kmeans():
    points, labels = codes()
    parts = choose_start("gaussians", torch.from_numpy(points), 3, 0)
    assert (parts == cluster_by_kmeans(points, 3, 0)).all()
    assert adjusted_rand_score(labels, parts) > 0.8


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (lambda rng: codes(300)[0], True),
        (lambda rng: np.c_[rng.integers(2, size=(300, 2)), rng.normal(size=(300, 2))], True),
        (lambda rng: np.c_[rng.integers(2, size=(300, 1)), rng.normal(size=(300, 2))], False),
        (lambda rng: np.c_[np.ones(300), rng.integers(2, size=300)], True),
        (lambda rng: rng.integers(1, 6, size=(300, 4)), False),  # grades: they count like measurements
        (lambda rng: np.maximum(1, rng.integers(-8, 10, size=(300, 4))), True),  # scores that are mostly the lowest
        (lambda rng: np.maximum(0, rng.normal(-0.2, size=(300, 4))), True),  # mostly no rain
        (lambda rng: np.c_[np.maximum(0, rng.normal(-0.2, size=300)), rng.normal(size=(300, 2))], False),
        (lambda rng: rng.normal(size=(300, 4)), False),
        (lambda rng: np.zeros((300, 4)), False),
        (lambda rng: np.eye(3), False),  # too few rows to tell
    ],
)
def test_what_is_discrete(columns, expected):
    assert is_discrete(columns(np.random.default_rng(0))) is expected


def test_what_is_discrete_does_not_depend_on_the_order_of_the_rows():
    """Of many rows some are looked at, and not the first ones, which may be one part of the data."""
    random = np.random.default_rng(0)
    zeros, numbers = np.zeros((25_000, 3)), random.normal(size=(75_000, 3))
    assert is_discrete(np.concatenate([zeros, numbers])) is is_discrete(np.concatenate([numbers, zeros])) is False


class Chains:
    """Eight Gaussians on six parts, of which three and three overlap in a chain."""

    n_components = 8
    parts = ([0, 1], [2], [3], [4, 5], [6], [7])

    def predict_proba(self, points):
        own = np.stack([np.eye(8)[part].mean(axis=0) for part in self.parts]).repeat(len(points) // 6, axis=0)
        neighbours = np.eye(8, k=1) + np.eye(8, k=-1)
        neighbours[3, 4] = neighbours[4, 3] = 0
        return 0.8 * own + 0.2 * own @ (neighbours / neighbours.sum(axis=1, keepdims=True))


def test_a_chain_of_overlaps_is_no_part_where_valleys_lie_between():
    points = np.random.default_rng(0).normal(size=(1200, 2))
    in_two = points + 40 * (np.arange(1200)[:, None] // 600)
    assert len(choose_parts(Chains(), Chains(), in_two, 6)[1]) == 2
    in_six = points + 12 * (np.arange(1200)[:, None] // 200)
    assert sorted(map(sorted, choose_parts(Chains(), Chains(), in_six, 6)[1])) == list(Chains.parts)
