"""A start that follows the shape of the data: many Gaussians, joined to k parts where they overlap."""

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from competitive_mixtures.method.gaussian_parts import (
    add_up,
    find_parts,
    is_lopsided,
    join_balanced,
    measure_information,
)
from competitive_mixtures.method.valleys import carry_over, count_apart, join_connected
from competitive_mixtures.seeding import derive_seed

MULTIPLES = (1, 2, 3, 5, 8, 12)  # of k: how many Gaussians are tried
MAX_GAUSSIANS = 64  # that are tried for few components
POINTS_PER_GAUSSIAN = 5  # and as many more as there are columns: fewer points make no covariance
MAX_FITTED = 20_000  # points that the Gaussians are fitted to
MAX_COLUMNS = 100  # of more, the leading principal components are taken
NUM_PRINCIPAL = 20
FLOOR = 1e-4  # least variance along any axis, as a share of the mean over the columns
FAR = 50  # interquartile ranges from a column's median
MOST_FAR = 0.01  # share of the points: more of them are a part of the data
REPEATS = 3  # of a column's values, on average: from as many on the column counts as rounded
LEAST_RECURRENCE = 10  # rows of one value
SURPLUS = 0.4  # of the criterion's charge for a Gaussian: halves of one earn up to that
MAX_FAILURES = 2  # numbers in a row that are too few
LEAST_GAIN = 0.01  # nats of information: less does not decide between partitions
CHAIN = 2  # times as many parts with valleys between them: then overlaps have joined a chain of parts
STARTS = 3  # of the mixture of k Gaussians, from k-means


def cluster_by_gaussians(points: np.ndarray, num_components: int, seed: int) -> np.ndarray:
    """Clusters of the points: a Gaussian mixture with as many Gaussians as the data ask for, joined to k parts.

    The number of Gaussians, a multiple of k, is the one of the lowest Bayesian information criterion, to which copies
    of a row are no evidence; these are joined to parts (`gaussian_parts`), or the mixture of k Gaussians stands where
    its parts tell more. Fewer than k are left where even these overlap as halves of one part do and fewer parts lie
    apart, or where fewer have valleys between them (`valleys`).

    Args:
        points: (N, d) as the networks see them.
        num_components: k, at most N.
        seed: of the run.

    Returns:
        (N,) int16, from 0 to at most k - 1.

    References:
        Baudry, Raftery, Celeux, Lo & Gottardo, "Combining mixture components for clustering", 2010.
    """
    if num_components == 1:
        return np.zeros(len(points), dtype=np.int16)
    points = project(points.astype(np.float64), seed)
    sample = np.random.default_rng(derive_seed(seed, "gaussians")).permutation(len(points))[:MAX_FITTED]
    sample = sample[~find_far(points[sample])]
    num_distinct = len(np.unique(points[sample], axis=0))
    spread = undo_rounding(points[sample], seed)
    mixtures = list(fit_mixtures(spread, num_components, num_distinct, seed))
    fine = min(mixtures, key=lambda mixture: measure_bic(mixture, spread, num_distinct))
    if fine is mixtures[0]:
        fine = drop_surplus(fine, spread, num_distinct, seed)
    chosen, groups, responsibilities = choose_parts(mixtures[0], fine, spread, num_components)
    labels = add_up(responsibilities, groups).argmax(axis=1)
    joined = join_connected(spread, labels, num_components)
    return carry_over(points, assign(chosen, points, groups), spread, labels, joined).astype(np.int16)


def choose_parts(
    coarse: GaussianMixture, fine: GaussianMixture, points: np.ndarray, num_parts: int
) -> tuple[GaussianMixture, list[list[int]], np.ndarray]:
    """The k parts that tell most about a point: many Gaussians joined in either of two ways, or a mixture of k.

    Joining ends badly where Gaussians overlap in a chain, from part to part, and where hardly any overlap. Fewer parts
    than were asked for are believed unless they are lopsided, or far more have valleys of density between them.

    Args:
        coarse: k Gaussians.
        fine: as many as the data ask for.
        points: (n, d).
        num_parts: k.

    Returns:
        A mixture, lists of its Gaussians, fewer than k where no more lie apart, and their responsibilities (n, m).
    """
    single = [[j] for j in range(num_parts)]
    responsibilities = fine.predict_proba(points)
    joined = find_parts(responsibilities, num_parts)
    if joined is None:
        return coarse, single, coarse.predict_proba(points)
    if fine.n_components <= num_parts:
        return fine, joined, responsibilities
    balanced = join_balanced(responsibilities, num_parts)
    if len(joined) < num_parts:
        labels = add_up(responsibilities, balanced).argmax(axis=1)
        is_doubtful = is_lopsided(add_up(responsibilities, joined).sum(axis=0), num_parts) or (
            count_apart(points, labels, num_parts) >= CHAIN * len(joined)
        )
        return fine, balanced if is_doubtful else joined, responsibilities
    own = coarse.predict_proba(points)
    found = measure_information(responsibilities, joined) + LEAST_GAIN
    others = [
        (measure_information(responsibilities, balanced), (fine, balanced, responsibilities)),
        (measure_information(own, single), (coarse, single, own)),
    ]
    information, parts = max(others, key=lambda other: other[0])
    return parts if information > found else (fine, joined, responsibilities)


def project(points: np.ndarray, seed: int) -> np.ndarray:
    """The leading principal components of points with many columns; others as they are."""
    if points.shape[1] <= MAX_COLUMNS:
        return points
    from sklearn.decomposition import PCA

    number = min(NUM_PRINCIPAL, len(points))
    random_state = derive_seed(seed, "principal components") % 2**32
    return PCA(number, svd_solver="randomized", random_state=random_state).fit_transform(points)


