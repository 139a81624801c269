"""Squared distances in blocks against the direct formula."""

import numpy as np
import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.distances import as_points, check_dimensions, iterate_squared_distances


@pytest.mark.parametrize("block_values", [1, 60, 100_000])
def test_blocks_together_are_the_matrix_of_distances(block_values: int) -> None:
    rng = np.random.default_rng(0)
    points, others = rng.normal(100, 3, size=(17, 5)), rng.normal(90, 3, size=(20, 5))
    matrix = np.full((17, 20), np.nan)

    for rows, distances in iterate_squared_distances(points, others, block_values):
        assert distances.size <= max(block_values, 20)
        matrix[rows] = distances

    expected = ((points[:, None] - others[None]) ** 2).sum(axis=-1)
    np.testing.assert_allclose(matrix, expected, rtol=1e-10)


def test_bad_points_are_refused_by_name() -> None:
    with pytest.raises(UserError, match="samples: found shape \\(3,\\)"):
        as_points("samples", np.zeros(3))
    with pytest.raises(UserError, match="samples: found NaN or infinity"):
        as_points("samples", np.array([[np.inf]]))
    with pytest.raises(UserError, match="points: found 2 dimensions, expected 3"):
        check_dimensions("points", np.zeros((1, 2)), np.zeros((1, 3)))
