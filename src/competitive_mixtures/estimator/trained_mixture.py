"""A trained mixture in memory: who wins a point, how likely it is, samples; kept as one safetensors file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.kernel_density import log_kernel_density
from competitive_mixtures.evaluation.likelihood import fit_bandwidth
from competitive_mixtures.files.formats import take_named
from competitive_mixtures.method import assignment
from competitive_mixtures.method.pytorch_settings import borrow_pytorch
from competitive_mixtures.method.representation import bound_images, build_autoencoder, encode_images
from competitive_mixtures.method.rounds import Outcome
from competitive_mixtures.method.run import Setup
from competitive_mixtures.method.scale import Scale
from competitive_mixtures.method.scoring import log_mixture, log_scores, score, score_by_importance
from competitive_mixtures.networks.autoencoder import Autoencoder
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import DensityRatioStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.networks.vae import OFFSET_DRAWS
from competitive_mixtures.seeding import make_generator

DENSITY_DRAWS = 64  # of the latents, behind a density: from 16 on the bound of two-column data rises by 0.01 nats


@dataclass(frozen=True, eq=False)
class TrainedMixture:
    """The components and the discriminators of a competition's last round.

    Attributes:
        setup: settings, kind and scale of the data.
        components: the generative models.
        discriminators: the discriminators that scored the points; None where likelihood bounds did.
        normalizers: (k,), log Z_j over the training points.
        prior: (k,), the weights that the points were assigned with.
        weights: (k,), alpha, the shares of the points that each component won.
    """

    setup: Setup
    components: Ensemble[ComponentStack]
    discriminators: Ensemble[DensityRatioStack] | None
    normalizers: Tensor
    prior: np.ndarray
    weights: np.ndarray

    @classmethod
    def from_round(cls, setup: Setup, outcome: Outcome) -> "TrainedMixture":
        """The mixture that a round of all components leaves."""
        state, record = outcome.state, outcome.record
        weights = np.array(record["weights"])
        return cls(setup, state.components, state.discriminators, outcome.normalizers, outcome.prior, weights)

    def log_scores(self, points: Tensor) -> Tensor:
        """What the components compete with for points in the networks' units, (n, *shape), as (n, k) float32.

        By the last round's discriminators, or by VAEs' bounds with draws that are the same for all points. In a round
        each point has a draw of its own, and its winner goes by its place among them.
        """
        if self.discriminators is None:
            ratios = score_by_importance(self.components, points, OFFSET_DRAWS, dtype=torch.float32)
        else:
            key = (self.setup.seed,)  # discriminators draw nothing
            ratios = score(self.components, self.discriminators, points, key)
        return log_scores(ratios, self.normalizers, self.prior, self.setup.experiment.scoring)

    def assign(self, points: np.ndarray) -> np.ndarray:
        """The winner of each stored point, (n, *shape), as (n,) int64."""
        return assignment.assign(self.log_scores(self._enter(points))).winner.astype(np.int64)

    def responsibilities(self, points: np.ndarray) -> np.ndarray:
        """The softmax of the scores of stored points, (n, k) float64."""
        return softmax(self.log_scores(self._enter(points)).double().numpy(), axis=1)

    def copy_networks(self) -> tuple[Ensemble[ComponentStack], Ensemble[DensityRatioStack] | None]:
        """Components and discriminators of their own, Adam's state included."""
        components = self.setup.build_components()
        components.load(self.components.state())
        if self.discriminators is None:
            return components, None
        discriminators = self.setup.build_discriminators(0)
        discriminators.load(self.discriminators.state())
        return components, discriminators

    def sample(self, num_samples: int, *names: object) -> tuple[np.ndarray, np.ndarray]:
        """Stored samples (n, *shape) in random order and their components (n,); see `Setup.draw_mixture`."""
        return self.setup.draw_mixture(self.components, self.weights.tolist(), num_samples, *names)

    def sample_each(self, num_samples: int, *names: object) -> np.ndarray:
        """Stored samples of every component, (k, num_samples, *shape)."""
        return self.setup.draw_samples(self.components, num_samples, *names)

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Log-density of stored points, (n,) float64 in nats.

        VAEs: log sum_j alpha_j exp(b_j(x)), with b_j the importance-weighted bound of VAE j, so a lower bound itself.
        Vectors of GANs: a Gaussian kernel density estimate on samples of the mixture.

        Raises:
            UserError: images of GANs, which have no density.
        """
        if any(component.kind != "vae" for component in self.setup.experiment.components):
            if self.setup.kind == "image" or self.setup.autoencoder is not None:
                raise UserError(
                    "score_samples: images of GANs have no density; use component='vae', or compare samples"
                )
            centres, bandwidth = self.kernels
            return log_kernel_density(points, centres, np.array([bandwidth]))[0]
        if self.setup.autoencoder is not None:
            return self._bound_through_decoder(self.setup.autoencoder, points)
        return self._log_mixture(self._enter(points))

    def _bound_through_decoder(self, autoencoder: Autoencoder, points: np.ndarray) -> np.ndarray:
        """The bound of images whose latents the components model; see `bound_images`."""
        stream = make_generator(self.setup.seed, "log density", "latents")
        drawn = bound_images(autoencoder, points, stream)
        return drawn.likelihood + self._log_mixture(self.setup.scale.apply(drawn.latents).to(self.setup.device))

    def _log_mixture(self, points: Tensor) -> np.ndarray:
        """`log_mixture` of points in the networks' units, (n,) float64, in the data's."""
        return log_mixture(self.components, points, self.weights, DENSITY_DRAWS) + self.setup.log_volume

    @cached_property
    def kernels(self) -> tuple[np.ndarray, float]:
        """Samples (m, d) in the data's units that a density of vectors is estimated from, and the bandwidth."""
        size = self.setup.experiment.evaluation.num_samples
        further = self.setup.experiment.evaluation.num_bandwidth_samples
        samples, _ = self.sample(size + further, "evaluate", "competitive", "-")
        return samples[:size], fit_bandwidth(samples[:size], samples[size:])[0]

    def metadata(self) -> dict[str, Any]:
        """What `restore` needs besides the tensors, ready for JSON."""
        setup = self.setup
        return {
            "experiment": setup.experiment.model_dump(mode="json"),
            "kind": setup.kind,
            "shape": list(setup.shape),
            "unit": setup.scale.unit,
            "seed": setup.seed,
            "image_shape": None if setup.autoencoder is None else list(setup.autoencoder.shape),
        }

    def tensors(self) -> dict[str, Tensor]:
        """Everything learned, by name; without Adam's state."""
        tensors = {
            "normalizers": self.normalizers,
            "mean": torch.from_numpy(np.array(self.setup.scale.mean, np.float32)),
        }
        tensors |= {"prior": torch.from_numpy(self.prior), "weights": torch.from_numpy(self.weights)}
        for role, networks in (("components", self.components), ("discriminators", self.discriminators)):
            weights = {} if networks is None else networks.weights()
            tensors |= {f"{role}.{name}": tensor for name, tensor in weights.items()}
        if self.setup.autoencoder is not None:
            weights = self.setup.autoencoder.weights()
            tensors |= {f"representation.{name}": tensor for name, tensor in weights.items()}
        return tensors

    @classmethod
    def restore(cls, metadata: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "TrainedMixture":
        """The mixture that `metadata` and `tensors` were taken from.

        Raises:
            UserError: they do not belong together.
        """
        from competitive_mixtures.settings.messages import validate
        from competitive_mixtures.settings.schema import Experiment

        experiment = validate(Experiment, metadata["experiment"], "experiment")
        mean = tensors["mean"].numpy()
        scale = Scale(mean if mean.ndim else float(mean), metadata["unit"])
        setup = Setup(experiment, metadata["kind"], metadata["shape"], scale, metadata["seed"])
        check_tensors(setup, tensors)
        setup.autoencoder = restore_autoencoder(setup, metadata["image_shape"], take_named(tensors, "representation."))
        components, discriminators = setup.build_components(), None
        components.load_weights(take_named(tensors, "components."))
        if not experiment.scoring.uses_bounds:
            discriminators = setup.build_discriminators(0)
            discriminators.load_weights(take_named(tensors, "discriminators."))
        prior, weights = (tensors[name].numpy() for name in ("prior", "weights"))
        return cls(setup, components, discriminators, tensors["normalizers"], prior, weights)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle or a copy keeps: as much as a saved file, and not Adam's state and the networks' workspace."""
        with borrow_pytorch(1):
            return {"metadata": self.metadata(), "tensors": self.tensors()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the networks anew."""
        with borrow_pytorch(1):
            vars(self).update(vars(type(self).restore(state["metadata"], state["tensors"])))

    def _enter(self, points: np.ndarray) -> Tensor:
        if self.setup.autoencoder is not None:
            points = encode_images(self.setup.autoencoder, points)
        return self.setup.scale.apply(points).to(self.setup.device)


def restore_autoencoder(setup: Setup, shape: Sequence[int] | None, tensors: Mapping[str, Tensor]) -> Autoencoder | None:
    """The autoencoder of images of this shape, (c, h, w), with these weights; None where the settings ask for none."""
    settings = setup.experiment.representation
    if settings is None or shape is None:
        return None
    check_weights(tensors, settings.list_weights(shape))
    autoencoder = build_autoencoder(settings, tuple(shape), setup.seed, setup.device)
    autoencoder.load_weights(tensors)
    return autoencoder


def check_tensors(setup: Setup, tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors that are too few for the settings, before networks of the settings' size are made.

    Raises:
        UserError: says how many weights are there and how many the settings ask for.
    """
    networks = {name: t for name, t in tensors.items() if name.startswith(("components.", "discriminators."))}
    check_weights(networks, setup.experiment.list_weights(setup.shape))
    k = setup.experiment.num_components
    for name in ("prior", "weights"):
        if tensors[name].shape != (k,):
            raise UserError(f"{name}: damaged (shape {list(tensors[name].shape)} for {k}); save the estimator anew")


def check_weights(tensors: Mapping[str, Tensor], weights: Iterable[tuple[str, int]]) -> None:
    """Refuse tensors that hold fewer numbers than there are weights, by keys of the settings.

    Raises:
        UserError: says how many are there and how many the settings ask for.
    """
    found, expected = sum(tensor.numel() for tensor in tensors.values()), sum(count for _, count in weights)
    if found < expected:
        raise UserError(
            f"damaged (the settings' networks have at least {expected} weights, the tensors hold {found}); save the "
            "estimator anew"
        )
