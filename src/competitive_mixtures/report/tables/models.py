"""The tables that compare models: which experiments, models and metrics each of them shows."""

from typing import Any

from competitive_mixtures.report.plan import Planned, list_variants
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.settings.baselines import PARTITIONING, list_protocols

Rows = list[dict[str, Any]]
PARTITION_METRICS = ("purity", "nmi", "ari", "accuracy")
IMAGE_METRICS = (
    "frechet_classifier", "fid", "kid", "precision", "recall", "confident_share", "num_labels",
    "divergence_from_uniform",
)  # fmt: skip
COMPUTE_METRICS = ("train_time_s", "samples_seen", "compute", "compute_all", "num_parameters")


def density_cells(scores: Scores, plan: list[Planned]) -> Rows:
    """Log-likelihood and coverage on vector data, of every model and of true samples."""
    return [
        scores.cell(planned.name, model, protocol, metric)
        for planned in _reported(plan, "vector")
        for model, protocol in [*planned.models, ("data", "-")]
        for metric in ("log_likelihood", "coverage")
    ]


def image_cells(scores: Scores, plan: list[Planned]) -> Rows:
    """What `IMAGE_METRICS` names, of every model of images and of real images."""
    return [
        scores.cell(planned.name, model, protocol, metric)
        for planned in _reported(plan, "image")
        for model, protocol in [*planned.models, ("data", "-")]
        for metric in IMAGE_METRICS
    ]


def clustering_cells(scores: Scores, plan: list[Planned]) -> Rows:
    """Agreement of the partition with the labels, for the models that partition the data."""
    return [
        scores.cell(planned.name, model, protocol, metric, "train")
        for planned in _reported(plan)
        for model, protocol in planned.models
        if model == "competitive" or (model in PARTITIONING and protocol == list_protocols(model)[0])  # has all's parts
        for metric in PARTITION_METRICS
    ]


def compute_cells(scores: Scores, plan: list[Planned]) -> Rows:
    """What each model cost: seconds, samples seen, samples times parameters; and how many parameters it has."""
    return [
        scores.cell(planned.name, model, protocol, metric, "train")
        for planned in _reported(plan)
        for model, protocol in planned.models
        for metric in COMPUTE_METRICS
    ]


def precision_recall_cells(scores: Scores, plan: list[Planned]) -> Rows:
    """Precision and recall of one network and of the mixtures, those of VAEs and GANs on the same data together."""
    compared = [planned for planned in _reported(plan) if planned.suite == "default" or scores.seeds(planned.name)]
    places = {planned.dataset: place for place, planned in reversed(list(enumerate(compared)))}
    return [
        scores.cell(planned.name, model, protocol, metric)
        for planned in sorted(compared, key=lambda planned: places[planned.dataset])
        if len(planned.components) == 1
        for model, protocol in (("single", "paper"), ("single", "equal_compute"), ("competitive", "-"))
        if (model, protocol) in planned.models
        for metric in ("precision", "recall")
    ]


def _reported(plan: list[Planned], kind: str | None = None) -> list[Planned]:
    """The experiments of these tables: all but ablations, and of these the paper's method at our settings.

    What has not run has a row that says so.
    """
    return [
        planned
        for variants in list_variants(plan).values()
        for planned in variants.values()
        if kind in (None, planned.kind)
    ]
