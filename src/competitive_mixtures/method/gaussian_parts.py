"""Parts of the data from the Gaussians of a mixture: which of them are joined."""

import numpy as np
from scipy.special import entr

TOUCHING = (0.15, 0.02)  # overlap from which two parts are one: parts that are Gaussians each, or that are joined ones
APART = 0.01  # overlap below which parts have nothing to do with one another
SPLINTER = 0.08  # of N/k points: a part below it is no part
LOPSIDED = 1.75  # times an even share
SMALL = 0.2  # of N/k points: a part below it gives way where larger ones lie apart


def find_parts(responsibilities: np.ndarray, num_parts: int) -> list[list[int]] | None:
    """Join Gaussians to at most `num_parts` parts, of which none is a splinter.

    In many columns overlaps are next to nothing, and a handful of points that overlap nothing would be a part where
    two large ones, which overlap little more, are joined for its sake. So a small part gives way where k parts without
    it do not touch.

    Args:
        responsibilities: (n, m) of every Gaussian for every point.
        num_parts: k.

    Returns:
        Lists of Gaussians; None where more than k Gaussians make no k parts.
    """
    larger = join_splinters(responsibilities, num_parts, SMALL)
    if larger and len(larger) == num_parts and measure_overlaps(responsibilities, larger).max() < TOUCHING[1]:
        return larger
    return join_splinters(responsibilities, num_parts, SPLINTER)


def join_splinters(responsibilities: np.ndarray, num_parts: int, limit: float) -> list[list[int]] | None:
    """Join Gaussians to at most `num_parts` parts, none of them below a share `limit` of N/k points.

    Such a splinter goes to what it overlaps most before anything else is joined.
    """
    groups = [[int(j)] for j in np.flatnonzero(responsibilities.max(axis=0) > 0)]
    touching = TOUCHING[len(groups) > num_parts]
    while True:
        parts = join(responsibilities, groups, num_parts, touching)
        shares = [responsibilities[:, part].sum() / len(responsibilities) for part in parts]
        smallest = int(np.argmin(shares))
        if shares[smallest] >= limit / num_parts or len(groups) <= num_parts:
            return parts if len(groups) >= num_parts or len(parts) == len(groups) else None
        groups = [group for group in groups if not set(group) <= set(parts[smallest])] + [parts[smallest]]
        overlaps = measure_overlaps(responsibilities, groups)[-1]
        groups = merge_pair(groups, int(overlaps[:-1].argmax()), len(groups) - 1)


def join(responsibilities: np.ndarray, groups: list[list[int]], num_parts: int, touching: float) -> list[list[int]]:
    """Join the two groups that overlap most, until `num_parts` are left, or fewer that lie apart.

    Args:
        responsibilities: (n, m) of every Gaussian for every point.
        groups: lists of Gaussians.
        num_parts: k.
        touching: overlap from which two of at most k groups are one part.
    """
    found = groups
    while len(groups) > 1:
        overlaps = measure_overlaps(responsibilities, groups)
        if len(groups) == num_parts or (len(groups) < num_parts and overlaps.max() < APART):
            found = groups
        if len(groups) <= num_parts and overlaps.max() < touching:
            return found
        groups = merge_pair(groups, *divmod(int(overlaps.argmax()), len(groups)))
    return groups if num_parts == 1 else found


def is_lopsided(sizes: np.ndarray, num_asked: int) -> bool:
    """Whether of fewer than k parts one has far more than its even share: likely several, or with others as its fringe.

    Args:
        sizes: (g,) of the parts.
        num_asked: k.
    """
    counted = drop_splinters(sizes, num_asked)
    return len(counted) == 1 or bool(counted.max() * len(counted) > LOPSIDED * counted.sum())


def drop_splinters(sizes: np.ndarray, num_asked: int) -> np.ndarray:
    """The sizes without those below a share `SPLINTER` of N/k."""
    return sizes[sizes >= SPLINTER / num_asked * sizes.sum()]


def merge_pair(groups: list[list[int]], first: int, second: int) -> list[list[int]]:
    """The groups with two of them as one, which comes last."""
    rest = [group for place, group in enumerate(groups) if place not in (first, second)]
    return [*rest, groups[first] + groups[second]]


def measure_overlaps(responsibilities: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """For each pair of parts the mean product of their responsibilities, over the smaller one's share of the points.

    Returns:
        (g, g), 0 on the diagonal; about 0.3 for halves of one Gaussian, 0 for parts that lie apart.
    """
    parts = add_up(responsibilities, groups)
    shares = parts.mean(axis=0)
    overlaps = parts.T @ parts / len(parts) / np.minimum(shares[:, None], shares)
    np.fill_diagonal(overlaps, 0)
    return overlaps


def join_balanced(responsibilities: np.ndarray, num_parts: int) -> list[list[int]]:
    """Join the two groups that overlap most beside what independent ones of their sizes would, until k are left.

    Large groups overlap much with any other, by their size alone, and take in one after the other where the overlap is
    held against the smaller one's share, as in `join`.

    Args:
        responsibilities: (n, m) of every Gaussian for every point.
        num_parts: k, at most m.
    """
    groups = [[j] for j in range(responsibilities.shape[1])]
    while len(groups) > num_parts:
        parts = add_up(responsibilities, groups)
        shares = np.maximum(parts.mean(axis=0), np.finfo(float).tiny)
        lift = parts.T @ parts / len(parts) / shares / shares[:, None]
        np.fill_diagonal(lift, -1)
        groups = merge_pair(groups, *divmod(int(lift.argmax()), len(groups)))
    return groups


def measure_information(responsibilities: np.ndarray, groups: list[list[int]]) -> float:
    """Mutual information of a point and its part in nats: large for parts of like size that do not overlap.

    The entropy of the parts' shares less the mean entropy of a point's responsibilities (Bridle, Heading & MacKay,
    "Unsupervised classifiers, mutual information and phantom targets", 1991).
    """
    parts = add_up(responsibilities, groups)
    return float(entr(parts.mean(axis=0)).sum() - entr(parts).sum(axis=1).mean())


def add_up(responsibilities: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """Responsibilities (n, g) of groups of Gaussians, from those of the Gaussians."""
    return np.stack([responsibilities[:, group].sum(axis=1) for group in groups], axis=1)
