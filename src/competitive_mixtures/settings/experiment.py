"""One experiment of `params.yaml`: what is trained on which data, how long, and what it is compared with."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from competitive_mixtures.data.spec import measured_in
from competitive_mixtures.settings import baselines as rivals
from competitive_mixtures.settings.baselines import BaselineName, Tuning
from competitive_mixtures.settings.blocks import Block
from competitive_mixtures.settings.components import Component
from competitive_mixtures.settings.messages import refuse
from competitive_mixtures.settings.quantities import MAX_STEPS, Layers, Points, Rounds, Samples, Share, Steps
from competitive_mixtures.settings.representation import Autoencoder
from competitive_mixtures.settings.scoring import Scoring, find_last_round_conflicts
from competitive_mixtures.settings.sizes import (
    BYTES_PER_WEIGHT,
    FLOAT_BYTES,
    LARGEST_MACHINE,
    count_component_weights,
    count_weights,
    find_excesses,
)

Start = Literal["uniform", "kmeans", "gaussians"]
Device = Literal["auto", "cpu", "cuda"]


class Training(Block):
    """How components are trained.

    Attributes:
        batch_size: points of its cell that a component draws in one step.
        init: the partition whose parts the components are pretrained on: the paper's random split (`uniform`), the
            clusters of `kmeans`, or of a mixture of `gaussians` with as many as the data ask for, joined to at most k
            parts, without columns of codes (where half of the columns are codes, or mostly one value, the clusters of
            k-means).
        pretraining_steps: steps of every component on its part of that partition; 0 starts the rounds from random
            networks.
        steps_per_round: steps of every component in every round.
        held_out: share of the training points that no component trains on, but in cells that have too few of them; they
            stop a VAE's training early, which keeps the weights under which they are most likely. 0 takes all steps on
            all points.
        standardize: whether vectors are standardised, by mean and standard deviation of all `data`, or for each
            component by those of its own cell (`cells`), or by mean and covariance of its own cell (`covariances`,
            shrunk as held-out points ask for).
        shared_layers: layers next to the data that all components have in common.
        backend: whether the components train in one `stacked` step or one after the other in a `loop`; `auto` takes the
            faster one.
    """

    batch_size: Points
    init: Start = "uniform"
    pretraining_steps: Annotated[int, measured_in("steps", ge=0, le=MAX_STEPS)]
    steps_per_round: Steps
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.0
    standardize: Literal["none", "data", "cells", "covariances"]
    shared_layers: Layers
    backend: Literal["auto", "stacked", "loop"]


class Balancing(Block):
    """Load balancing: a component with too few points trains on its former cell.

    Attributes:
        min_share: share of N/k points below which a component has too few; 0 turns load balancing off.
    """

    min_share: Share


class Exploration(Block):
    """Epsilon-greedy cells: with some chance a point trains another component than its winner's, drawn uniformly.

    Without it expectation-maximisation with flexible components stalls, since each reproduces the cell that it has
    (GANMM; Yu & Zhou, IJCAI 2018). The table of winners is unaffected.

    Attributes:
        share: chance of a point in round 0, epsilon.
        decay: factor of that chance from round to round.
    """

    share: Annotated[float, Field(gt=0, lt=1)]
    decay: Annotated[float, Field(gt=0, le=1)]


class Revival(Block):
    """Our remedy for spare components: one becomes a copy of another, where that makes the cells narrower.

    Attributes:
        every: rounds between revivals.
        min_share: share of N/k points below which a component is spare, as is one of two on the same points.
        until: the last round that may start with a revival, so that the mixture settles afterwards.
    """

    every: Rounds
    min_share: Share
    until: Rounds


class Evaluation(Block):
    """How trained mixtures are scored; the same numbers hold for every model of an experiment.

    Attributes:
        num_samples: samples that are drawn from every model.
        num_bandwidth_samples: further samples that choose the bandwidth of a kernel density estimate.
        num_neighbors: nearest neighbours within which precision and recall look for a point.
        fid_features: size of the Inception network's layer whose features give FID; `null` for no FID.
    """

    num_samples: Samples
    num_bandwidth_samples: Samples
    num_neighbors: Annotated[int, measured_in("neighbours", ge=1, le=10_000)]
    fid_features: Literal[64, 192, 768, 2048] | None = Field(default=None, json_schema_extra={"unit": "features"})

    @property
    def num_drawn(self) -> int:
        """Samples that a model is scored by, those for the bandwidth included."""
        return self.num_samples + self.num_bandwidth_samples

    def find_conflicts(self) -> Iterator[str]:
        """Sentences on what these settings ask of each other, each with its key."""
        if self.num_samples <= self.num_neighbors:
            yield "num_samples: expected more samples than num_neighbors"
        if self.num_samples <= (self.fid_features or 0):
            yield "num_samples: expected more samples than fid_features"


class Resources(Block):
    """What one training job asks of Snakemake.

    Attributes:
        gpu: GPUs; `auto` asks for one where the machine that plans has one.
        threads: CPU threads.
        mem_mb: memory of the machine.
        runtime: time until a cluster may end the job.
    """

    gpu: Annotated[int, measured_in("GPUs", ge=0, le=1_000)] | Literal["auto"]
    threads: Annotated[int, measured_in("threads", ge=1, le=1_000)]
    mem_mb: Annotated[int, measured_in("MB", ge=1, le=1_000_000_000)]
    runtime: Annotated[int, measured_in("minutes", ge=1, le=1_000_000)]


def _has_fixed_variance(component: Component) -> bool:
    if component.kind != "vae" or component.likelihood.kind != "gaussian":
        return False
    return component.likelihood.variance != "learned"


class Experiment(Block):
    """Everything that decides the files of one experiment, but the number of rounds and of seeds.

    Attributes:
        dataset: name of a data set of this file.
        components: what competes, in one or several shapes and kinds.
        training: how components are trained.
        scoring: how the components compete for the points.
        balancing: what happens to a component that wins too few points.
        revival: what happens to spare components; `null` leaves them as they are.
        baselines: what the competition is compared with: one model, one of three times the width, models on the parts
            of a random split, models on the clusters of k-means, models on the clusters of k-means in an autoencoder's
            latents, and a mixture of Gaussians, which needs no networks.
        evaluation: how trained mixtures are scored.
        representation: what components see of images: the latents of an autoencoder that all of them share, in which
            they compete and whose decoder makes images of their samples; `null` for the images themselves.
        autoencoder: the one in whose latents `autoencoder_kmeans` looks for clusters; its networks model images.
        exploration: points that train another component than the one that won them; `null` for none.
        tuning: how the learning rate and the steps of baselines are chosen; `null` takes the components' learning rate
            and all steps.
        equal_compute: what baselines at equal compute may spend: what the competition spent on `training`, or on `all`,
            scoring and sampling included, where a forward pass alone counts a third of a training step's.
        shards: jobs among which the components of a round are divided.
        device: where networks are trained; `auto` takes a GPU where there is one.
    """

    dataset: str
    components: Annotated[list[Component], Field(min_length=1, max_length=1_000)]
    training: Training
    scoring: Scoring
    balancing: Balancing
    revival: Revival | None
    baselines: list[BaselineName]
    evaluation: Evaluation
    shards: Annotated[int, measured_in("jobs", ge=1, le=10_000)]
    device: Device
    representation: Autoencoder | None = None
    autoencoder: Autoencoder | None = None
    exploration: Exploration | None = None
    tuning: Tuning | None = None
    equal_compute: Literal["training", "all"] = "training"

    @property
    def num_components(self) -> int:
        """K, the number of components of all kinds."""
        return sum(component.count for component in self.components)

    def list_weights(self, shape: Sequence[int]) -> Iterator[tuple[str, int]]:
        """At least how many weights the components of each block have, and the discriminators, by their keys.

        Args:
            shape: of a data point, (d,) or (c, h, w).
        """
        for number, component in enumerate(self.components):
            count = 1 if self.training.shared_layers else component.count
            yield f"components.{number}", count * count_component_weights(component, shape)
        scoring = self.scoring
        if not scoring.uses_bounds:
            separate = scoring.kind == "discriminators" and scoring.trunk == "separate"
            networks = self.num_components if separate else 1
            yield "scoring.network", networks * count_weights(scoring.network, 1, shape)

    def list_needs(self, shape: Sequence[int] = (1,)) -> Iterator[tuple[str, int]]:
        """At least how many bytes of memory a training takes, by the keys that decide it.

        Args:
            shape: of a data point; the smallest one where the data are not known yet.
        """
        point = prod(shape)
        for key, weights in self.list_weights(shape):
            yield key, BYTES_PER_WEIGHT * weights
        yield "training.batch_size", FLOAT_BYTES * self.training.batch_size * point
        yield "evaluation.num_samples", self.evaluation.num_samples * point  # images have a byte for each number
        if not self.scoring.uses_bounds:
            yield "scoring.batch_size", FLOAT_BYTES * self.scoring.batch_size * point

    def find_conflicts(self) -> Iterator[str]:
        """Sentences on settings that are sound one by one and not together, each with its key."""
        if self.shards > self.num_components:
            yield f"shards: {self.shards} is more than the {self.num_components} components"
        yield from (f"training.{conflict}" for conflict in self._find_sharing_conflicts())
        yield from (f"training.{conflict}" for conflict in self._find_bound_conflicts())
        yield from (f"scoring.{conflict}" for conflict in self.scoring.find_conflicts(self.components, self.shards))
        if len(self.components) > 1 and self.baselines:
            yield "baselines: a mixed competition has no baseline of the same family; use []"
        yield from rivals.find_conflicts(self.baselines, self.autoencoder, self.representation)
        if self.exploration is not None and self.scoring.kind == "soft_bound":
            yield "exploration: soft_bound draws the cells by responsibility already; use null"
        yield from (f"evaluation.{conflict}" for conflict in self.evaluation.find_conflicts())
        if self.representation is not None:
            yield from self.representation.find_conflicts(self.components)
            if not self.scoring.uses_bounds and self.scoring.network.kind == "conv":
                yield "scoring.network.kind: latents are no images; expected mlp, or representation: null"
            yield from find_excesses(self.representation.list_needs((1, 1, 1)), LARGEST_MACHINE, "the largest machine")
        yield from find_excesses(self.list_needs(), LARGEST_MACHINE, "the largest machine")

    def _find_bound_conflicts(self) -> Iterator[str]:
        if self.training.held_out and any(component.kind != "vae" for component in self.components):
            yield "held_out: only VAEs have a bound that stops their training early; use 0"
        if self.training.held_out and self.training.shared_layers:
            yield "held_out: components that share layers cannot stop one by one; use 0, or shared_layers: 0"
        if self.training.standardize == "covariances" and any(_has_fixed_variance(c) for c in self.components):
            yield "standardize: covariances have no unit that a fixed likelihood.variance could keep; use learned"

    def _find_sharing_conflicts(self) -> Iterator[str]:
        shared = self.training.shared_layers
        if shared and (self.shards > 1 or self.training.backend == "loop"):
            yield "shared_layers: components that share layers train in one stacked job"
        networks = [network for component in self.components for network in component.shareable_networks]
        num_layers = min((len(network.widths) for network in networks), default=0) + 1
        if shared >= num_layers:
            yield f"shared_layers: {shared} of {num_layers} layers leave the components none of their own"

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> "Experiment":
        refuse(self.find_conflicts())
        return self


class PlannedExperiment(Experiment):
    """An experiment of the file: its settings, and what only decides which files are asked for.

    Attributes:
        extends: the experiment whose settings this one takes over where it says nothing else. Mappings merge key by
            key, and one that changes its `kind` takes over only what the new kind knows; lists are replaced. An
            ablation is compared with the experiment that it extends.
        suite: the target of Snakemake that runs it: `all` (the `default` experiments, and those of `claims`: variations
            that the criteria of claims need, which the report shows as ablations), `authors` (the paper's method at the
            authors' settings), `paper_scale`, `ablations` or `demo`, whose experiments run with seed 0 only and are no
            part of the report.
        rounds: number of rounds after round 0, which only scores the pretrained components.
        draws: among how many draws of the data, where these are drawn here, and trainings of the classifier that scores
            images the seeds change: seed s takes number s modulo `draws`. Intervals over seeds then cover these too.
        resources: what one training job asks of Snakemake.
    """

    extends: str | None = None
    suite: Literal["default", "claims", "authors", "paper_scale", "ablations", "demo"]
    rounds: Annotated[int, measured_in("rounds", ge=1, le=100_000)]  # no plan of more jobs would ever be drawn up
    draws: Annotated[int, measured_in("draws", ge=1, le=1_000)] = 1
    resources: Resources

    def find_conflicts(self) -> Iterator[str]:
        """As for `Experiment`, and the number of rounds."""
        yield from super().find_conflicts()
        yield from (f"rounds: {conflict}" for conflict in find_last_round_conflicts(self.scoring, self.rounds))

    def settings(self) -> dict[str, Any]:
        """The part that a job's result depends on: the content of `results/settings/<experiment>.json`."""
        return self.model_dump(mode="json", exclude={"extends", "suite", "rounds", "draws", "resources"})
