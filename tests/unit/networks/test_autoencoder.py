"""The shared autoencoder: latents and intensities, its loss, its learning rate, its weights."""

import math

import pytest
import torch
import torch.nn.functional as F
from examples import ADAM, CONV, MLP
from scipy import stats

from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.autoencoder import Autoencoder
from competitive_mixtures.settings.schema import Autoencoder as Settings

SHAPE = (1, 8, 8)
BLOCK = {
    "kind": "autoencoder",
    "latent_dim": 3,
    "encoder": MLP,
    "decoder": MLP,
    "optimizer": ADAM,
    "batch_size": 16,
    "steps": 10,
    "loss_limit": 1.0e6,
}
KINDS = {"mlp": {}, "conv": {"encoder": CONV, "decoder": {"kind": "conv", "channels": [6, 4]}}}


def build(seed=0, shape=SHAPE, **changes):
    return Autoencoder(Settings.model_validate(BLOCK | changes), shape, [torch.Generator().manual_seed(seed)])


@pytest.fixture(params=KINDS)
def autoencoder(request):
    return build(**KINDS[request.param])


def test_images_become_latents_and_latents_intensities(autoencoder):
    latents = autoencoder.encode(torch.rand(5, *SHAPE))
    assert latents.shape == (5, 3)
    images = autoencoder.decode(latents)
    assert images.shape == (5, *SHAPE)
    assert images.min() >= 0
    assert images.max() <= 1


def test_a_point_is_encoded_alike_beside_others_and_alone(autoencoder):
    images = torch.rand(6, *SHAPE)
    for _ in range(3):
        autoencoder.step(images[None], images[None])
    together, alone = autoencoder.encode(images), torch.cat([autoencoder.encode(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_the_loss_of_a_step_is_the_mean_cross_entropy_of_an_image():
    autoencoder, images = build(), torch.rand(4, *SHAPE)
    logits = autoencoder.decoder(autoencoder.encoder(images[None]))[0].detach()
    expected = F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / 4
    torch.testing.assert_close(autoencoder.step(images[None], images[None]), expected[None])


def test_the_likelihood_is_that_of_the_decoded_intensities():
    autoencoder, images, latents = build(), torch.rand(4, *SHAPE), torch.randn(4, 3)
    p, x = autoencoder.decode(latents).double(), images.double()
    expected = (x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3))
    torch.testing.assert_close(autoencoder.log_likelihood(images, latents).double(), expected, rtol=1e-4, atol=1e-3)


def test_the_encoder_is_a_gaussian_of_its_deviation():
    autoencoder, noise = build(), torch.randn(4, 3)
    deviation = torch.tensor([0.5, 1.0, 2.0])
    autoencoder.deviation.copy_(deviation)
    expected = stats.norm(scale=deviation.numpy()).logpdf((noise * deviation).numpy()).sum(1)
    torch.testing.assert_close(autoencoder.log_encoder_density(noise).double(), torch.from_numpy(expected).double())


def test_the_step_size_falls_to_zero():
    autoencoder, images = build(steps=4), torch.rand(1, 8, *SHAPE)
    rates = []
    for _ in range(4):
        autoencoder.step(images, images)
        rates.append(autoencoder.optimizers["autoencoder"].learning_rate / ADAM["learning_rate"])
    assert rates == pytest.approx([1, 0.75, 0.5, 0.25])


def test_weights_make_the_same_network(autoencoder):
    images = torch.rand(5, *SHAPE)
    autoencoder.step(images[None], images[None])
    other = Autoencoder(autoencoder.settings, SHAPE, [torch.Generator().manual_seed(9)])
    other.load_weights(autoencoder.weights())
    assert torch.equal(other.encode(images), autoencoder.encode(images))
    assert not any("adam" in name for name in autoencoder.weights())


def test_weights_of_another_network_are_refused():
    with pytest.raises(UserError, match="written with other settings"):
        build(latent_dim=2).load_weights(build().weights())


def test_a_linear_autoencoder_recovers_the_plane_that_images_lie_in():
    """Logits in a plane: the latents of two dimensions reconstruct every image to its own entropy, the least loss."""
    generator = torch.Generator().manual_seed(0)
    axes = torch.randn(2, 64, generator=generator)
    codes = torch.randn(512, 2, generator=generator)
    images = (0.3 * codes @ axes).sigmoid().view(-1, *SHAPE)
    wide = {"kind": "mlp", "hidden": [32]}
    rate = {"learning_rate": 1e-2, "beta1": 0.9, "beta2": 0.999}
    autoencoder = build(latent_dim=2, steps=600, encoder=wide, decoder=wide, optimizer=rate)
    for _ in range(600):
        loss = autoencoder.step(images[None], images[None])
    entropy = -(images * images.log() + (1 - images) * (1 - images).log()).sum((1, 2, 3)).mean()
    assert 0 <= float(loss - entropy) < 0.15
    latents = autoencoder.encode(images)
    with_one = torch.cat([latents, torch.ones(512, 1)], 1)
    fitted = with_one @ torch.linalg.lstsq(with_one, codes).solution
    assert float((fitted - codes).square().mean()) < 0.05  # of a variance of 1
    assert math.isfinite(float(loss))
