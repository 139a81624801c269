"""The typed view of `params.yaml`: every key checked before the first job, every mistake told at once.

All blocks of settings can be had from here. Nothing here imports PyTorch: Snakemake reads it whenever it plans.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from competitive_mixtures.data import DatasetSpec
from competitive_mixtures.data.spec import NUM_CLASSIFIER_FEATURES, measured_in
from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.baselines import PARTITIONING, BaselineName, Tuning, list_protocols
from competitive_mixtures.settings.blocks import Block, resolve_all
from competitive_mixtures.settings.components import (
    GAN,
    MLP,
    NETWORKS,
    VAE,
    Bernoulli,
    Component,
    Conv,
    Gaussian,
    Network,
    NonSaturating,
    Optimizer,
    WassersteinWithPenalty,
)
from competitive_mixtures.settings.experiment import (
    Balancing,
    Evaluation,
    Experiment,
    Exploration,
    PlannedExperiment,
    Resources,
    Revival,
    Training,
)
from competitive_mixtures.settings.messages import refuse, validate
from competitive_mixtures.settings.quantities import Name
from competitive_mixtures.settings.representation import Autoencoder
from competitive_mixtures.settings.scoring import (
    Bound,
    Classifier,
    DensityRatios,
    Discriminators,
    OffsetClassifier,
    Scoring,
    SoftBound,
)
from competitive_mixtures.settings.targets import TARGETS

__all__ = [
    "GAN",
    "MLP",
    "NETWORKS",
    "PARTITIONING",
    "VAE",
    "Autoencoder",
    "Balancing",
    "BaselineName",
    "Bernoulli",
    "Bound",
    "Classifier",
    "Component",
    "Conv",
    "DatasetSpec",
    "DensityRatios",
    "Discriminators",
    "Evaluation",
    "Experiment",
    "Exploration",
    "Gaussian",
    "Inception",
    "Network",
    "NonSaturating",
    "OffsetClassifier",
    "Optimizer",
    "Params",
    "PlannedExperiment",
    "Resources",
    "Revival",
    "Scoring",
    "SoftBound",
    "Training",
    "Tuning",
    "WassersteinWithPenalty",
    "list_protocols",
    "load_params",
]

REPETITION = re.compile(r"(.+?)\1{19}$")  # from twenty on Snakemake stops with its `PeriodicWildcardError`


class Inception(Block):
    """Weights of pytorch-fid's Inception network, read only where an experiment sets `evaluation.fid_features`.

    Attributes:
        path: the file; `null` takes the one that the environment variable INCEPTION_WEIGHTS names, or else fetches it.
        sha256: checksum of the file, in hexadecimal digits.
    """

    path: Annotated[str, Field(min_length=1)] | None
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]


class Params(Block):
    """Settings of all data sets and experiments: the whole of `params.yaml`.

    Attributes:
        seeds: number of runs of every experiment, with the seeds 0, 1 and so on.
        inception: the network behind FID; `null` where no experiment asks for FID.
        datasets: the data sets by name.
        experiments: the experiments by name, which is also that of their folder in `results/experiments`.
    """

    seeds: Annotated[int, measured_in("runs", ge=1, le=10_000)]
    inception: Inception | None = None
    datasets: dict[Name, DatasetSpec]
    experiments: dict[Name, PlannedExperiment]

    def suite(self, *names: str) -> list[str]:
        """Names of the experiments of some suites, in the order of the file."""
        return [key for key, experiment in self.experiments.items() if experiment.suite in names]

    def dataset_of(self, experiment: str, seed: int) -> str:
        """The data set of one run: the experiment's, or another draw of it, see `PlannedExperiment.draws`."""
        name, draw = self.experiments[experiment].dataset, self.draw_of(experiment, seed)
        return name_draw(name, draw) if self.datasets[name].redraw(draw) is not None else name

    def draw_of(self, experiment: str, seed: int) -> int:
        """The number of a run's draw, from 0."""
        return seed % self.experiments[experiment].draws

    def list_datasets(self) -> dict[str, DatasetSpec]:
        """The data sets by name, and after them the further draws of those that an experiment draws several times."""
        draws: dict[str, DatasetSpec] = {}
        for experiment in self.experiments.values():
            for draw in range(1, experiment.draws):
                if (spec := self.datasets[experiment.dataset].redraw(draw)) is not None:
                    draws[name_draw(experiment.dataset, draw)] = spec
        return self.datasets | draws

    def find_gaps(self) -> Iterator[str]:
        """Sentences on names, and on what experiments ask of the rest of the file, each with its key."""
        yield from _find_twins("datasets", self.datasets)
        yield from _find_twins("experiments", self.experiments)
        yield from _find_repetitions("datasets", self.datasets)
        yield from _find_repetitions("experiments", self.experiments)
        yield from (
            f"datasets.{name}: is what a further draw of '{experiment.dataset}' is called; choose another name"
            for experiment in self.experiments.values()
            for name in (name_draw(experiment.dataset, draw) for draw in range(1, experiment.draws))
            if name in self.datasets
        )
        yield from (
            f"experiments.{name}: is what a step or target is called; choose another name"
            for name in self.experiments
            if name in TARGETS
        )
        for name, experiment in self.experiments.items():
            place, evaluation = f"experiments.{name}", experiment.evaluation
            if experiment.dataset not in self.datasets:
                known = sorted(self.datasets)
                yield f"{place}.dataset: '{experiment.dataset}' is not one of datasets: {known}"
            elif self.datasets[experiment.dataset].has_classifier and evaluation.num_samples <= NUM_CLASSIFIER_FEATURES:
                yield (
                    f"{place}.evaluation.num_samples: expected more than the {NUM_CLASSIFIER_FEATURES} features "
                    f"of the classifier of '{experiment.dataset}'"
                )
            if evaluation.fid_features and self.inception is None:
                yield f"{place}.evaluation.fid_features: needs the block `inception`"

    @model_validator(mode="after")
    def _refuse_gaps(self) -> "Params":
        refuse(self.find_gaps())
        return self


