"""Which Gaussians are joined: closed forms of overlap and information, chains, splinters."""

import numpy as np
import pytest

from competitive_mixtures.method.gaussian_parts import (
    find_parts,
    join,
    join_balanced,
    measure_information,
    measure_overlaps,
)


def test_overlaps_of_halves_and_of_parts_that_lie_apart():
    """Two Gaussians that share every point equally: mean of 1/4, over a share of 1/2."""
    responsibilities = np.repeat([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], [20, 10], axis=0)
    overlaps = measure_overlaps(responsibilities, [[0], [1], [2]])
    np.testing.assert_allclose(overlaps, [[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]])
    assert sorted(map(sorted, join(responsibilities, [[0], [1], [2]], 3, 0.2))) == [[0, 1], [2]]
    assert len(join(responsibilities, [[0], [1], [2]], 3, 0.9)) == 3


@pytest.mark.parametrize(("shared", "expected"), [(0.01, [[0, 3], [1], [2]]), (0.2, [[0], [1, 2], [3]])])
def test_a_small_part_gives_way_where_larger_ones_lie_apart(shared, expected):
    """Of 1,000 points 40 are a part unless the two Gaussians that share a few points are parts of their own."""
    responsibilities = np.repeat(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1e-9, 0, 0, 1]], [40, 320, 320, 320], axis=0
    )
    responsibilities[40 : 40 + int(320 * shared)] = [0, 0.5, 0.5, 0]
    assert sorted(map(sorted, find_parts(responsibilities, 3))) == expected


def test_information_of_a_fair_coin_of_one_seen_through_noise_and_of_nothing():
    certain = np.repeat(np.eye(2), 10, axis=0)
    noisy = np.where(certain == 1, 0.9, 0.1)
    assert measure_information(certain, [[0], [1]]) == pytest.approx(np.log(2))
    assert measure_information(noisy, [[0], [1]]) == pytest.approx(np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert measure_information(certain, [[0, 1]]) == pytest.approx(0)


def chain(size, number=6, shared=0.1):
    """Equal Gaussians in a row, each of which shares some points with the next, and two that share none."""
    responsibilities = np.repeat(np.eye(number + 2), size, axis=0)
    for j in range(number - 1):
        responsibilities[j * size : j * size + int(shared * size), [j, j + 1]] = 0.5
    return responsibilities


def test_a_chain_is_cut_into_parts_of_like_size():
    parts = join_balanced(chain(100), 4)
    assert sorted(map(sorted, parts)) == [[0, 1, 2], [3, 4, 5], [6], [7]] or max(map(len, parts)) == 4
    assert {(6,), (7,)} <= set(map(tuple, parts))


def test_joining_keeps_every_gaussian_once():
    responsibilities = np.random.default_rng(0).dirichlet(np.full(9, 0.1), size=500)
    parts = join_balanced(responsibilities, 3)
    assert sorted(j for part in parts for j in part) == list(range(9))
    assert len(parts) == 3
