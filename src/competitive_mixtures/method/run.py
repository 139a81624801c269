"""A run: one experiment with one seed, its data in the networks' units and its components; all stages work on one."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.method.device import choose_device, find_memory, warm_up
from competitive_mixtures.method.early_stopping import choose_held_out
from competitive_mixtures.method.representation import decode_latents
from competitive_mixtures.method.scale import Scale
from competitive_mixtures.networks.autoencoder import Autoencoder
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import DensityRatioStack
from competitive_mixtures.networks.ensemble import Ensemble, build_components, build_discriminators
from competitive_mixtures.seeding import derive_seed, make_generators
from competitive_mixtures.settings.schema import Experiment
from competitive_mixtures.settings.sizes import find_excesses

SAMPLING_BATCH = 1000  # samples of every component that are drawn at once
NUM_SNAPSHOTS = {"vector": 256, "image": 16}  # samples of each component that a round keeps for the figures


@dataclass
class Clock:
    """Seconds by phase."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, phase: str) -> Iterator[None]:
        """Add the block's wall time to a phase, also of a block that fails.

        A process's first minute is none of it: what a block needs is imported, and its device warmed up, before.
        """
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start


class Setup:
    """One experiment with one seed for points of one kind and scale, without the points: builds networks and samples.

    Args:
        experiment: the settings.
        kind: of the points, `vector` or `image`.
        shape: of one point, (d,) or (c, h, w).
        scale: between the data's units and the networks'.
        seed: of the run.
        autoencoder: of which the points are latents; samples are then what it decodes. None for points as they are.

    Raises:
        UserError: the settings ask for a GPU and there is none, or for more memory than there is.
    """

    def __init__(
        self,
        experiment: Experiment,
        kind: str,
        shape: Sequence[int],
        scale: Scale,
        seed: int,
        autoencoder: Autoencoder | None = None,
    ) -> None:
        self.experiment, self.kind, self.shape, self.scale, self.seed = experiment, kind, tuple(shape), scale, seed
        self.autoencoder = autoencoder
        self.device = choose_device(experiment.device)
        check_memory(experiment, self.shape, self.device)

    @property
    def gives_images(self) -> bool:
        """Whether samples are images, which those of latents are once they are decoded."""
        return self.kind == "image" or self.autoencoder is not None

    @property
    def log_volume(self) -> float:
        """What log-densities of points in the networks' units lack to those in the data's, in nats."""
        return float(-np.log(self.scale.unit) * self.shape[0]) if self.kind == "vector" else 0.0

    def build_components(self, ids: Sequence[int] | None = None) -> Ensemble[ComponentStack]:
        """Components as they start."""
        return build_components(
            self.experiment, self.shape, self.seed, unit=self.scale.unit, ids=ids, device=self.device
        )

    def build_discriminators(self, born: int, ids: Sequence[int] | None = None) -> Ensemble[DensityRatioStack]:
        """Discriminators as they start in round `born`."""
        key = (self.seed, "discriminators", "round", born)
        return build_discriminators(self.experiment, self.shape, key, ids=ids, device=self.device)

    def draw_mixture(
        self, components: Ensemble[ComponentStack], weights: Sequence[float], num_samples: int, *names: object
    ) -> tuple[np.ndarray, np.ndarray]:
        """Samples of the mixture: component j with probability alpha_j, then a sample of it.

        As many of each component as are kept, so that one that won most of the points makes no other one work more.

        Args:
            components: trained.
            weights: (k,), alpha up to a factor.
            num_samples: n.
            names: of the random streams.

        Returns:
            (n, *shape) as the data are stored, latents decoded, in random order, and (n,) int16, the component of each.
        """
        random = np.random.default_rng(derive_seed(self.seed, *names))
        share = np.array(weights)
        chosen = random.choice(len(share), size=num_samples, p=share / share.sum()).astype(np.int16)
        shape = self.shape if self.autoencoder is None else self.autoencoder.shape
        samples = np.empty((num_samples, *shape), np.uint8 if self.gives_images else np.float32)
        streams = make_generators(self.seed, *names, components=components.ids, device=self.device)
        for j, stream in zip(components.ids, streams, strict=True):
            places = np.flatnonzero(chosen == j)
            if len(places):
                alone = components.take([j])  # a stack would draw equally many of each of its components
                for batch in np.split(places, range(SAMPLING_BATCH, len(places), SAMPLING_BATCH)):
                    samples[batch] = self.to_stored(alone.sample([j], [stream], len(batch)))[0]
        return samples, chosen

    def draw_samples(self, components: Ensemble[ComponentStack], num_samples: int, *names: object) -> np.ndarray:
        """Samples (k, num_samples, *shape) of every component as the data are stored: float32 vectors, uint8 images.

        Latents are decoded.
        """
        streams = make_generators(self.seed, *names, components=components.ids, device=self.device)
        sizes = [min(SAMPLING_BATCH, num_samples - start) for start in range(0, num_samples, SAMPLING_BATCH)]
        parts = [self.to_stored(components.sample(components.ids, streams, size)) for size in sizes]
        return np.concatenate(parts, axis=1)

    def to_stored(self, samples: Tensor) -> np.ndarray:
        """What networks give, as the data are stored."""
        if self.kind == "image":
            return samples.clamp(0, 1).mul_(255).round_().to(torch.uint8).cpu().numpy()
        vectors = self.scale.invert(samples.cpu().numpy())
        return vectors if self.autoencoder is None else decode_latents(self.autoencoder, vectors)


