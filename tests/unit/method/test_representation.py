"""The representation: what its training leaves, and how images pass through it."""

import math

import numpy as np
import pytest
import torch
from examples import ADAM, CONV, make_images
from scipy.special import logsumexp

from competitive_mixtures.errors import TrainingDivergedError, UserError
from competitive_mixtures.method import representation
from competitive_mixtures.settings.schema import Autoencoder

CPU = torch.device("cpu")
IMAGES = make_images().train
SHAPE = IMAGES.shape[1:]
WIDE = {"kind": "mlp", "hidden": [32]}
BLOCK = {
    "kind": "autoencoder",
    "latent_dim": 2,
    "encoder": WIDE,
    "decoder": WIDE,
    "optimizer": ADAM,
    "batch_size": 16,
    "steps": 60,
    "loss_limit": 1.0e6,
}


def train(seed=0, images=IMAGES, **changes):
    settings = Autoencoder.model_validate(BLOCK | changes)
    return representation.train_autoencoder(settings, torch.from_numpy(images), seed, CPU)


@pytest.fixture(scope="module")
def trained():
    return train()


def test_training_lowers_the_loss_and_counts_its_cost(trained):
    autoencoder, cost = trained
    assert float(cost.losses[0]) < float(train(steps=1)[1].losses[0])
    assert cost.samples_seen == 60 * 16
    assert cost.compute == cost.samples_seen * autoencoder.num_parameters


def test_a_seed_decides_every_weight(trained):
    weights = trained[0].weights()
    again, other = train()[0].weights(), train(seed=1)[0].weights()
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert not torch.equal(weights["encoder.layers.0.weight"], other["encoder.layers.0.weight"])


def test_latents_are_those_of_each_image(trained):
    autoencoder, _ = trained
    latents = representation.encode_images(autoencoder, IMAGES)
    assert (latents.shape, latents.dtype) == ((len(IMAGES), 2), np.float32)
    one = autoencoder.encode(torch.from_numpy(IMAGES[3:4]).float() / 255)[0]
    np.testing.assert_allclose(latents[3], one.numpy(), rtol=1e-4, atol=1e-5)
    assert representation.encode_images(autoencoder, IMAGES[:0]).shape == (0, 2)


def test_decoded_latents_keep_their_order(trained, monkeypatch):
    autoencoder, _ = trained
    latents = np.random.default_rng(0).normal(size=(2, 7, 2)).astype(np.float32)
    images = representation.decode_latents(autoencoder, latents)
    assert (images.shape, images.dtype) == ((2, 7, *SHAPE), np.uint8)
    monkeypatch.setattr(representation, "DECODING_BATCH", 3)
    assert np.abs(representation.decode_latents(autoencoder, latents).astype(int) - images).max() <= 1
    expected = autoencoder.decode(torch.from_numpy(latents[1, 4:5])) * 255
    assert np.abs(images[1, 4] - expected[0].numpy()).max() <= 0.51


def test_the_deviation_makes_the_bound_largest(trained):
    autoencoder, _ = trained
    images = torch.from_numpy(IMAGES)
    chosen = autoencoder.deviation.clone()
    x = images.float() / 255
    noise = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(1))

    def bound(factor):
        deviation = factor * chosen
        likelihood = autoencoder.log_likelihood(x, autoencoder.encode(x) + deviation * noise).mean()
        return float(likelihood + deviation.log().sum())

    assert bound(1) >= max(bound(1 / 8), bound(8))


def test_the_bound_of_images_is_below_their_likelihood(trained):
    """For p(z) = N(0, I) the likelihood of an image is an integral over the plane, done here on a grid."""
    autoencoder, _ = trained
    images = IMAGES[:8]
    axis = np.linspace(-6, 6, 161)
    grid = torch.from_numpy(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)).float()
    prior = -0.5 * grid.double().square().sum(1) - math.log(2 * math.pi)
    x = torch.from_numpy(images).float() / 255
    exact = [
        logsumexp((autoencoder.log_likelihood(one.expand(len(grid), *SHAPE), grid) + prior).numpy())
        + 2 * math.log(axis[1] - axis[0])
        for one in x
    ]
    bounds = []
    for draw in range(200):
        bound = representation.bound_images(autoencoder, images, torch.Generator().manual_seed(draw))
        bounds.append(bound.likelihood - 0.5 * (bound.latents**2).sum(1) - math.log(2 * math.pi))
    assert (np.mean(bounds, axis=0) <= np.array(exact) + 0.05).all()


def test_convolutions_represent_images_too():
    autoencoder, _ = train(encoder=CONV, decoder={"kind": "conv", "channels": [6, 4]}, steps=5)
    latents = representation.encode_images(autoencoder, IMAGES)
    assert representation.decode_latents(autoencoder, latents).shape == IMAGES.shape


def test_vectors_are_refused():
    with pytest.raises(UserError, match="expected images"):
        train(images=np.zeros((20, 3), np.float32))


def test_what_does_not_fit_the_memory_is_refused():
    with pytest.raises(UserError, match=r"representation\.encoder: needs at least"):
        train(encoder={"kind": "mlp", "hidden": [100_000, 100_000, 100_000]})


def test_a_training_that_diverges_is_named():
    with pytest.raises(TrainingDivergedError, match=r"autoencoder 0 diverged at step 0: .*loss_limit"):
        train(loss_limit=1e-3)