def name_draw(dataset: str, draw: int) -> str:
    """What a draw of a data set is called; the first has the data set's own name."""
    return f"{dataset}-draw-{draw}" if draw else dataset


def _find_twins(block: str, names: Iterable[str]) -> Iterator[str]:
    """Names that differ in capitals alone: their files would be one and the same on some systems."""
    known: dict[str, str] = {}
    for name in names:
        twin = known.setdefault(name.lower(), name)
        if twin != name:
            yield f"{block}.{name}: differs from {twin} in capitals only; some file systems take them for one"


def _find_repetitions(block: str, names: Iterable[str]) -> Iterator[str]:
    """Names in which Snakemake would see the trace of rules that need one another without an end."""
    for name in names:
        if match := REPETITION.search(name):
            yield f"{block}.{name}: ends with '{match[1]}' twenty times, a loop to Snakemake; choose another name"


def load_params(content: Mapping[str, Any]) -> Params:
    """Check the content of `params.yaml`.

    Args:
        content: as a YAML loader returns it.

    Returns:
        The typed parameters.

    Raises:
        UserError: lists every mistake with its key, what was found and what was expected.
    """
    if not isinstance(content, Mapping):
        raise UserError(f"params.yaml: found {type(content).__name__}, expected seeds, datasets and experiments")
    try:
        blocks, mistakes = resolve_all(content.get("experiments"))
        params = validate(Params, {**content, "experiments": blocks}, "params.yaml")
    except UserError as error:
        mistakes.append(str(error))
    except RecursionError:
        raise UserError("params.yaml: blocks within blocks without an end; expected settings as in README.md") from None
    if mistakes:
        raise UserError("\n".join(mistakes))
    return params
