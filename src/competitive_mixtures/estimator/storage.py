"""A fitted estimator in a file: named tensors, and the rest as metadata in its header."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.estimator.inputs import Form
from competitive_mixtures.estimator.parameters import to_plain
from competitive_mixtures.estimator.trained_mixture import TrainedMixture
from competitive_mixtures.files.formats import read_metadata, read_tensors, write_tensors

FORMAT = "competitive-mixture-4"  # of a saved estimator
EXPECTED = "expected a file that CompetitiveMixture.save wrote"
OUTCOME = ("converged_", "n_iter_", "lower_bound_")  # attributes that no tensor holds


def write_estimator(estimator: BaseEstimator, path: Path) -> None:
    """Write everything that a fitted estimator needs to predict, sample and go on, but Adam's state.

    Args:
        estimator: fitted.
        path: of the file.

    Raises:
        UserError: a parameter is neither number nor word, or the file cannot be written.
    """
    params = estimator.get_params(deep=False)
    if not isinstance(params["random_state"], int | np.integer | None):
        params["random_state"] = None  # a generator's state is not kept
    metadata = {
        "format": FORMAT,
        "params": {name: to_plain(name, value) for name, value in params.items()},
        "mixture": estimator._mixture.metadata(),
        "form": asdict(estimator._form),
        "feature_names": list(getattr(estimator, "feature_names_in_", [])),
        "records": estimator._records,
        "outcome": {name: getattr(estimator, name) for name in OUTCOME},
    }
    write_tensors(path, estimator._mixture.tensors() | {"labels": torch.from_numpy(estimator.labels_)}, metadata)


def read_estimator(kind: type[BaseEstimator], path: Path) -> BaseEstimator:
    """The estimator that `write_estimator` wrote.

    Args:
        kind: the class to make one of.
        path: of the file.

    Raises:
        UserError: the file is missing, holds something else, or is damaged.
    """
    metadata, tensors = read_metadata(path, EXPECTED), read_tensors(path, EXPECTED)
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise UserError(f"{path}: {EXPECTED}")
    try:
        return _unpack(kind, metadata, tensors)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except Exception as error:  # whatever a damaged file makes of any line
        raise UserError(f"{path}: damaged ({error!r}); save the estimator anew") from error


def _unpack(kind: type[BaseEstimator], metadata: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> BaseEstimator:
    estimator, form = kind(**metadata["params"]), metadata["form"]
    estimator._form = Form(**form | {key: tuple(form[key]) for key in ("shape", "centre")})
    estimator.n_features_in_ = int(np.prod(form["shape"]))
    if metadata["feature_names"]:
        estimator.feature_names_in_ = np.array(metadata["feature_names"], dtype=object)
    mixture = TrainedMixture.restore(metadata["mixture"], tensors)
    estimator._note(mixture, tensors["labels"].numpy(), metadata["records"])
    outcome = metadata["outcome"]
    estimator.converged_, estimator.n_iter_ = bool(outcome["converged_"]), int(outcome["n_iter_"])
    estimator.lower_bound_ = float(outcome["lower_bound_"])
    return estimator
