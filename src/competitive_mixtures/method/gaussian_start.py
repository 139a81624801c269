"""A start that follows the shape of the data: many Gaussians, joined to k parts where they overlap."""

import numpy as np
from sklearn.mixture import GaussianMixture

from competitive_mixtures.method.batches import thin_out
from competitive_mixtures.method.gaussian_fits import fit_numbers, is_scarce
from competitive_mixtures.method.gaussian_parts import (
    add_up,
    find_parts,
    is_lopsided,
    join_balanced,
    measure_information,
)
from competitive_mixtures.method.valleys import TRUST, carry_over, count_apart, join_connected
from competitive_mixtures.seeding import derive_seed

MAX_FITTED = 20_000  # points that the Gaussians are fitted to
MAX_COLUMNS = 100  # of more, the leading principal components are taken
NUM_PRINCIPAL = 20
FAR = 50  # interquartile ranges from a column's median
MOST_FAR = 0.01  # share of the points: more of them are a part of the data
REPEATS = 3  # of a column's values, on average: from as many on the column counts as rounded
LEAST_RECURRENCE = 10  # rows of one value
LEAST_GAIN = 0.01  # nats of information: less does not decide between partitions
CHAIN = 2  # times as many parts with valleys between them, or as many as were asked for, are a chain that was joined


def cluster_by_gaussians(points: np.ndarray, num_components: int, seed: int) -> np.ndarray:
    """Clusters of the points: a Gaussian mixture with as many Gaussians as the data ask for, joined to k parts.

    Of the mixtures (`gaussian_fits`), many Gaussians are joined to parts (`gaussian_parts`), or the mixture of k
    Gaussians stands where its parts tell more. Fewer than k are left where even these overlap as halves of one part do
    and fewer parts lie apart, or where fewer have valleys between them (`valleys`).

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
    points = project(drop_codes(points.astype(np.float64)), seed)
    sample = np.random.default_rng(derive_seed(seed, "gaussians")).permutation(len(points))[:MAX_FITTED]
    near = sample[~find_far(points[sample])]
    sample = near if len(near) >= num_components else sample
    num_distinct = len(np.unique(points[sample], axis=0))
    spread = undo_rounding(points[sample], seed)
    coarse, fine = fit_numbers(spread, num_components, num_distinct, seed)
    chosen, groups, responsibilities = choose_parts(coarse, fine, spread, num_components)
    parts = assign(chosen, points, groups)
    if fine.covariance_type == "tied" and not is_scarce(num_distinct, num_components, points.shape[1]):
        return parts  # pieces of a bent part have different directions
    labels = add_up(responsibilities, groups).argmax(axis=1)
    joined = join_connected(spread, labels, num_components, TRUST[fine.n_components > num_components])
    return carry_over(points, parts, spread, labels, joined).astype(np.int16)


def choose_parts(
    coarse: GaussianMixture, fine: GaussianMixture, points: np.ndarray, num_parts: int
) -> tuple[GaussianMixture, list[list[int]], np.ndarray]:
    """The k parts that tell most about a point: many Gaussians joined in either of two ways, or a mixture of k.

    Joining ends badly where Gaussians overlap in a chain, from part to part, and where hardly any overlap. Fewer parts
    than were asked for are believed unless that is doubtful.

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
    if fine.n_components < num_parts:
        return fine, joined, responsibilities
    balanced = join_balanced(responsibilities, num_parts)
    if len(joined) < num_parts:
        doubtful = is_doubtful(points, responsibilities, joined, balanced)
        return fine, balanced if doubtful else joined, responsibilities
    own = coarse.predict_proba(points)
    found = measure_information(responsibilities, joined) + LEAST_GAIN
    others = [
        (measure_information(responsibilities, balanced), (fine, balanced, responsibilities)),
        (measure_information(own, single), (coarse, single, own)),
    ]
    information, parts = max(others, key=lambda other: other[0])
    return parts if information > found else (fine, joined, responsibilities)


def is_doubtful(
    points: np.ndarray, responsibilities: np.ndarray, joined: list[list[int]], balanced: list[list[int]]
) -> bool:
    """Whether overlaps have joined a chain of parts: one of them is lopsided, or valleys show more.

    Args:
        points: (n, d).
        responsibilities: (n, m) of every Gaussian for every point.
        joined: lists of Gaussians, fewer than k.
        balanced: the same in k lists.
    """
    num_parts = len(balanced)
    sizes = add_up(responsibilities, joined).sum(axis=0)
    if responsibilities.shape[1] > num_parts and is_lopsided(sizes, num_parts):
        return True
    labels = add_up(responsibilities, balanced).argmax(axis=1)
    return count_apart(points, labels, num_parts) >= min(num_parts, CHAIN * len(joined))


def drop_codes(points: np.ndarray) -> np.ndarray:
    """The points without columns that hold codes, unless these are all that vary.

    A Gaussian on one value of a yes-or-no column has a likelihood without bound, so that a single such column among
    several would make the parts: all that say yes would be one.
    """
    sample = thin_out(points, MAX_FITTED)
    kept = [not holds_codes(column) for column in sample.T]
    return points[:, kept] if np.ptp(sample[:, kept], axis=0).any() else points


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
    points = thin_out(points, MAX_FITTED).astype(np.float64)
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


def assign(mixture: GaussianMixture, points: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """The part of each point, (N,) int16."""
    return add_up(mixture.predict_proba(points), groups).argmax(axis=1).astype(np.int16)
