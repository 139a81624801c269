"""Parts with no valley of density between them, which are one part of the data.

Gaussians that cover a bent or a long part overlap little at their ends, and in many dimensions hardly at all. Whether
two of them are pieces of one part is seen in the density between them, which neighbours tell: at the edge between two
pieces it is what it is inside of them.
"""

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from competitive_mixtures.method.gaussian_parts import drop_splinters, is_lopsided

MAX_SEARCHED = 5_000  # points, among which the valleys are searched for
POINTS_PER_NEIGHBOUR, NEIGHBOURS = 30, (5, 15)  # fewer neighbours tell a density badly, more reach across parts
CONTACT = 0.02  # edge between two parts, as a share of the smaller one's points, from which they touch
LEAST_EDGE = 3  # points
LEVEL = 0.8  # nats from the denser part's median down to the edge: less is no valley
TRUST = (0.4, 0.5)  # of the number asked for, which stands where more are left: of single Gaussians, of joined ones


def join_connected(points: np.ndarray, labels: np.ndarray, num_asked: int, trust: float) -> np.ndarray:
    """Join parts with no valley between them, where that leaves at least two parts and few of those asked for.

    Two parts touch where points of one have neighbours in the other. A point counts for their edge by 4 s t, with the
    shares s and t of its neighbours in either; its log-density is that of the ball around it that holds them. A part
    on both sides of a gap, which no chain of neighbours crosses, is cut there before.

    Args:
        points: (n, d).
        labels: (n,) integers, the part of each.
        num_asked: k, at least the number of parts.
        trust: share of k, one of `TRUST`.

    Returns:
        (n,) integers; `labels` where joining leaves a single part, or lopsided ones, or more than a share `trust` of k.
    """
    chosen, joined = find_connected(points, labels)
    if not 1 < joined.max() + 1 <= trust * num_asked or is_lopsided(np.bincount(joined), num_asked):
        return labels
    return carry_over(points, labels, points[chosen], labels[chosen], joined)


def count_apart(points: np.ndarray, labels: np.ndarray, num_asked: int) -> int:
    """How many parts are left when those without a valley between them are joined, splinters aside.

    Args:
        points: (n, d).
        labels: (n,) integers, the part of each.
        num_asked: k.
    """
    return len(drop_splinters(np.bincount(find_connected(points, labels)[1]), num_asked))


def find_connected(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut parts at gaps, and join those with no valley between them, on some of the points.

    Args:
        points: (n, d).
        labels: (n,) integers, the part of each.

    Returns:
        Positions (m,) of the points that were looked at, and their parts (m,) from 0 on.
    """
    chosen = np.unique(points, axis=0, return_index=True)[1]  # copies would be their own neighbours
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(MAX_SEARCHED, len(chosen))).astype(int)]
    number = int(np.clip(len(chosen) // POINTS_PER_NEIGHBOUR, *NEIGHBOURS))
    if len(chosen) <= number:
        return chosen, np.unique(labels[chosen], return_inverse=True)[1]
    search = NearestNeighbors(n_neighbors=number).fit(points[chosen])
    distances, neighbours = search.kneighbors()
    log_density = -points.shape[1] * np.log(np.maximum(distances[:, -1], np.finfo(float).tiny))
    sides = connected_components(search.kneighbors_graph(), directed=False)[1]
    parts = np.unique(np.stack([labels[chosen], sides]), axis=1, return_inverse=True)[1].ravel()
    return chosen, join_level(log_density, parts, neighbours)


def join_level(log_density: np.ndarray, parts: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Join the two parts that touch most with no valley between them, until none do.

    Args:
        log_density: (n,) of the points, up to a constant.
        parts: (n,) integers from 0 on.
        neighbours: (n, m) positions of each point's neighbours.

    Returns:
        (n,) integers from 0 on.
    """
    while True:
        contacts, depths = measure_valleys(log_density, parts, neighbours)
        level = depths < LEVEL
        if not level.any():
            return parts
        first, second = divmod(int(np.where(level, contacts, -1).argmax()), len(depths))
        parts = np.unique(np.where(parts == second, first, parts), return_inverse=True)[1]


def measure_valleys(
    log_density: np.ndarray, parts: np.ndarray, neighbours: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far parts touch, and how deep the valley between them is.

    Args:
        log_density: (n,) of the points, up to a constant.
        parts: (n,) integers from 0 on, none left out.
        neighbours: (n, m) positions of each point's neighbours.

    Returns:
        Two (g, g): the edge as a share of the smaller part's points; and nats from the denser part's median to the
        mean at the edge, infinite for parts that do not touch and for a part and itself.
    """
    member = np.eye(parts.max() + 1, dtype=bool)[parts]
    share = member[neighbours].mean(axis=1)
    inside = 4 * member * share
    weights, heights = inside.T @ share, (inside * log_density[:, None]).T @ share
    weights, heights = weights + weights.T, heights + heights.T
    sizes = member.sum(axis=0)
    contacts = weights / np.minimum(sizes[:, None], sizes)
    medians = np.array([np.median(log_density[of]) for of in member.T])
    touching = (weights >= LEAST_EDGE) & (contacts >= CONTACT) & ~np.eye(len(sizes), dtype=bool)
    edges = heights / np.where(touching, weights, 1)
    return contacts, np.where(touching, np.maximum(medians[:, None], medians) - edges, np.inf)


def carry_over(
    points: np.ndarray, labels: np.ndarray, sample: np.ndarray, before: np.ndarray, after: np.ndarray
) -> np.ndarray:
    """The parts of all points after some of them have got other ones.

    Args:
        points: (N, d).
        labels: (N,) integers, their parts before.
        sample: (n, d).
        before: (n,) integers, the parts of the sample before.
        after: (n,) integers, the same after.

    Returns:
        (N,) integers. A part that was joined as a whole takes its points along; of one that was cut, each point goes
        with the nearest of the sample in that part, and of one without a sample with the nearest of all.
    """
    moved = np.empty(len(labels), dtype=np.int64)
    for part in np.unique(labels):
        inside = labels == part
        near = before == part if (before == part).any() else np.ones_like(before, dtype=bool)
        found = np.unique(after[near])
        if len(found) == 1:
            moved[inside] = found[0]
        else:
            moved[inside] = KNeighborsClassifier(n_neighbors=1).fit(sample[near], after[near]).predict(points[inside])
    return moved
