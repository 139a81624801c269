"""The ways to score which component could have produced a point."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from competitive_mixtures.settings.blocks import Block
from competitive_mixtures.settings.components import Component, Network, Optimizer
from competitive_mixtures.settings.quantities import Points, Rounds, Steps

Assigning = Literal["density", "posterior"]


class DensityRatios(Block):
    """What the networks that tell real points from samples have in common.

    Attributes:
        network: layers of a discriminator, or of the classifier.
        optimizer: Adam for them.
        batch_size: real points, and samples of each component, in one step.
        steps_per_round: training steps in every round.
        reset: whether every round starts with new networks; `false` carries them on from round to round.
        normalization: whether the density ratios are normalised over the training points for each `component`, as in
            the paper's text, or over points and components (`global`), as in the authors' code.
        assignment: what a point goes by: each component's `density`, or the `posterior`, which weighs the density by
            the component's mixture weight.
    """

    uses_bounds: ClassVar[Literal[False]] = False

    kind: str
    network: Network
    optimizer: Optimizer
    batch_size: Points
    steps_per_round: Steps
    reset: bool
    normalization: Literal["component", "global"]
    assignment: Assigning

    @property
    def keeps_networks(self) -> bool:
        """Whether the networks of a round are trained on in the next one."""
        return not self.reset


class Discriminators(DensityRatios):
    """The paper's way: for each component a discriminator that tells its samples from the real points.

    Attributes:
        trunk: whether each discriminator has `separate` hidden layers or all have `shared` ones.
        full_every: rounds from one in which every component scores every point to the next; in those between a point
            is scored by its winner and its runner-up in the last of these only (ours). 1 scores all in every round.
    """

    kind: Literal["discriminators"]
    trunk: Literal["separate", "shared"]
    full_every: Rounds = 1

    @model_serializer(mode="wrap")
    def _leave_out_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The settings that are written stay those of runs from before the key was there."""
        written = dump(self)
        return {key: value for key, value in written.items() if (key, value) != ("full_every", 1)}

    def find_conflicts(self, components: Sequence[Component], shards: int) -> Iterator[str]:
        """Sentences on what these settings ask of an experiment's components and shards, each with its key."""
        if shards > 1 and self.trunk == "shared":
            yield "trunk: discriminators that share their trunk train in one job; use shards: 1"
        if self.full_every > 1 and self.trunk == "shared":
            yield (
                f"full_every: found {self.full_every} with trunk: shared, which gives all scores at once; expected 1, "
                "or trunk: separate"
            )
        number = sum(component.count for component in components)
        if self.full_every > 1 and number < 3:
            yield (
                f"full_every: found {self.full_every} with {number} components, of which none could be left out; "
                "expected 1, or 3 components and more"
            )


class Classifier(DensityRatios):
    """One classifier in the place of the discriminators: a class for each component's samples, one of real points."""

    kind: Literal["classifier"]

    def find_conflicts(self, components: Sequence[Component], shards: int) -> Iterator[str]:
        """As for `Discriminators`."""
        if shards > 1:
            yield "kind: one classifier scores all components; use shards: 1"


class OffsetClassifier(DensityRatios):
    """Ours: the classifier learns only what the components' own densities miss, a VAE's bound or a GAN's Gaussian.

    Attributes:
        weight_decay: of the network's weights in one step, in learning rates.
    """

    kind: Literal["offset_classifier"]
    weight_decay: Annotated[float, Field(ge=0, le=100)]

    def find_conflicts(self, components: Sequence[Component], shards: int) -> Iterator[str]:
        """As for `Discriminators`."""
        if shards > 1:
            yield "kind: one classifier scores all components; use shards: 1"


class EvidenceBounds(Block):
    """What the two ways to score by each VAE's evidence bound have in common.

    Attributes:
        assignment: what a point goes by: the `density` that a component's bound stands for, or the `posterior`, which
            weighs the density by the component's mixture weight.
    """

    uses_bounds: ClassVar[Literal[True]] = True
    keeps_networks: ClassVar[Literal[False]] = False

    kind: str
    assignment: Assigning

    def find_conflicts(self, components: Sequence[Component], shards: int) -> Iterator[str]:
        """As for `Discriminators`."""
        if any(component.kind != "vae" for component in components):
            yield f"kind: {self.kind} needs a likelihood bound, which only VAEs have"


class Bound(EvidenceBounds):
    """Likelihood EM with hard assignments: each VAE's evidence bound in the place of discriminators."""

    kind: Literal["bound"]


class SoftBound(EvidenceBounds):
    """Likelihood EM with soft assignments: by evidence bounds, each component's cell drawn by responsibility."""

    kind: Literal["soft_bound"]

    def find_conflicts(self, components: Sequence[Component], shards: int) -> Iterator[str]:
        """As for `Discriminators`."""
        yield from super().find_conflicts(components, shards)
        if shards > 1:
            yield "kind: soft_bound trains every component on all points; use shards: 1"


Scoring = Annotated[Discriminators | Classifier | OffsetClassifier | Bound | SoftBound, Field(discriminator="kind")]


def count_cycle(scoring: Scoring) -> int:
    """Rounds from one in which every component scores every point to the next."""
    return scoring.full_every if scoring.kind == "discriminators" else 1


def find_last_round_conflicts(scoring: Scoring, last: int) -> Iterator[str]:
    """A sentence where the last round would not be one in which every component scores every point, without a key."""
    every = count_cycle(scoring)
    if last % every:
        near = " or ".join(str(number) for number in (last - last % every, last + every - last % every) if number)
        yield (
            f"found {last}, expected a multiple of scoring.full_every = {every}, so that all components score in the "
            f"last round; use {near}"
        )