class Run(Setup):
    """One experiment with one seed: its settings, its data on the device, and a clock.

    Args:
        experiment: the settings.
        dataset: prepared data.
        seed: of the run.
        scale: of the points; None fits one where the settings ask for it.
        autoencoder: of which the data are latents, or None.

    Attributes:
        train: (N, *shape), float32 in the networks' units, or uint8 images.
        test: (M, *shape), alike.
        held_out: (N,) bool, training points that stop a training early, see `EarlyStopping`; None where none does.
        clock: seconds by phase.

    Raises:
        UserError: the settings do not fit the data or the machine.
    """

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        seed: int,
        *,
        scale: Scale | None = None,
        autoencoder: Autoencoder | None = None,
    ) -> None:
        standardizes = experiment.training.standardize != "none" and dataset.kind == "vector"  # images enter in [0, 1]
        check_likelihoods(experiment, dataset, standardizes)
        self.dataset, self.clock = dataset, Clock()
        warm_up(choose_device(experiment.device), convolves=dataset.kind == "image")
        with self.clock.time("load"):
            if scale is None:
                scale = Scale.fit(dataset.train) if standardizes else Scale()
            super().__init__(experiment, dataset.kind, dataset.shape, scale, seed, autoencoder)
            self.train = self.scale.apply(dataset.train).to(self.device)
            self.test = self.scale.apply(dataset.test).to(self.device)
        held_out = choose_held_out(len(self.train), experiment.training.held_out, (seed,))
        self.held_out = None if held_out is None else held_out.to(self.device)

    def with_experiment(self, experiment: Experiment) -> "Run":
        """The same points and seed with other components, say a baseline's, and a clock of its own."""
        other = copy(self)
        other.experiment, other.clock = experiment, Clock()
        return other

    @property
    def kinds(self) -> list[int]:
        """For every component the number of its block in `components`."""
        return [block for block, c in enumerate(self.experiment.components) for _ in range(c.count)]

    def without_points(self) -> Setup:
        """The setup alone, for what outlives the training."""
        return Setup(self.experiment, self.kind, self.shape, self.scale, self.seed, self.autoencoder)

    def draw_snapshots(self, components: Ensemble[ComponentStack], *names: object) -> np.ndarray:
        """A few samples of every component, in the data's units, images as uint8."""
        number = NUM_SNAPSHOTS["image" if self.gives_images else "vector"]
        return self.draw_samples(components, number, *names, "snapshot")


def check_likelihoods(experiment: Experiment, dataset: Dataset, standardizes: bool) -> None:
    """Refuse a Bernoulli likelihood for points outside of [0, 1], of which it can grow without bound.

    Raises:
        UserError: names the setting.
    """
    bernoulli = any(c.kind == "vae" and c.likelihood.kind == "bernoulli" for c in experiment.components)
    if bernoulli and dataset.kind == "vector":
        low, high = float(dataset.train.min()), float(dataset.train.max())
        if low < 0 or high > 1 or standardizes:
            raise UserError(
                f"components.likelihood.kind: bernoulli needs points in [0, 1] and training.standardize: none; "
                f"found {dataset.name} from {low:g} to {high:g}; use gaussian"
            )


def check_memory(experiment: Experiment, shape: Sequence[int], device: torch.device) -> None:
    """Refuse what this machine cannot hold, before it tries to.

    Raises:
        UserError: names the settings and how much memory they need.
    """
    if excesses := list(find_excesses(experiment.list_needs(shape), *find_memory(device))):
        raise UserError("\n".join(excesses))


def check_sizes(experiment: Experiment, dataset: Dataset) -> None:
    """Refuse data too small for the evaluation, before hours of training lead to it.

    Raises:
        UserError: names the settings and the numbers of points.
    """
    settings, needed = experiment.evaluation, experiment.evaluation.num_neighbors + 1
    drawn = settings.num_samples + settings.num_bandwidth_samples
    # true samples are scored as a model's are: a part of the training points, in proportion, finds the bandwidth
    compared = (
        len(dataset.train) * settings.num_samples // drawn if len(dataset.train) < drawn else settings.num_samples
    )
    if dataset.kind == "vector" and not needed <= compared < len(dataset.train):
        raise UserError(
            f"{dataset.name}: {len(dataset.train)} training points are too few for evaluation.num_neighbors = "
            f"{needed - 1} with num_samples and num_bandwidth_samples in the ratio {settings.num_samples}:"
            f"{settings.num_bandwidth_samples}; take more points"
        )
    reference = min(settings.num_samples, len(dataset.test))
    if dataset.kind == "image" and reference <= (settings.fid_features or 0):
        raise UserError(
            f"{dataset.name}: {reference} test images are too few for evaluation.fid_features = "
            f"{settings.fid_features}; expected more images than features: take more, or a larger test_fraction"
        )
    if len(dataset.test) < needed:
        raise UserError(
            f"{dataset.name}: {len(dataset.test)} test points are too few for evaluation.num_neighbors = {needed - 1}; "
            f"expected at least {needed}: take more points, or a larger test_fraction"
        )
