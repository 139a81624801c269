"""What the competition is compared with: the names of the baselines, and how they are tuned."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from competitive_mixtures.data.spec import measured_in
from competitive_mixtures.settings.blocks import Block
from competitive_mixtures.settings.quantities import Number
from competitive_mixtures.settings.representation import Autoencoder

BaselineName = Literal["single", "single_wide", "bagging", "kmeans", "autoencoder_kmeans", "gaussian_mixture"]

PARTITIONING = ("kmeans", "autoencoder_kmeans", "gaussian_mixture")  # baselines whose parts are compared with labels


def list_protocols(name: str) -> tuple[str, ...]:
    """The protocols that a baseline is trained in.

    A Gaussian mixture takes no training steps. The autoencoder before k-means costs many times the competition, so
    there is no equal compute.
    """
    special: dict[str, tuple[str, ...]] = {"gaussian_mixture": ("-",), "autoencoder_kmeans": ("paper",)}
    return special.get(name, ("paper", "equal_compute"))


class Tuning(Block):
    """How the learning rate and the number of steps of every baseline are chosen.

    Attributes:
        rates: factors of the learning rates that are tried, all rates of a network alike.
        looks: how often each training is scored, at equal distances in each protocol; the best weights are kept.
        held_out: share of the training points that no baseline trains on, and that it is scored on meanwhile: by their
            kernel density, or for images by the classifier's Fréchet distance.
    """

    rates: Annotated[list[Number], Field(min_length=1, max_length=100)]
    looks: Annotated[int, measured_in("looks", ge=1, le=1_000)]
    held_out: Annotated[float, Field(gt=0, lt=1)]


def find_conflicts(
    baselines: Sequence[BaselineName], autoencoder: Autoencoder | None, representation: Autoencoder | None
) -> Iterator[str]:
    """Sentences on baselines that lack a setting, each with its key."""
    if "autoencoder_kmeans" in baselines and autoencoder is None:
        yield "autoencoder: autoencoder_kmeans needs the block of an autoencoder, whose latents it clusters; found null"
    if "autoencoder_kmeans" in baselines and representation is not None:
        yield "baselines: autoencoder_kmeans clusters images; where components model latents kmeans does that already"
