"""Agreement of a partition with known labels, from one contingency table (NumPy only: every round computes these)."""

import numpy as np

from competitive_mixtures.errors import UserError


def compare_partitions(components: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Compute every agreement score of a partition with the labels.

    Args:
        components: (N,) non-negative integers, the component that owns each point.
        labels: (N,) non-negative integers, the known part of each point.

    Returns:
        `purity`, `nmi`, `ari` and `accuracy`, each at most 1; only `ari` can be negative.

    Raises:
        UserError: no points, a negative entry, or arrays of different lengths.
    """
    table = contingency_table(components, labels)
    return score_agreement(table) | {"accuracy": matched_accuracy(table)}


def score_agreement(table: np.ndarray) -> dict[str, float]:
    """Compute the agreement scores that need NumPy alone, `purity`, `nmi` and `ari`, from a contingency table."""
    return {
        "purity": purity(table),
        "nmi": normalized_mutual_information(table),
        "ari": adjusted_rand_index(table),
    }


def contingency_table(
    components: np.ndarray,
    labels: np.ndarray,
    num_components: int | None = None,
    num_labels: int | None = None,
) -> np.ndarray:
    """Count the points of every (component, label) pair.

    Args:
        components: (N,) integers in [0, num_components).
        labels: (N,) integers in [0, num_labels).
        num_components: rows of the table; the largest entry plus one when left out.
        num_labels: columns of the table; likewise.

    Returns:
        (num_components, num_labels) int64 counts; an empty component is a row of zeros.

    Raises:
        UserError: no points, an entry out of range, or arrays of different lengths.
    """
    components, labels = np.asarray(components), np.asarray(labels)
    if components.shape != labels.shape or components.ndim != 1 or not components.size:
        raise UserError(
            f"components and labels: found shapes {components.shape} and {labels.shape}, "
            "expected two equally long vectors with at least one point"
        )
    rows = _count_values("components", components, num_components)
    columns = _count_values("labels", labels, num_labels)
    cells = components.astype(np.int64) * columns + labels
    return np.bincount(cells, minlength=rows * columns).reshape(rows, columns)


def purity(table: np.ndarray) -> float:
    """Share of points that carry the commonest label of their component."""
    return float(table.max(axis=1).sum() / table.sum())


def normalized_mutual_information(table: np.ndarray) -> float:
    """Mutual information over the arithmetic mean of the two entropies; 1 when both partitions are one part."""
    joint = table / table.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    mean_entropy = (_entropy(rows) + _entropy(columns)) / 2
    if mean_entropy == 0:
        return 1.0
    filled = joint > 0
    information = np.sum(joint[filled] * np.log(joint[filled] / np.outer(rows, columns)[filled]))
    return float(np.clip(information / mean_entropy, 0, 1))


def adjusted_rand_index(table: np.ndarray) -> float:
    """Pair agreement corrected for chance (Hubert and Arabie 1985, eq. 5); 1 when no pair could disagree."""
    together = _count_pairs(table)
    in_components, in_labels = _count_pairs(table.sum(axis=1)), _count_pairs(table.sum(axis=0))
    all_pairs = _count_pairs(table.sum())
    if together == in_components == in_labels:  # the same partition, one that has no pairs included
        return 1.0
    expected = in_components * in_labels / all_pairs
    return float((together - expected) / ((in_components + in_labels) / 2 - expected))


def matched_accuracy(table: np.ndarray) -> float:
    """Share of points on the best one-to-one matching of components to labels (Hungarian method, Kuhn 1955)."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / table.sum())


def _count_values(name: str, values: np.ndarray, size: int | None) -> int:
    largest = int(values.max())
    size = largest + 1 if size is None else size
    if values.min() < 0 or largest >= size:
        raise UserError(f"{name}: found values {values.min()} to {largest}, expected 0 to {size - 1}")
    return size


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)))


def _count_pairs(counts: np.ndarray) -> float:
    counts = np.asarray(counts, dtype=np.float64)  # a million points have more pairs of pairs than int64 holds
    return float(np.sum(counts * (counts - 1) / 2))
