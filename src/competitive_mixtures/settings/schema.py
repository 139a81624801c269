"""The typed view of `params.yaml`: every key checked before the first job, every mistake told at once.

Nothing here imports PyTorch: Snakemake reads this module each time it plans.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from competitive_mixtures.data import DatasetSpec
from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.blocks import Block, resolve_all, validate
from competitive_mixtures.settings.conflicts import find_conflicts, find_gaps, refuse
from competitive_mixtures.settings.yaml_files import read_yaml

PositiveInt = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]  # of a folder


class Optimizer(Block):
    """Adam (Kingma & Ba, 2015)."""

    learning_rate: PositiveFloat
    beta1: Annotated[float, Field(ge=0, lt=1)]
    beta2: Annotated[float, Field(ge=0, lt=1)]


class MLP(Block):
    """Fully connected ReLU layers; `hidden` lists their widths from the input on."""

    kind: Literal["mlp"]
    hidden: Annotated[list[PositiveInt], Field(min_length=1)]

    @property
    def widths(self) -> list[int]:
        """Units of every hidden layer."""
        return self.hidden


class Conv(Block):
    """4x4 convolutions of stride 2 with batch norm; `channels` lists them from the input on."""

    kind: Literal["conv"]
    channels: Annotated[list[PositiveInt], Field(min_length=1)]

    @property
    def widths(self) -> list[int]:
        """Channels of every hidden layer."""
        return self.channels


NETWORKS = (MLP, Conv)
Network = Annotated[MLP | Conv, Field(discriminator="kind")]


class Gaussian(Block):
    """Isotropic Gaussian decoder. `learned`: the variance follows the reconstruction error (a sigma-VAE)."""

    kind: Literal["gaussian"]
    variance: PositiveFloat | Literal["learned"]  # in the data's units squared
    samples: Literal["means", "draws"]  # decoder means, as the authors sample, or draws from the decoder's Gaussian


class Bernoulli(Block):
    """Cross-entropy against intensities in [0, 1]; samples are the decoder's means."""

    kind: Literal["bernoulli"]


class VAE(Block):
    """`count` variational autoencoders of one shape."""

    kind: Literal["vae"]
    count: PositiveInt
    encoder: Network
    decoder: Network
    latent_dim: PositiveInt
    likelihood: Annotated[Gaussian | Bernoulli, Field(discriminator="kind")]
    optimizer: Optimizer
    loss_limit: PositiveFloat  # a training whose loss passes it has diverged

    @property
    def bodies(self) -> tuple[Network, ...]:
        """The networks whose layers components can share."""
        return self.encoder, self.decoder


class GAN(Block):
    """`count` generative adversarial networks of one shape."""

    kind: Literal["gan"]
    count: PositiveInt
    generator: Network
    critic: Network
    latent_dim: PositiveInt
    loss: Literal["non_saturating", "wgan_gp"]  # non-saturating with spectral norm, or Wasserstein with a penalty
    critic_steps: PositiveInt  # critic updates for every generator update
    gradient_penalty: PositiveFloat  # weight of the penalty; the non-saturating loss has none
    optimizer: Optimizer  # of the generator
    critic_optimizer: Optimizer
    averaging: Annotated[float, Field(ge=0, lt=1)]  # decay of the generator's running mean, which draws the samples
    loss_limit: PositiveFloat

    @property
    def bodies(self) -> tuple[Network, ...]:
        """The networks whose layers components can share."""
        return (self.generator,)


Component = Annotated[VAE | GAN, Field(discriminator="kind")]


class Training(Block):
    """How components are trained; a step draws `batch_size` points of the cell for every component."""

    batch_size: PositiveInt
    pretraining_steps: Count  # on the uniform split; 0 starts the rounds from random networks
    steps_per_round: PositiveInt
    standardize: Literal["none", "data", "cells"]  # vectors less the mean and over the deviation, of all or of a cell
    shared_layers: Count  # data-side layers common to all components
    backend: Literal["auto", "stacked", "loop"]


class Scoring(Block):
    """How the points are judged and handed out."""

    kind: Literal["discriminators", "classifier", "bound", "soft_bound"]
    network: Network
    trunk: Literal["separate", "shared"]
    optimizer: Optimizer
    batch_size: PositiveInt
    steps_per_round: PositiveInt
    reset: bool  # new discriminators every round, or carried on
    normalization: Literal["component", "global"]
    assignment: Literal["density", "posterior"]


class Balancing(Block):
    """Load balancing: below `min_share` of N/k points a component trains on its former cell; 0 turns it off."""

    min_share: Share


class Revival(Block):
    """Our remedy: a component below `min_share` of N/k points becomes a copy of an overloaded one."""

    every: PositiveInt  # rounds between revivals
    min_share: Share
    until: PositiveInt  # last round that may start with a revival


class Evaluation(Block):
    """What the trained mixtures are judged with; the same numbers for every model of an experiment."""

    num_samples: PositiveInt  # drawn from every model
    num_bandwidth_samples: PositiveInt  # further model samples that choose the KDE's bandwidth
    num_neighbors: PositiveInt  # of precision and recall
    fid_features: Literal[64, 192, 768, 2048] | None = None  # of the Inception network; null: no FID


class Resources(Block):
    """What one training job asks of Snakemake."""

    gpu: Count | Literal["auto"]  # auto: one where the machine that plans has one
    threads: PositiveInt
    mem_mb: PositiveInt
    runtime: PositiveInt  # minutes


BaselineName = Literal["single", "single_wide", "bagging", "kmeans"]


class Experiment(Block):
    """Everything that decides the files of one experiment, but the number of rounds and of seeds."""

    dataset: str
    components: Annotated[list[Component], Field(min_length=1)]
    training: Training
    scoring: Scoring
    balancing: Balancing
    revival: Revival | None
    baselines: list[BaselineName]
    evaluation: Evaluation
    shards: PositiveInt
    device: Literal["auto", "cpu", "cuda"]

    @property
    def num_components(self) -> int:
        """K, the number of components of all kinds."""
        return sum(component.count for component in self.components)

    @model_validator(mode="after")
    def _check_conflicts(self) -> "Experiment":
        refuse(find_conflicts(self))
        return self


class PlannedExperiment(Experiment):
    """An experiment with what only decides which files are asked for."""

    suite: Literal["default", "paper_scale", "ablations"]
    rounds: Annotated[int, Field(ge=1, le=100_000)]  # a plan of more jobs than these would never be drawn up
    resources: Resources

    def settings(self) -> dict[str, Any]:
        """The part that a job's result depends on: the content of `results/<experiment>/config.json`."""
        return self.model_dump(mode="json", exclude={"suite", "rounds", "resources"})


class Inception(Block):
    """Weights of pytorch-fid's Inception network, read only where an experiment sets `evaluation.fid_features`."""

    path: Annotated[str, Field(min_length=1)] | None  # null: the file that INCEPTION_WEIGHTS names, or else fetched
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]


class Params(Block):
    """The whole of `params.yaml`, with `extends` resolved."""

    seeds: Annotated[int, Field(ge=1, le=10_000)]
    inception: Inception | None = None
    datasets: dict[Name, DatasetSpec]
    experiments: dict[Name, PlannedExperiment]

    @model_validator(mode="after")
    def _check_gaps(self) -> "Params":
        refuse(find_gaps(self))
        return self

    def suite(self, name: str) -> list[str]:
        """Names of the experiments that a target runs."""
        return [key for key, experiment in self.experiments.items() if experiment.suite == name]


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


def read_params(path: Path | str = "params.yaml") -> Params:
    """Read and check `params.yaml`."""
    return load_params(read_yaml(path))
