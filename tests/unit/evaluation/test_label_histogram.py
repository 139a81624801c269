"""Label scores: uniform, collapsed and unsure predictions."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.label_histogram import divergence_from_uniform, score_labels


def test_sure_and_even_predictions_are_perfect() -> None:
    scores = score_labels(np.tile(np.eye(10), (3, 1)))

    assert (scores.confident_share, scores.num_labels) == (1, 10)
    assert scores.divergence_from_uniform == pytest.approx(0)


def test_only_confident_predictions_count() -> None:
    probabilities = np.array([[0.95, 0.05], [0.92, 0.08], [0.3, 0.7], [0.5, 0.5]])

    scores = score_labels(probabilities)

    assert (scores.confident_share, scores.num_labels) == (0.5, 1)
    assert score_labels(probabilities, confidence=0.6).num_labels == 2


def test_divergence_agrees_with_scipy() -> None:
    counts = np.array([5, 0, 20, 1])

    assert divergence_from_uniform(counts) == pytest.approx(jensenshannon(counts, np.ones(4)) ** 2)


def test_unsure_predictions_have_the_largest_divergence() -> None:
    scores = score_labels(np.full((4, 10), 0.1))

    assert (scores.confident_share, scores.num_labels) == (0, 0)
    assert scores.divergence_from_uniform == pytest.approx(np.log(2))


def test_no_images_are_refused() -> None:
    with pytest.raises(UserError, match="probabilities: found shape"):
        score_labels(np.zeros((0, 10)))
