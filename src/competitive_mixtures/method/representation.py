"""The representation of images that all components share: one autoencoder, trained before the competition.

Deviation: the paper lets components share the layers next to the data as another way to give them low-level features
in common. Here they share all of these layers, trained once on all images: the components model the latents and compete
there. In the latents distances mean more than in pixels, and networks of vectors are enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.batches import chunk_length, split_batches, thin_out, to_float
from competitive_mixtures.method.device import find_memory
from competitive_mixtures.method.training import Training, take_steps
from competitive_mixtures.networks.autoencoder import Autoencoder
from competitive_mixtures.seeding import StreamKey, make_generator
from competitive_mixtures.settings import schema
from competitive_mixtures.settings.sizes import find_excesses

POSITION_BYTES = 2**20  # of images' positions, drawn ahead of the steps that use them
NUM_PROBED = 1000  # images by which the deviation is chosen
DECODING_BATCH = 1024  # latents
DEVIATIONS = tuple(2.0**-power for power in range(12))  # tried, in units of the latents' own


def build_autoencoder(
    settings: schema.Autoencoder, shape: tuple[int, ...], seed: int, device: torch.device
) -> Autoencoder:
    """The autoencoder as its training starts.

    Raises:
        UserError: the points are no images, or the network does not fit the memory.
    """
    if len(shape) != 3:
        raise UserError(f"representation: found points of shape {shape}, expected images (c, h, w); use null")
    if excesses := list(find_excesses(settings.list_needs(shape), *find_memory(device))):
        raise UserError("\n".join(excesses))
    return Autoencoder(settings, shape, [make_generator(seed, "representation", "weights")], device=device)


def train_autoencoder(
    settings: schema.Autoencoder, images: Tensor, seed: int, device: torch.device
) -> tuple[Autoencoder, Training]:
    """Train the autoencoder on all images.

    Args:
        settings: of the representation.
        images: (N, c, h, w) uint8.
        seed: of the run.
        device: where to train.

    Returns:
        The autoencoder, and what its training cost.

    Raises:
        UserError: the points are no images, or the network does not fit them or the memory.
        TrainingDivergedError: a loss is not finite or passes `loss_limit`.
    """
    autoencoder = build_autoencoder(settings, tuple(images.shape[1:]), seed, device)
    images = images.to(device)
    batches = draw_images(images, settings.steps, settings.batch_size, (seed, "representation"))
    losses, _ = take_steps(autoencoder, [0], batches, settings.steps, "autoencoder", settings.loss_limit)
    choose_deviation(autoencoder, thin_out(images, NUM_PROBED), seed)
    seen = settings.steps * settings.batch_size
    return autoencoder, Training(losses.cpu(), seen, float(seen * autoencoder.num_parameters))


def draw_images(images: Tensor, num_steps: int, batch_size: int, key: StreamKey) -> Iterator[tuple[Tensor, Tensor]]:
    """A batch (1, batch, c, h, w) in [0, 1] a step, drawn with replacement, twice: what goes in is to come out."""
    stream = make_generator(*key, "train", device=images.device)
    chunk = chunk_length(num_steps, batch_size * 8, POSITION_BYTES)
    for start in range(0, num_steps, chunk):
        length = min(chunk, num_steps - start)
        for positions in torch.randint(len(images), (length, batch_size), generator=stream, device=images.device):
            batch = to_float(images.index_select(0, positions))[None]
            yield batch, batch


def choose_deviation(autoencoder: Autoencoder, images: Tensor, seed: int) -> None:
    """Choose how wide the Gaussian around an image's latents is: what makes the bound of the likelihood largest.

    Of the bound E_q[log p(x|z) + log p(z) - log q(z|x)] the terms that narrow q and those that widen it are looked at;
    the mixture's own density p(z) changes little within q.

    Args:
        autoencoder: trained; its `deviation` is set.
        images: (n, c, h, w) uint8, on its device.
        seed: of the run.
    """
    x = to_float(images)
    latents = autoencoder.encode(x)
    widths = latents.std(0, correction=0).clamp_min(torch.finfo(torch.float32).tiny)
    stream = make_generator(seed, "representation", "deviation", device=images.device)
    noise = torch.randn(latents.shape, generator=stream, dtype=torch.float32, device=images.device)
    bounds = []
    for share in DEVIATIONS:
        autoencoder.deviation.copy_(share * widths)
        likelihood = autoencoder.log_likelihood(x, latents + autoencoder.deviation * noise)
        bounds.append((likelihood - autoencoder.log_encoder_density(noise)).mean())
    best = int(torch.stack(bounds).argmax())
    autoencoder.deviation.copy_(DEVIATIONS[best] * widths)


@dataclass(frozen=True)
class Bound:
    """A lower bound of the log-likelihood of images, but for the mixture's log-density at the latents.

    Attributes:
        latents: (n, d) float32, z drawn from q(z|x).
        likelihood: (n,) float64 in nats, log p(x|z) - log q(z|x).
    """

    latents: np.ndarray
    likelihood: np.ndarray


def bound_images(autoencoder: Autoencoder, images: np.ndarray, stream: torch.Generator) -> Bound:
    """Draw latents for stored images (n, c, h, w), and bound these images' log-likelihood given the latents' density.

    With q any density over latents, log p(x) = log E_q[p(x|z) p(z) / q(z|x)] is at least the mean of the logarithm
    (Kingma & Welling, 2014); q is the Gaussian around the latents that `choose_deviation` has fitted, one draw a point.
    """
    latents, likelihoods = [], []
    for part in split_batches(torch.from_numpy(np.array(images))):
        x = to_float(part.to(autoencoder.device))
        noise = torch.randn(len(x), autoencoder.settings.latent_dim, generator=stream, dtype=torch.float32).to(x.device)
        z = autoencoder.encode(x) + autoencoder.deviation * noise
        likelihoods.append((autoencoder.log_likelihood(x, z) - autoencoder.log_encoder_density(noise)).cpu())
        latents.append(z.cpu())
    return Bound(torch.cat(latents).numpy(), torch.cat(likelihoods).double().numpy())


def encode_images(autoencoder: Autoencoder, images: np.ndarray | Tensor) -> np.ndarray:
    """Latents (n, d) float32 of stored images (n, c, h, w) uint8."""
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.array(images))
    if not len(images):
        return np.empty((0, autoencoder.settings.latent_dim), dtype=np.float32)
    parts = [autoencoder.encode(to_float(part.to(autoencoder.device))).cpu() for part in split_batches(images)]
    return torch.cat(parts).numpy()


def decode_latents(autoencoder: Autoencoder, latents: np.ndarray) -> np.ndarray:
    """Stored images (..., c, h, w) uint8 of latents (..., d) float32."""
    flat = torch.from_numpy(latents).flatten(0, -2)
    images = [
        autoencoder.decode(part.to(autoencoder.device)).mul_(255).round_().to(torch.uint8).cpu()
        for part in flat.split(DECODING_BATCH)
    ]
    return torch.cat(images).numpy().reshape(*latents.shape[:-1], *autoencoder.shape)
