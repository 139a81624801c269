"""Scores of generated images against as many real ones, by features of a classifier and of the Inception network."""

import hashlib
from pathlib import Path

import numpy as np

from competitive_mixtures.evaluation.classifier import extract_features, load_classifier, predict_probabilities
from competitive_mixtures.evaluation.frechet import frechet_distance
from competitive_mixtures.evaluation.inception import extract_inception_features, load_inception
from competitive_mixtures.evaluation.inception_weights import find_weights
from competitive_mixtures.evaluation.kernel_distance import kernel_distance
from competitive_mixtures.evaluation.label_histogram import score_labels
from competitive_mixtures.evaluation.precision_recall import estimate_manifold, precision_recall
from competitive_mixtures.evaluation.reference_features import cache_features
from competitive_mixtures.files.formats import read_json


class ClassifierScorer:
    """Fréchet distance, precision and recall of a classifier's features, and the labels that it sees.

    Args:
        weights: of the data set's classifier.
        reference: (N, c, h, w) uint8, real images.
        num_neighbors: of precision and recall.
    """

    def __init__(self, weights: Path, reference: np.ndarray, num_neighbors: int) -> None:
        self.classifier = load_classifier(weights)
        self.features = extract_features(self.classifier, reference)
        self.num_neighbors = num_neighbors
        self.manifold = estimate_manifold(self.features, num_neighbors)

    def __call__(self, images: np.ndarray) -> dict[str, float | str]:
        """Scores of (N, c, h, w) uint8 images by metric."""
        features = extract_features(self.classifier, images)
        precision, recall = precision_recall(self.manifold, estimate_manifold(features, self.num_neighbors))
        labels = score_labels(predict_probabilities(self.classifier, images))
        return {
            "frechet_classifier": frechet_distance(features, self.features),
            "precision": precision,
            "recall": recall,
            "confident_share": labels.confident_share,
            "num_labels": float(labels.num_labels),
            "divergence_from_uniform": labels.divergence_from_uniform,
        }


class InceptionScorer:
    """FID, KID, precision and recall of Inception features, or the reason why there are none.

    Args:
        record: file that `record_weights` wrote: where the weights are, or why they cannot be had. The reference
            images' features are kept beside it.
        num_features: 2048 for FID; 64, 192 or 768 for features of earlier layers.
        reference: (N, c, h, w) uint8, real images, N > num_features.
        num_neighbors: of precision and recall.
        device: where to run the network.

    Raises:
        UserError: the weights file has changed or is not the network's.
    """

    def __init__(self, record: Path, num_features: int, reference: np.ndarray, num_neighbors: int, device: str) -> None:
        metadata = read_json(record)
        self.reason: str | None = metadata.get("not_run")
        if self.reason is not None:
            return
        self.network = load_inception(find_weights(metadata["path"], metadata["sha256"]), num_features, device)
        self.features = cache_features(
            record.parent / "features",
            hashlib.sha256(np.ascontiguousarray(reference).data).hexdigest(),
            reference.shape,
            self.network.checksum,
            num_features,
            extract=lambda: extract_inception_features(self.network, reference),
        )
        self.num_neighbors = num_neighbors
        self.manifold = estimate_manifold(self.features, num_neighbors)

    def __call__(self, images: np.ndarray) -> dict[str, float | str]:
        """Scores of (N, c, h, w) uint8 images by metric, or `not run: <reason>` in their place."""
        if self.reason is not None:
            return dict.fromkeys(("fid", "kid", "precision", "recall"), f"not run: {self.reason}")
        features = extract_inception_features(self.network, images)
        precision, recall = precision_recall(self.manifold, estimate_manifold(features, self.num_neighbors))
        return {
            "fid": frechet_distance(features, self.features),
            "kid": kernel_distance(features, self.features),
            "precision": precision,
            "recall": recall,
        }
