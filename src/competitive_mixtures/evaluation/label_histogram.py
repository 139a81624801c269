"""What a classifier sees in generated images: how sure it is, which labels occur, how evenly."""

from dataclasses import dataclass

import numpy as np

from competitive_mixtures.errors import UserError


@dataclass(frozen=True)
class LabelScores:
    """Scores of generated images by the labels that a classifier gives them.

    Attributes:
        confident_share: share of images whose likeliest label has a probability of at least `confidence`, in [0, 1].
        num_labels: number of labels that confident images carry.
        divergence_from_uniform: Jensen-Shannon divergence of the labels' histogram from the uniform one, in nats,
            0 to log 2.
    """

    confident_share: float
    num_labels: int
    divergence_from_uniform: float


def score_labels(probabilities: np.ndarray, confidence: float = 0.9) -> LabelScores:
    """Score generated images by their predicted labels, as the authors' code does for MNIST.

    Deviation: the histogram counts confident images only, and 0.9 is our threshold; the paper gives none.

    Args:
        probabilities: (n, classes), rows that sum to 1.
        confidence: the least probability of a confident prediction, in (0, 1].

    Returns:
        The three scores; without a confident image, the divergence is its largest value, log 2.

    Raises:
        UserError: no images.
    """
    if probabilities.ndim != 2 or not len(probabilities):
        raise UserError(f"probabilities: found shape {probabilities.shape}, expected (n, classes) with n >= 1")
    confident = probabilities.max(axis=1) >= confidence
    counts = np.bincount(probabilities[confident].argmax(axis=1), minlength=probabilities.shape[1])
    return LabelScores(float(confident.mean()), int((counts > 0).sum()), divergence_from_uniform(counts))


def divergence_from_uniform(counts: np.ndarray) -> float:
    """Compute the Jensen-Shannon divergence of a histogram (c,) from the uniform one, in nats; log 2 if it is empty."""
    if not counts.sum():
        return float(np.log(2))
    shares = counts / counts.sum()
    uniform = 1 / len(counts)
    middle = (shares + uniform) / 2
    filled = shares > 0
    to_middle = np.sum(shares[filled] * np.log(shares[filled] / middle[filled]))
    return float((to_middle + np.sum(uniform * np.log(uniform / middle))) / 2)
