"""The columns of the table of partitions: each fits points and says which part every training point is in."""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from point_sets import PARAMS, Split
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.estimator.estimator import make_dataset
from competitive_mixtures.estimator.fitting import open_run
from competitive_mixtures.estimator.inputs import read_points
from competitive_mixtures.evaluation.clustering import compare_partitions
from competitive_mixtures.method.start import choose_start
from competitive_mixtures.settings.overlays import read_params

MOST_POINTS = 3000  # that spectral clustering is given: its graph's eigenvectors take minutes beyond
PAPER = {"vector": "synthetic-9-plain", "image": "mnist"}  # experiments whose settings are the paper's method
TAKEN_OVER = ("training", "scoring", "balancing", "revival")  # of these, beside the component

Fitted = tuple[np.ndarray, Callable[[np.ndarray], float] | None]  # (n,) parts, and the mean log-likelihood of points


@dataclass(frozen=True)
class Method:
    """A column.

    Attributes:
        fit: from points, k and seed.
        suits: whether it can be used on such points.
    """

    fit: Callable[[np.ndarray, int, int], Fitted]
    suits: Callable[[np.ndarray], bool] = lambda points: True


def measure(method: str, split: Split, seed: int) -> dict[str, float]:
    """Fit once and score.

    Returns:
        `ari` and `nmi` on the training points, `log_likelihood` in nats a test point (NaN without a density), and
        `seconds` of the processor that the fit took. Where a competition was run in the pipeline, it is scored as it
        stands.
    """
    if split.found and method in split.found:
        found = split.found[method]
        return score_parts(found.parts, split.labels) | {"log_likelihood": math.nan, "seconds": found.seconds}
    start = time.process_time()
    with warnings.catch_warnings():  # that a fit did not settle, or a graph has several parts, is seen in the scores
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="Graph is not fully connected")
        parts, score = METHODS[method].fit(split.train, split.num_parts, seed)
    seconds = time.process_time() - start
    log_likelihood = math.nan if score is None else score(split.test)
    return score_parts(parts, split.labels) | {"log_likelihood": log_likelihood, "seconds": seconds}


def score_parts(parts: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    agreement = compare_partitions(parts, labels)
    return {"ari": agreement["ari"], "nmi": agreement["nmi"]}


def fit_kmeans(points: np.ndarray, k: int, seed: int) -> Fitted:
    return KMeans(k, n_init=10, random_state=seed).fit_predict(flatten(points)), None


def fit_gaussians(points: np.ndarray, k: int, seed: int) -> Fitted:
    mixture = GaussianMixture(k, n_init=3, random_state=seed)
    return mixture.fit_predict(points), lambda test: float(mixture.score(test))


def fit_spectral(points: np.ndarray, k: int, seed: int) -> Fitted:
    """On the graph of the ten nearest neighbours."""
    return SpectralClustering(k, affinity="nearest_neighbors", random_state=seed).fit_predict(points), None


def fit_paper(points: np.ndarray, k: int, seed: int, init: str = "uniform") -> Fitted:
    """Every setting, but for another start, as in an experiment on which the paper's claims are assessed."""
    experiment = read_params(PARAMS).experiments[PAPER["image" if points.ndim > 2 else "vector"]]
    content = experiment.model_dump(mode="json")
    settings: dict[str, Any] = {block: content[block] for block in TAKEN_OVER}
    settings["training"] |= {"init": init}
    settings["components"] = [content["components"][0] | {"count": k}]
    steps = experiment.training.steps_per_round
    rounds = {"n_rounds": experiment.rounds, "steps_per_round": steps}
    return fit_competition(
        CompetitiveMixture(k, method="plain", tol=0, random_state=seed, settings=settings, **rounds), points
    )


def fit_start(points: np.ndarray, k: int, seed: int) -> Fitted:
    """The partition that ours starts from, before any training."""
    model = CompetitiveMixture(k, random_state=seed)
    stored, form = read_points(model, points)
    experiment = model._make_experiment(form, len(stored), None)
    run = open_run(experiment, make_dataset(stored, form), seed, None)
    return choose_start(experiment.training.init, run.train, k, seed), None


def fit_ours(points: np.ndarray, k: int, seed: int) -> Fitted:
    return fit_competition(CompetitiveMixture(k, random_state=seed), points)


def fit_competition(model: CompetitiveMixture, points: np.ndarray) -> Fitted:
    return model.fit_predict(points), lambda test: float(model.score(test))


def flatten(points: np.ndarray) -> np.ndarray:
    """Images as vectors of pixels from 0 to 1."""
    return points if points.ndim == 2 else points.reshape(len(points), -1) / np.float32(255)


METHODS = {
    "kmeans": Method(fit_kmeans),
    "gaussian": Method(fit_gaussians, lambda points: points.ndim == 2),
    "spectral": Method(fit_spectral, lambda points: points.ndim == 2 and len(points) <= MOST_POINTS),
    "paper": Method(fit_paper),
    "paper_start": Method(partial(fit_paper, init="gaussians"), lambda points: points.ndim == 2),
    "start": Method(fit_start, lambda points: points.ndim == 2),
    "ours": Method(fit_ours),
}