def find_far(points: np.ndarray) -> np.ndarray:
    """Rows so far out in a column that all others look like one point beside them, (N,) bool.

    A single one of them sets the covariances' floor and takes a Gaussian for itself. It gets a part like any other
    point, but no Gaussian is fitted to it.
    """
    lower, median, upper = np.quantile(points, (0.25, 0.5, 0.75), axis=0)
    spread = upper - lower
    far: np.ndarray = ((np.abs(points - median) > FAR * spread) & (spread > 0)).any(axis=1)
    return far & (far.mean() < MOST_FAR)


def undo_rounding(points: np.ndarray, seed: int) -> np.ndarray:
    """Spread each column in which values recur evenly over the gaps between them.

    On counts and coarsely rounded measurements a Gaussian otherwise shrinks to a single value, whose likelihood has no
    bound, and such Gaussians win the information criterion. Columns of many different values stay as they are, and so
    do those with gaps of more than a standard deviation (yes and no, or nearly always 0), which would be mostly noise.
    """
    points = points.copy()
    random = np.random.default_rng(derive_seed(seed, "rounding"))
    for column in points.T:
        if gap := measure_gap(column):
            column += gap * (gap <= column.std()) * random.uniform(-0.5, 0.5, size=len(column))
    return points


def measure_gap(column: np.ndarray) -> float:
    """The median gap between a column's values where they recur; 0 where most are different, or all are the same."""
    values = np.unique(column)
    return float(np.median(np.diff(values))) if 1 < len(values) <= len(column) / REPEATS else 0.0


def is_discrete(points: np.ndarray) -> bool:
    """Whether at least half of the columns that vary hold codes, or one value in half of the rows.

    Such columns have no Gaussian's shape, one-hot columns no covariance that could be inverted, and a part of counts or
    scores that are mostly the lowest would be a Gaussian on that value alone.
    """
    points = points[:MAX_FITTED].astype(np.float64)
    varying = points.T[np.ptp(points, axis=0) > 0]
    discrete = [holds_codes(column) or holds_one_value(column) for column in varying]
    return bool(discrete and 2 * sum(discrete) >= len(discrete))


def holds_codes(column: np.ndarray) -> bool:
    """Whether a column holds yes or no, or few codes: gaps of more than a deviation."""
    return bool(measure_gap(column) > column.std())


def holds_one_value(column: np.ndarray) -> bool:
    """Whether half of a column's values or more are one and the same; of few rows that says nothing."""
    largest = np.unique(column, return_counts=True)[1].max()
    return bool(largest >= max(LEAST_RECURRENCE, len(column) / 2))


def measure_bic(mixture: GaussianMixture, points: np.ndarray, num_distinct: int) -> float:
    """The Bayesian information criterion as if every distinct row were there once."""
    parameters = mixture.n_components * count_parameters(points.shape[1]) - 1
    return float(parameters * np.log(num_distinct) - 2 * num_distinct * mixture.score(points))


def count_parameters(columns: int) -> int:
    """Free numbers of one Gaussian in a mixture: its weight, mean and covariance."""
    return 1 + columns + columns * (columns + 1) // 2


def is_scarce(num_distinct: int, number: int, columns: int) -> bool:
    """Whether there are fewer than two points for each parameter, so that the likelihood says little about the data."""
    return 2 * number * count_parameters(columns) > num_distinct


def drop_surplus(mixture: GaussianMixture, points: np.ndarray, num_distinct: int, seed: int) -> GaussianMixture:
    """A mixture of fewer Gaussians where those beyond explain hardly more than halves of one would.

    The number that was asked for counts for something: a Gaussian stays even where the information criterion is against
    it, unless it earns less than a share `SURPLUS` of what the criterion charges. Of scarce points all stay.
    """
    number, parameters = mixture.n_components, count_parameters(points.shape[1])
    if is_scarce(num_distinct, number, points.shape[1]):
        return mixture
    charge = SURPLUS * parameters * np.log(num_distinct)
    failures = 0
    for fewer in range(number - 1, 0, -1):
        other = fit_mixture(points, fewer, 1, seed)
        gain = 2 * num_distinct * (mixture.score(points) - other.score(points))
        if gain < charge * (mixture.n_components - fewer):
            mixture, failures = other, 0
        elif (failures := failures + 1) == MAX_FAILURES:
            break
    return mixture


def fit_mixtures(points: np.ndarray, num_components: int, num_distinct: int, seed: int) -> Iterator[GaussianMixture]:
    """Mixtures of k Gaussians, and of multiples of k as far as the distinct points allow.

    Of several starts the likelihood would choose; of scarce points it chooses the one that a Gaussian has shrunk in.
    """
    limit = min(max(MAX_GAUSSIANS, num_components), num_distinct // (POINTS_PER_GAUSSIAN + points.shape[1]))
    for multiple in MULTIPLES:
        number = multiple * num_components
        if multiple > 1 and number > limit:
            return
        starts = STARTS if multiple == 1 and not is_scarce(num_distinct, number, points.shape[1]) else 1
        yield fit_mixture(points, number, starts, seed)


def fit_mixture(points: np.ndarray, number: int, starts: int, seed: int) -> GaussianMixture:
    """The best of some mixtures of this many Gaussians, each from k-means."""
    mixture = GaussianMixture(
        number,
        n_init=starts,
        reg_covar=FLOOR * (points.var(axis=0).mean() or 1.0),
        random_state=derive_seed(seed, "gaussians", number) % 2**32,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # identical points, or a hundred steps: still a start
        return mixture.fit(points)


def assign(mixture: GaussianMixture, points: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """The part of each point, (N,) int16."""
    return add_up(mixture.predict_proba(points), groups).argmax(axis=1).astype(np.int16)
