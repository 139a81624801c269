"""The classifier that scores generated images: trained once for each labelled image set."""

from pathlib import Path

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.classifier import predict_probabilities, save_classifier, train_classifier
from competitive_mixtures.files.folders import ClassifierFolder
from competitive_mixtures.files.formats import write_json


def fit_classifier(dataset: Dataset, seed: int, out: Path) -> None:
    """Train the classifier whose features `frechet_classifier` compares; write its weights, checksum and accuracy.

    Raises:
        UserError: the data set has no labels.
    """
    if dataset.train_labels is None or dataset.test_labels is None:
        raise UserError(f"data set {dataset.name}: has no labels for a classifier to learn")
    classifier = train_classifier(np.array(dataset.train), np.array(dataset.train_labels), seed=seed)
    predicted = predict_probabilities(classifier, np.asarray(dataset.test)).argmax(axis=1)
    checksum = save_classifier(classifier, ClassifierFolder(out).weights)
    accuracy = float((predicted == np.asarray(dataset.test_labels)).mean())
    write_json(ClassifierFolder(out).metrics, {"test_accuracy": accuracy, "sha256": checksum})
