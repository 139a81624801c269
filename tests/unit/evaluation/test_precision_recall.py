"""Improved precision and recall against scikit-learn's neighbours, closed forms and invariances."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.precision_recall import estimate_manifold, precision_recall


def score(real: np.ndarray, generated: np.ndarray, num_neighbours: int = 3) -> tuple[float, float]:
    return precision_recall(estimate_manifold(real, num_neighbours), estimate_manifold(generated, num_neighbours))


def compute_share_covered(points: np.ndarray, centres: np.ndarray, num_neighbours: int) -> float:
    neighbours = NearestNeighbors(n_neighbors=num_neighbours).fit(centres)
    radii = neighbours.kneighbors()[0][:, -1]  # without arguments, a point is not its own neighbour
    distances = np.sqrt(((points[:, None] - centres[None]) ** 2).sum(axis=-1))
    return float((distances <= radii).any(axis=1).mean())


@pytest.mark.parametrize(("dimension", "num_neighbours"), [(2, 3), (2, 1), (10, 5), (64, 3)])
def test_agrees_with_scikit_learns_neighbours(dimension: int, num_neighbours: int) -> None:
    rng = np.random.default_rng(dimension)
    real, generated = rng.normal(size=(300, dimension)), rng.normal(0.5, 1.3, size=(250, dimension))

    precision, recall = score(real, generated, num_neighbours)

    assert precision == compute_share_covered(generated, real, num_neighbours)
    assert recall == compute_share_covered(real, generated, num_neighbours)
    assert 0 < precision < 1


def test_a_set_is_perfect_against_itself_and_a_distant_one_against_nothing() -> None:
    points = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)

    assert score(points, points) == (1, 1)
    assert score(points, points + 100) == (0, 0)


def test_a_dropped_mode_costs_recall_and_an_invented_one_precision() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=(400, 2)), rng.normal(size=(400, 2)) + 50
    both = np.concatenate([left, right])
    copy = np.concatenate([rng.normal(size=(400, 2)), rng.normal(size=(400, 2)) + 50])

    precision, recall = score(both, copy[:400])
    assert precision > 0.9
    assert recall == pytest.approx(0.5, abs=0.05)

    precision, recall = score(left, copy)
    assert precision == pytest.approx(0.5, abs=0.05)
    assert recall > 0.9


def test_points_on_the_rim_are_inside() -> None:
    real = np.array([[0.0], [1.0], [2.0]])  # with one neighbour, balls of radius 1 that cover [-1, 3]

    assert score(real, np.array([[-1.0], [3.0], [3.1]]), num_neighbours=1)[0] == pytest.approx(2 / 3)


def test_a_collapsed_generator_has_recall_zero_unless_the_data_collapse_too() -> None:
    real = np.random.default_rng(2).normal(size=(50, 3))
    collapsed = np.full((50, 3), 0.1)

    assert score(real, collapsed)[1] == 0
    assert score(collapsed, collapsed) == (1, 1)


def test_shift_scale_and_order_change_nothing() -> None:
    rng = np.random.default_rng(3)
    real, generated = rng.normal(size=(100, 5)), rng.normal(0.3, 1, size=(90, 5))

    moved = score(real[rng.permutation(100)] * 7 + 3, generated[rng.permutation(90)] * 7 + 3)

    assert moved == score(real, generated)


def test_too_few_points_and_unequal_dimensions_are_refused() -> None:
    with pytest.raises(UserError, match="expected \\(N, d\\) with N >= 4"):
        estimate_manifold(np.zeros((3, 2)))
    with pytest.raises(UserError, match="generated features: found 2 dimensions, expected 3"):
        score(np.zeros((9, 3)), np.zeros((9, 2)))
