"""Parts with a valley of density between them stay apart; pieces of one part are joined."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from competitive_mixtures.method.valleys import CLEAR, LEVEL, TRUST, join_connected, measure_valleys

ROWS = 3


def strips(pieces, n=1200, seed=0):
    """Three strips, each cut in pieces of equal length."""
    rng = np.random.default_rng(seed)
    rows, along = np.arange(n) % ROWS, rng.uniform(size=n)
    points = np.stack([8 * along, 2.0 * rows + 0.2 * rng.normal(size=n)], axis=1)
    return points, rows * pieces + (along * pieces).astype(int)


def gaussians(distance, columns, n=2000, seed=0):
    """Two Gaussians of variance one."""
    labels = np.arange(n) % 2
    points = np.random.default_rng(seed).normal(size=(n, columns))
    points[:, 0] += distance * labels
    return points, labels


@pytest.mark.parametrize("pieces", [2, 3, 4])
def test_pieces_of_a_strip_are_one_part(pieces):
    points, labels = strips(pieces)
    assert join_connected(points, labels, ROWS * pieces, ROWS * pieces).tolist() == list(np.repeat(range(ROWS), pieces))


def test_parts_that_lie_apart_stay():
    points, labels = strips(1)
    assert join_connected(points, labels, ROWS, 2 * ROWS).tolist() == [0, 1, 2]


@pytest.mark.parametrize("columns", [2, 10])
def test_halves_of_gaussians_are_one_part_in_many_columns_too(columns):
    points, labels = gaussians(12.0, columns)
    halves = 2 * labels + (points[:, 1] > 0)
    assert join_connected(points, halves, 4, 4).tolist() == [0, 0, 1, 1]


def test_a_single_part_is_no_finding():
    """Lines that cross are connected, and so are pieces of one blob: the number that was asked for stands."""
    points = np.random.default_rng(0).normal(size=(900, 2))
    labels = (np.arctan2(*points.T) // (np.pi / 2)).astype(int) + 2
    assert join_connected(points, labels, 4, 4).tolist() == [0, 1, 2, 3]


def test_the_number_that_was_asked_for_stands_where_nearly_as_many_are_found():
    points, labels = strips(2)
    labels = np.array([0, 1, 2, 2, 3, 3])[labels]  # only one strip is cut: of four parts three would be left
    assert TRUST * 4 < 3
    assert join_connected(points, labels, 4, 4).tolist() == [0, 1, 2, 3]
    assert join_connected(points, labels, 4, 5).tolist() == [0, 0, 1, 2]


def test_an_unclear_edge_keeps_all():
    """Two Gaussians with a valley of 0.8 to 1 nats: pieces elsewhere are not joined either."""
    points, labels = gaussians(4.1, 2, n=3000)
    assert LEVEL < measure(points, labels)[0][1][0, 1] < CLEAR
    far = np.random.default_rng(1).normal(size=(2000, 2))
    pieces = 2 + (far[:, 0] > 0).astype(int) + 2 * (far[:, 1] > 0)
    points, labels = np.concatenate([points, far + np.array([0, 30])]), np.concatenate([labels, pieces])
    assert join_connected(points, labels, 6, 6).tolist() == list(range(6))


def measure(points, labels, number=15):
    distances, neighbours = NearestNeighbors(n_neighbors=number).fit(points).kneighbors()
    return measure_valleys(-points.shape[1] * np.log(distances[:, -1]), labels, neighbours), (distances, neighbours)


def test_valleys_by_their_definition():
    points, labels = strips(2, n=300)
    (contacts, depths), (distances, neighbours) = measure(points, labels)
    log_density = -2 * np.log(distances[:, -1])
    for a, b in [(0, 1), (2, 3), (0, 2)]:
        weights = []
        for i in range(len(points)):
            near = labels[neighbours[i]]
            weights.append(4 * (near == a).mean() * (near == b).mean() * (labels[i] in (a, b)))
        weights = np.array(weights)
        contact = weights.sum() / min((labels == a).sum(), (labels == b).sum())
        assert contacts[a, b] == pytest.approx(contact) == contacts[b, a]
        if (a, b) == (0, 2):
            assert depths[a, b] == np.inf
            continue
        top = max(np.median(log_density[labels == part]) for part in (a, b))
        assert depths[a, b] == pytest.approx(top - (weights @ log_density) / weights.sum()) == depths[b, a]
    assert np.isinf(np.diag(depths)).all()


def test_the_valley_between_gaussians_is_as_deep_as_their_density_says():
    """Five apart, in one dimension: from the median log-density of either down to that half way between them."""
    points, labels = gaussians(5.0, 1, n=20_000)
    (_, depths), _ = measure(points, labels, number=50)
    median = -0.5 * 0.6745**2  # half the points of a Gaussian are within 0.6745
    assert depths[0, 1] == pytest.approx(median - (-0.5 * 2.5**2 + np.log(2)), abs=0.4)


@pytest.mark.parametrize("change", [lambda x: 1e6 * x, lambda x: x - 1e3, lambda x: x[:, ::-1]])
def test_units_and_places_do_not_matter(change):
    points, labels = strips(3)
    assert join_connected(change(points), labels, 9, 9).tolist() == join_connected(points, labels, 9, 9).tolist()


@pytest.mark.parametrize("points", [np.zeros((100, 2)), np.zeros((3, 2)), np.repeat(np.eye(2), 50, axis=0)])
def test_copies_and_few_points(points):
    labels = np.arange(len(points)) % 3
    assert sorted(set(join_connected(points, labels, 3, 3).tolist())) in ([0, 1, 2], [0])


def test_a_part_without_points_stays_alone():
    points, labels = strips(2)
    labels = np.where(labels > 0, labels + 1, labels)  # none is of part 1
    joined = join_connected(points, labels, 7, 7)
    assert joined.tolist() == [0, 1, 0, 2, 2, 3, 3]
