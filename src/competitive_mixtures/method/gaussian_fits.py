"""Gaussian mixtures of as many Gaussians as the data ask for, by an information criterion."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from competitive_mixtures.method.kmeans import KMEANS_RUNS, fit_kmeans
from competitive_mixtures.seeding import derive_seed

MULTIPLES = (2, 3, 5, 8, 12)  # of k: how many Gaussians are tried beside k
MAX_GAUSSIANS = 64  # that are tried for few components
POINTS_PER_GAUSSIAN = 5  # and as many more as there are columns: fewer points make no covariance
FLOOR = 1e-4  # least variance along any axis, as a share of the mean over the columns
STARTS = 3  # of a mixture whose likelihood chooses, from k-means
MAX_PASSES = 100  # of expectation-maximisation, scikit-learn's own number
FIRST_PASSES = 10  # of a baseline's mixture, after which the likeliest start goes on alone
SETTLING_ITERATIONS = 300  # of k-means, which has settled before
SURPLUS = 0.4  # of the criterion's charge for a Gaussian: halves of one earn up to that
STRIDES = 10  # a stride is this part of the Gaussians: of fewer than 20 they go one by one
MAX_FAILURES = 2  # numbers in a row that are too few


def fit_numbers(
    points: np.ndarray, num_components: int, num_distinct: int, seed: int
) -> tuple[GaussianMixture, GaussianMixture]:
    """A mixture of k Gaussians, and one of as many as the data ask for.

    That number is the multiple of k with the lowest Bayesian information criterion, to which copies of a row are no
    evidence. Where it is k, fewer are tried, and k Gaussians of one shape, which the criterion takes where overlapping
    parts are alike: one wide Gaussian would be about as likely as two of them.

    Args:
        points: (n, d).
        num_components: k, at most n.
        num_distinct: different rows.
        seed: of the run.

    Returns:
        Both, one and the same where the data ask for k.

    References:
        Fraley & Raftery, "Model-based clustering, discriminant analysis, and density estimation", 2002: the number and
        the shapes of Gaussians by this criterion.
    """
    clusters = find_clusters(points, num_components, seed)
    coarse = fit_likeliest(points, clusters, num_components, num_distinct, seed, "full")
    mixtures = [coarse, *fit_multiples(points, num_components, num_distinct, seed)]
    fine = min(mixtures, key=lambda mixture: measure_bic(mixture, points, num_distinct))
    if fine is not coarse:
        return coarse, fine
    fine = drop_surplus(coarse, points, num_distinct, seed)
    alike = fit_likeliest(points, clusters, num_components, num_distinct, seed, "tied")
    if measure_bic(alike, points, num_distinct) < measure_bic(fine, points, num_distinct):
        return alike, drop_surplus(alike, points, num_distinct, seed)
    return coarse, fine


def fit_multiples(points: np.ndarray, num_components: int, num_distinct: int, seed: int) -> Iterator[GaussianMixture]:
    """Mixtures of multiples of k Gaussians, as far as the distinct points allow."""
    limit = min(max(MAX_GAUSSIANS, num_components), num_distinct // (POINTS_PER_GAUSSIAN + points.shape[1]))
    for number in (multiple * num_components for multiple in MULTIPLES):
        if number > limit:
            return
        yield fit_from_starts(points, number, 1, seed)


def fit_likeliest(
    points: np.ndarray, clusters: np.ndarray, number: int, num_distinct: int, seed: int, covariance_type: str
) -> GaussianMixture:
    """The likeliest of mixtures from several starts, of which clusters are one.

    Of scarce points the likelihood would choose one that a Gaussian has shrunk in, so that they get this start alone.
    """
    first = fit_from_clusters(points, clusters, number, seed, covariance_type)
    if is_scarce(num_distinct, number, points.shape[1]):
        return first
    second = fit_from_starts(points, number, STARTS - 1, seed, covariance_type)
    return max(first, second, key=lambda mixture: float(mixture.lower_bound_))


def find_clusters(points: np.ndarray, number: int, seed: int) -> np.ndarray:
    """The clusters of the best of some runs of k-means, (n,) int16."""
    random = derive_seed(seed, "gaussians", number)
    return fit_kmeans(points, number, random, max_iter=SETTLING_ITERATIONS, n_init=KMEANS_RUNS)[0]


def fit_from_clusters(
    points: np.ndarray, clusters: np.ndarray, number: int, seed: int, covariance_type: str
) -> GaussianMixture:
    """A mixture that starts from clusters."""
    start = describe_clusters(points, clusters, number, covariance_type)
    return fit_from_starts(points, number, 1, seed, covariance_type, **start)


def fit_from_short_runs(points: np.ndarray, number: int, seed: int) -> tuple[GaussianMixture, int]:
    """The mixture that the likeliest of some starts ends at, chosen after a few passes.

    On MNIST it is within 2e-5 nats of the likeliest of as many whole runs, in half of their time.

    Returns:
        The mixture, and an estimate of the passes over the points: all starts are taken to be as long as the best one.

    References:
        Biernacki, Celeux & Govaert, "Choosing starting values for the EM algorithm", 2003: short runs of it.
    """
    mixture = build_mixture(points, number, STARTS, seed, max_iter=FIRST_PASSES, warm_start=True)
    fit_quietly(mixture, points)
    first_passes = mixture.n_iter_
    fit_quietly(mixture.set_params(max_iter=MAX_PASSES), points)  # goes on from there
    return mixture, STARTS * first_passes + mixture.n_iter_


def fit_from_starts(
    points: np.ndarray, number: int, starts: int, seed: int, covariance_type: str = "full", **start: np.ndarray
) -> GaussianMixture:
    """The likeliest of some mixtures, each from one run of k-means if no `start` is given."""
    mixture = build_mixture(points, number, starts, seed, covariance_type=covariance_type, **start)
    return fit_quietly(mixture, points)


def build_mixture(points: np.ndarray, number: int, starts: int, seed: int, **options: Any) -> GaussianMixture:
    """A mixture that is yet to be fitted to points; `options` are scikit-learn's."""
    return GaussianMixture(
        number,
        n_init=starts,
        reg_covar=measure_floor(points),
        random_state=derive_seed(seed, "gaussians", number) % 2**32,
        **options,
    )


