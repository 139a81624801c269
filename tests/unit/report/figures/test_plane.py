import numpy as np

from competitive_mixtures.report.figures.plane import fit_plane, thin


def test_plane_keeps_two_dimensions_and_reduces_more():
    points = np.random.default_rng(0).normal(size=(500, 5)) * [1, 2, 9, 1, 4]
    flat = fit_plane(points).project(points)
    variance = np.sort(np.linalg.eigvalsh(np.cov(points.T)))[::-1]
    np.testing.assert_allclose(flat.var(axis=0, ddof=1), variance[:2])
    np.testing.assert_array_equal(fit_plane(points[:, :2]).project(points[:, :2]), points[:, :2])
    assert fit_plane(points[:, :1]).project(points[:, :1]).shape == (500, 2)


def test_thin_keeps_all_of_few():
    assert thin(3, 10).tolist() == [0, 1, 2]
    assert len(np.unique(thin(10_000, 100))) == 100
