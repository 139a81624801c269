"""Gaussian mixtures by an information criterion: its parts against scikit-learn's and closed forms."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from competitive_mixtures.method import gaussian_fits
from competitive_mixtures.method.gaussian_fits import (
    count_parameters,
    describe_clusters,
    drop_surplus,
    find_clusters,
    fit_from_clusters,
    fit_numbers,
    is_scarce,
    measure_bic,
    measure_floor,
)


def blobs(k, n=600, distance=10.0, seed=0):
    labels = np.arange(n) % k
    points = np.random.default_rng(seed).normal(size=(n, 2))
    points[:, 0] += distance * labels
    return points, labels


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_the_criterion_is_the_one_of_all_rows_where_they_differ(covariance_type):
    points, _ = blobs(3)
    mixture = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(points)
    assert measure_bic(mixture, points, len(points)) == pytest.approx(mixture.bic(points))


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_copies_of_rows_are_no_evidence(covariance_type):
    points, _ = blobs(3)
    copies = np.repeat(points, 4, axis=0)
    mixture = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(points)
    assert measure_bic(mixture, copies, len(points)) == pytest.approx(mixture.bic(points))


def test_parameters_by_hand():
    assert count_parameters(2, "full") == (6, 0)
    assert count_parameters(2, "tied") == (3, 3)
    assert is_scarce(35, 3, 2)
    assert not is_scarce(36, 3, 2)


def test_clusters_are_described_by_shares_means_and_precisions():
    points, labels = blobs(3, n=90)
    start = describe_clusters(points, labels, 3, "full")
    np.testing.assert_allclose(start["weights_init"], 1 / 3)
    for j in range(3):
        own = points[labels == j]
        np.testing.assert_allclose(start["means_init"][j], own.mean(axis=0))
        covariance = np.cov(own.T, bias=True) + measure_floor(points) * np.eye(2)
        np.testing.assert_allclose(start["precisions_init"][j] @ covariance, np.eye(2), atol=1e-10)


def test_one_covariance_is_the_mean_of_the_clusters():
    points, labels = blobs(3, n=90)
    within = np.mean([np.cov(points[labels == j].T, bias=True) for j in range(3)], axis=0)
    precision = describe_clusters(points, labels, 3, "tied")["precisions_init"]
    np.testing.assert_allclose(np.linalg.inv(precision), within + measure_floor(points) * np.eye(2), atol=1e-10)


def test_an_empty_cluster_starts_as_all_points():
    points, _ = blobs(1, n=50)
    start = describe_clusters(points, np.zeros(50, dtype=int), 2, "full")
    np.testing.assert_allclose(start["means_init"], np.stack(2 * [points.mean(axis=0)]))
    np.testing.assert_allclose(start["weights_init"].sum(), 1)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
@pytest.mark.parametrize("seed", range(3))
def test_halves_of_gaussians_are_surplus(covariance_type, seed):
    points, _ = blobs(3, seed=seed)
    mixture = fit_from_clusters(points, find_clusters(points, 4, seed), 4, seed, covariance_type)
    assert drop_surplus(mixture, points, len(points), seed).n_components == 3


def test_many_surplus_gaussians_go_in_strides(monkeypatch):
    """From 24 to 3: two at a time, then one by one; every number has a fit of its own otherwise."""
    tried = []

    def fit(points, clusters, number, *arguments):
        tried.append(number)
        return fit_from_clusters(points, clusters, number, *arguments)

    monkeypatch.setattr(gaussian_fits, "fit_from_clusters", fit)
    points, _ = blobs(3, n=3000)
    mixture = fit_from_clusters(points, find_clusters(points, 24, 0), 24, 0, "full")
    assert drop_surplus(mixture, points, len(points), 0).n_components == 3
    assert tried == [*range(22, 3, -2), 2, 3, 1]


def test_a_single_gaussian_is_reached_in_strides():
    points, _ = blobs(1, n=3000)
    mixture = fit_from_clusters(points, find_clusters(points, 50, 0), 50, 0, "full")
    assert drop_surplus(mixture, points, len(points), 0).n_components == 1


@pytest.mark.parametrize("seed", range(3))
def test_gaussians_of_one_shape_are_taken_where_parts_are_alike(seed):
    """Three in a row that overlap: with covariances of their own, fewer would be about as likely."""
    points, _ = blobs(3, n=300, distance=2.8, seed=seed)
    coarse, fine = fit_numbers(points, 3, len(points), seed)
    assert coarse.covariance_type == "tied"
    assert fine.n_components == 3


@pytest.mark.parametrize("seed", range(3))
def test_gaussians_of_different_shape_keep_their_covariances(seed):
    points, labels = blobs(3, n=900, seed=seed)
    points *= np.array([[1, 1], [1, 6], [1, 0.2]])[labels]
    coarse, fine = fit_numbers(points, 3, len(points), seed)
    assert coarse is fine
    assert coarse.covariance_type == "full"


def test_a_bent_part_takes_a_multiple():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 1500)
    points = np.c_[np.cos(angle), np.sin(angle)] + 0.05 * np.random.default_rng(1).normal(size=(1500, 2))
    coarse, fine = fit_numbers(points, 2, len(points), 0)
    assert coarse.n_components == 2
    assert fine.n_components > 4
