"""Parts with no valley of density between them, which are one part of the data.

Gaussians that cover a bent or a long part overlap little at their ends, and in many dimensions hardly at all. Whether
two of them are pieces of one part is seen in the density between them, which neighbours tell: at the edge between two
pieces it is what it is inside of them.
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors

MAX_POINTS = 5_000  # that the density is looked at
POINTS_PER_NEIGHBOUR, NEIGHBOURS = 30, (5, 15)  # fewer neighbours tell a density badly, more reach across parts
CONTACT = 0.02  # edge between two parts, as a share of the smaller one's points, from which they touch
LEAST_EDGE = 3  # points
LEVEL = 0.8  # nats from the denser part's median down to the edge: less is no valley
CLEAR = 1.0  # more is one
TRUST = 0.6  # of the number that was asked for: it stands where more parts are left


def join_connected(points: np.ndarray, labels: np.ndarray, num_parts: int, num_asked: int) -> np.ndarray:
    """Join parts with no valley between them, where that leaves few parts that are all clearly apart.

    Two parts touch where points of one have neighbours in the other. A point counts for their edge by 4 s t, with the
    shares s and t of its neighbours in either; its log-density is that of the ball around it that holds them.

    Args:
        points: (n, d).
        labels: (n,) integers from 0 to `num_parts` - 1.
        num_parts: g.
        num_asked: k, at least g.

    Returns:
        (g,) integers from 0 on, what each part belongs to: itself where joining leaves a single part, more than a share
        `TRUST` of k, or two that touch across what is neither level nor clearly a valley.
    """
    alone = np.arange(num_parts)
    points, labels = points[:MAX_POINTS], labels[:MAX_POINTS]
    number = int(np.clip(len(points) // POINTS_PER_NEIGHBOUR, *NEIGHBOURS))
    if num_parts == 1 or len(points) <= number:
        return alone
    distances, neighbours = NearestNeighbors(n_neighbors=number).fit(points).kneighbors()
    log_density = -points.shape[1] * np.log(np.maximum(distances[:, -1], np.finfo(float).tiny))
    joined = alone
    while True:
        contacts, depths = measure_valleys(log_density, joined[labels], neighbours)
        level = depths < LEVEL
        if not level.any():
            break
        first, second = divmod(int(np.where(level, contacts, -1).argmax()), len(depths))
        joined = np.unique(np.where(joined == second, first, joined), return_inverse=True)[1]
    is_clear = len(depths) > 1 and not (depths < CLEAR).any()
    return joined if is_clear and len(depths) <= TRUST * num_asked else alone


def measure_valleys(
    log_density: np.ndarray, labels: np.ndarray, neighbours: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far parts touch, and how deep the valley between them is.

    Args:
        log_density: (n,) of the points, up to a constant.
        labels: (n,) integers from 0 on.
        neighbours: (n, m) positions of each point's neighbours.

    Returns:
        Two (g, g): the edge as a share of the smaller part's points; and nats from the denser part's median to the
        mean at the edge, infinite for parts that do not touch and for a part and itself.
    """
    parts = range(labels.max() + 1)
    member = np.stack([labels == part for part in parts], axis=1)
    share = np.stack([member[neighbours, part].mean(axis=1) for part in parts], axis=1)
    inside = 4 * member * share
    weights, heights = inside.T @ share, (inside * log_density[:, None]).T @ share
    weights, heights = weights + weights.T, heights + heights.T
    sizes = np.maximum(member.sum(axis=0), 1)
    contacts = weights / np.minimum(sizes[:, None], sizes)
    medians = np.array([np.median(log_density[of]) if of.any() else -np.inf for of in member.T])
    touching = (weights >= LEAST_EDGE) & (contacts >= CONTACT) & ~np.eye(len(sizes), dtype=bool)
    edges = heights / np.where(touching, weights, 1)
    return contacts, np.where(touching, np.maximum(medians[:, None], medians) - edges, np.inf)