def fit_quietly(mixture: GaussianMixture, points: np.ndarray) -> GaussianMixture:
    """Fit a mixture without a word on passes that did not suffice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # identical points, or a hundred passes: still a start
        return mixture.fit(points)


def describe_clusters(
    points: np.ndarray, labels: np.ndarray, number: int, covariance_type: str
) -> dict[str, np.ndarray]:
    """What a mixture starts from: the shares, means and precisions of clusters, an empty one as all points."""
    members = [points[labels == j] if (labels == j).any() else points for j in range(number)]
    means = np.stack([of.mean(axis=0) for of in members])
    within = [(of - mean).T @ (of - mean) for of, mean in zip(members, means, strict=True)]
    sizes = np.array([len(of) for of in members])
    floor = measure_floor(points) * np.eye(points.shape[1])
    covariances = sum(within) / sizes.sum() if covariance_type == "tied" else np.stack(within) / sizes[:, None, None]
    return {
        "weights_init": sizes / sizes.sum(),
        "means_init": means,
        "precisions_init": np.linalg.inv(covariances + floor),
    }


def measure_floor(points: np.ndarray) -> float:
    """The least variance along any axis; of identical points a share of 1."""
    return float(FLOOR * (points.var(axis=0).mean() or 1.0))


def drop_surplus(mixture: GaussianMixture, points: np.ndarray, num_distinct: int, seed: int) -> GaussianMixture:
    """A mixture of fewer Gaussians where those beyond explain hardly more than halves of one would.

    The number that was asked for counts for something: a Gaussian stays even where the information criterion is against
    it, unless it earns less than a share `SURPLUS` of what the criterion charges. Of scarce points all stay.
    """
    number, covariance_type = mixture.n_components, mixture.covariance_type
    if is_scarce(num_distinct, number, points.shape[1]):
        return mixture
    charge = SURPLUS * count_parameters(points.shape[1], covariance_type)[0] * np.log(num_distinct)
    tried: dict[int, GaussianMixture] = {}  # what a long stride refused, a short one may come to again
    stride, failures = max(1, number // STRIDES), 0
    while failures < MAX_FAILURES and (fewer := mixture.n_components - stride - failures) > 0:
        if fewer not in tried:
            clusters = find_clusters(points, fewer, seed)
            tried[fewer] = fit_from_clusters(points, clusters, fewer, seed, covariance_type)
        other = tried[fewer]
        gain = 2 * num_distinct * (mixture.score(points) - other.score(points))
        if gain < charge * (mixture.n_components - fewer):
            mixture, failures = other, 0
            stride = min(stride, max(1, fewer - 1))
        elif stride > 1:
            stride //= 2
        else:
            failures += 1
    return mixture


def measure_bic(mixture: GaussianMixture, points: np.ndarray, num_distinct: int) -> float:
    """The Bayesian information criterion as if every distinct row were there once."""
    each, shared = count_parameters(points.shape[1], mixture.covariance_type)
    parameters = mixture.n_components * each + shared - 1
    return float(parameters * np.log(num_distinct) - 2 * num_distinct * mixture.score(points))


def count_parameters(columns: int, covariance_type: str) -> tuple[int, int]:
    """Free numbers of one Gaussian in a mixture, its weight and mean among them, and of what all of them share."""
    covariance = columns * (columns + 1) // 2
    return (1 + columns, covariance) if covariance_type == "tied" else (1 + columns + covariance, 0)


def is_scarce(num_distinct: int, number: int, columns: int) -> bool:
    """Whether there are fewer than two points for each parameter, so that the likelihood says little about the data."""
    return 2 * number * count_parameters(columns, "full")[0] > num_distinct
