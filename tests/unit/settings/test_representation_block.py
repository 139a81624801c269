"""The block `representation`: what may compete in latents, and how much memory an autoencoder asks for."""

import pytest
from examples import ADAM, CONV, CONV_VAE, MLP, VAE, make_experiment

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.schema import Autoencoder

BLOCK = {
    "kind": "autoencoder",
    "latent_dim": 4,
    "encoder": MLP,
    "decoder": MLP,
    "optimizer": ADAM,
    "batch_size": 32,
    "steps": 10,
    "loss_limit": 1.0e6,
}


def test_components_of_vectors_compete_in_latents():
    assert make_experiment(representation=BLOCK).representation.latent_dim == 4
    assert make_experiment().representation is None


def test_networks_of_images_are_refused_with_their_keys():
    with pytest.raises(UserError) as caught:
        make_experiment(components=[VAE, CONV_VAE], scoring={"network": CONV}, baselines=[], representation=BLOCK)
    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert keys == [
        *("components.1.encoder.kind", "components.1.decoder.kind", "components.1.likelihood.kind"),
        "scoring.network.kind",
    ]


def test_memory_is_told_by_key():
    """784 inputs, 8 hidden units, 4 latents: 16 bytes a weight with its gradient and Adam's moments."""
    needs = dict(Autoencoder.model_validate(BLOCK).list_needs((1, 28, 28)))
    weights = 784 * 8 + 8 * 4
    assert needs == {
        "representation.encoder": 16 * weights,
        "representation.decoder": 16 * weights,
        "representation.batch_size": 4 * 32 * 784,
    }
