"""Splits cover every row once; labels are numbered in sorted order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.data.split import number_labels, split_rows


@given(st.integers(2, 200), st.floats(0.001, 0.999), st.integers(0, 2**32 - 1))
def test_every_row_is_in_exactly_one_part(num_points, fraction, seed):
    train, test = split_rows(num_points, fraction, seed)
    assert sorted([*train, *test]) == list(range(num_points))
    assert min(len(train), len(test)) >= 1
    assert len(test) == pytest.approx(num_points * fraction, abs=1)
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()


def test_labels_are_numbered_over_all_parts():
    numbers, names = number_labels(np.array([30, 10, 30]), np.array([20]))
    assert [part.tolist() for part in numbers] == [[2, 0, 2], [1]]
    assert names == ["10", "20", "30"]
    assert all(part.dtype == np.int64 for part in numbers)
