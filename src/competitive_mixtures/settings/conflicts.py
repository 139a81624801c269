"""Settings that are sound one by one and not together; `schema.Experiment` and `schema.Params` refuse these."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from competitive_mixtures.data.spec import NUM_CLASSIFIER_FEATURES

if TYPE_CHECKING:
    from competitive_mixtures.settings.schema import Experiment, Params

BOUNDS = ("bound", "soft_bound")
TAKEN = ("classifiers", "pages", "plan", "tables")  # folders of `results` that are no experiment's


def find_conflicts(experiment: "Experiment") -> Iterator[str]:
    """Sentences on what an experiment's settings ask of each other, each with its key."""
    scoring, shards, shared = experiment.scoring, experiment.shards, experiment.training.shared_layers
    if shards > experiment.num_components:
        yield f"shards: {shards} is more than the {experiment.num_components} components"
    if shared and (shards > 1 or experiment.training.backend == "loop"):
        yield "training.shared_layers: components that share layers train in one stacked job"
    num_layers = min((len(body.widths) for c in experiment.components for body in c.bodies), default=0) + 1
    if shared >= num_layers:
        yield f"training.shared_layers: {shared} of {num_layers} layers leave the components none of their own"
    if scoring.kind in BOUNDS and any(c.kind != "vae" for c in experiment.components):
        yield f"scoring.kind: {scoring.kind} needs a likelihood bound, which only VAEs have"
    if shards > 1 and scoring.kind == "soft_bound":
        yield "scoring.kind: soft_bound trains every component on all points; use shards: 1"
    if shards > 1 and scoring.kind == "classifier":
        yield "scoring.kind: one classifier scores all components; use shards: 1"
    if shards > 1 and scoring.kind == "discriminators" and scoring.trunk == "shared":
        yield "scoring.trunk: discriminators that share their trunk train in one job; use shards: 1"
    if len(experiment.components) > 1 and experiment.baselines:
        yield "baselines: a mixed competition has no baseline of the same family; use []"
    if experiment.evaluation.num_samples <= experiment.evaluation.num_neighbors:
        yield "evaluation.num_samples: expected more samples than num_neighbors"
    if experiment.evaluation.num_samples <= (experiment.evaluation.fid_features or 0):
        yield "evaluation.num_samples: expected more samples than fid_features"


def find_gaps(params: "Params") -> Iterator[str]:
    """Sentences on what experiments ask of the rest of `params.yaml`, each with its key."""
    for name, experiment in params.experiments.items():
        if name in TAKEN:
            yield f"experiments.{name}: results/{name} holds something else; choose another name"
        if experiment.dataset not in params.datasets:
            known = sorted(params.datasets)
            yield f"experiments.{name}.dataset: '{experiment.dataset}' is not one of datasets: {known}"
        elif (
            params.datasets[experiment.dataset].has_classifier
            and experiment.evaluation.num_samples <= NUM_CLASSIFIER_FEATURES
        ):
            yield (
                f"experiments.{name}.evaluation.num_samples: expected more than the {NUM_CLASSIFIER_FEATURES} features "
                f"of the classifier of '{experiment.dataset}'"
            )
        if experiment.evaluation.fid_features and params.inception is None:
            yield f"experiments.{name}.evaluation.fid_features: needs the block `inception`"


def refuse(mistakes: Iterator[str]) -> None:
    """Raise one error that lists all mistakes, a line each.

    Raises:
        ValueError: there are some.
    """
    if lines := "\n".join(mistakes):
        raise ValueError(lines)
