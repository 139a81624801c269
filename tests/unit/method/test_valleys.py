"""Parts with a valley of density between them stay apart; pieces of one part are joined."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from competitive_mixtures.method import valleys
from competitive_mixtures.method.valleys import LEVEL, TRUST, carry_over, count_apart, measure_valleys

ROWS = 3


def join_connected(points, labels, num_asked, trust=TRUST[1]):
    return valleys.join_connected(points, labels, num_asked, trust)


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


def agree(parts, others):
    """Whether two partitions are the same but for their numbers."""
    pairs = set(zip(parts.tolist(), others.tolist(), strict=True))
    return len(pairs) == len(set(parts.tolist())) == len(set(others.tolist()))


@pytest.mark.parametrize("pieces", [2, 3, 4])
def test_pieces_of_a_strip_are_one_part(pieces):
    points, labels = strips(pieces)
    assert agree(join_connected(points, labels, ROWS * pieces), labels // pieces)


def test_parts_that_lie_apart_stay():
    points, labels = strips(1)
    assert agree(join_connected(points, labels, 2 * ROWS), labels)


def test_a_part_on_both_sides_of_a_gap_is_cut():
    """Else all that touches either side of it would be joined by it."""
    points, labels = strips(2)
    straddling = np.where(np.isin(labels, (1, 3)), 1, labels)  # pieces of the first and of the second strip
    assert agree(join_connected(points, straddling, 6), labels // 2)


@pytest.mark.parametrize("columns", [2, 10])
def test_halves_of_gaussians_are_one_part_in_many_columns_too(columns):
    points, labels = gaussians(12.0, columns)
    halves = 2 * labels + (points[:, 1] > 0)
    assert agree(join_connected(points, halves, 4), labels)


def test_a_single_part_is_no_finding():
    """Lines that cross are connected, and so are pieces of one blob: the number that was asked for stands."""
    points = np.random.default_rng(0).normal(size=(900, 2))
    labels = (np.arctan2(*points.T) // (np.pi / 2)).astype(int) + 2
    assert (join_connected(points, labels, 4) == labels).all()


def test_one_part_and_its_fringe_are_no_finding():
    """The ends of bars that cross are thinner than their middle, with a valley of more than `LEVEL` to it."""
    rng = np.random.default_rng(0)
    along, across, bars = 3 * rng.normal(size=2000), 0.15 * rng.normal(size=2000), np.arange(2000) % 2
    points = np.where(bars[:, None] == 0, np.stack([along, across], 1), np.stack([across, along], 1))
    labels = 2 * bars + (along > 0) + 4 * (np.abs(along) > 7.5)
    joined = join_connected(points, labels, 10)
    assert (joined == labels).all()


def test_the_number_that_was_asked_for_stands_where_nearly_as_many_are_found():
    points, labels = strips(2)
    labels = np.array([0, 1, 2, 2, 3, 3])[labels]  # only one strip is cut: of four parts three would be left
    joined = np.array([0, 0, 1, 2])[labels]
    for trust, enough in zip(TRUST, (8, 6), strict=True):
        assert trust * (enough - 1) < 3 <= trust * enough
        assert (join_connected(points, labels, enough - 1, trust) == labels).all()
        assert agree(join_connected(points, labels, enough, trust), joined)


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
    assert depths[0, 1] > LEVEL
    assert depths[0, 1] == pytest.approx(median - (-0.5 * 2.5**2 + np.log(2)), abs=0.4)


@pytest.mark.parametrize("change", [lambda x: 1e6 * x, lambda x: x - 1e3, lambda x: x[:, ::-1]])
def test_units_and_places_do_not_matter(change):
    points, labels = strips(3)
    assert agree(join_connected(change(points), labels, 9), join_connected(points, labels, 9))


def test_copies_of_rows_do_not_matter():
    points, labels = strips(2, n=600)
    copies = np.repeat(np.arange(600), 20)
    assert agree(join_connected(points[copies], labels[copies], 6), (labels // 2)[copies])


@pytest.mark.parametrize("points", [np.zeros((100, 2)), np.zeros((3, 2)), np.repeat(np.eye(2), 50, axis=0)])
def test_too_few_different_points_say_nothing(points):
    labels = np.arange(len(points)) % 3
    assert (join_connected(points, labels, 3) == labels).all()


def test_points_outside_the_sample_go_with_their_part_or_their_neighbours():
    sample, before = np.array([[0.0], [1.0], [10.0], [20.0]]), np.array([0, 0, 1, 1])
    after = np.array([5, 5, 5, 7])  # part 1 is cut, and its one half joins part 0
    points, labels = np.array([[3.0], [9.0], [19.0], [18.0], [-4.0]]), np.array([0, 1, 1, 2, 2])
    assert carry_over(points, labels, sample, before, after).tolist() == [5, 5, 7, 7, 5]


def test_parts_with_valleys_are_counted_but_for_small_ones():
    random = np.random.default_rng(0)
    points = np.concatenate(
        [random.normal(size=(400, 2)), random.normal(size=(400, 2)) + 12, random.normal(size=(40, 2)) - 20]
    )
    labels = np.repeat([0, 1, 2, 3, 4], [200, 200, 200, 200, 40])  # halves of two parts, and a small one
    assert count_apart(points, labels, num_asked=1) == 2
    assert count_apart(points, labels, num_asked=5) == 3
