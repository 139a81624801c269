"""What float32 keeps of points, and what tells them apart around their centre."""

import numpy as np
import pytest

from competitive_mixtures.data import precision
from competitive_mixtures.data.precision import find_centre, is_rounded_away

POINTS = np.random.default_rng(0).normal(size=(50, 3))


@pytest.fixture(params=[2**20, 30, 1])
def _blocks(request, monkeypatch):
    """Of all points, of ten, of one."""
    monkeypatch.setattr(precision, "BLOCK_VALUES", request.param)


@pytest.mark.usefixtures("_blocks")
class TestBlocks:
    def test_centre(self):
        assert np.allclose(find_centre(1e9 + POINTS) - 1e9, POINTS.mean(axis=0), atol=1e-6)

    def test_the_centre_of_identical_points_is_each_of_them(self):
        points = np.full((50, 3), 0.1) * [1, 3, 1e12]
        assert (find_centre(points) == points[0]).all()
        assert not is_rounded_away(points)

    @pytest.mark.parametrize(
        ("points", "lost"),
        [
            (POINTS, False),
            (1e3 + POINTS, False),
            (1e6 + POINTS, True),
            (1e6 + 1e3 * POINTS, False),
            (POINTS * 1e-30, False),
            (POINTS * 1e-300, True),
            (POINTS * 1e-322, True),
            ((1e6 + POINTS).astype(np.float32), False),  # it is too late
            (2**40 + np.arange(12).reshape(4, 3), True),
            (np.array([[1e6], [1.0]]), False),
        ],
    )
    def test_what_is_lost(self, points, lost):
        assert is_rounded_away(points) == lost
