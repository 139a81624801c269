"""Components: the keys of each loss, and the networks whose layers components can share."""

import pytest
from examples import CONV, GAN, MLP, VAE, WASSERSTEIN, change
from pydantic import TypeAdapter, ValidationError

from competitive_mixtures.settings import schema


def read(block):
    return TypeAdapter(schema.Component).validate_python(block)


def test_only_the_wasserstein_loss_has_a_penalty():
    assert read(GAN).loss.model_dump() == {"kind": "non_saturating"}
    assert read(change(GAN, loss=WASSERSTEIN)).loss.gradient_penalty == 10
    with pytest.raises(ValidationError, match="Extra inputs"):
        read(change(GAN, loss={"gradient_penalty": 10.0}))
    with pytest.raises(ValidationError, match="greater than 0"):
        read(change(GAN, loss=WASSERSTEIN | {"gradient_penalty": 0.0}))


def test_a_loss_that_becomes_another_loses_its_penalty():
    assert change(change(GAN, loss=WASSERSTEIN), loss={"kind": "non_saturating"}) == GAN


def test_critics_share_no_layers():
    wide = {"kind": "mlp", "hidden": [16, 32]}
    vae = read(change(VAE, decoder=wide))
    assert [network.widths for network in vae.shareable_networks] == [[8], [16, 32]]
    gan = read(change(GAN, critic=wide))
    assert [network.widths for network in gan.shareable_networks] == [[8]]


def test_networks_tell_their_widths():
    network = TypeAdapter(schema.Network)
    assert network.validate_python(MLP).widths == MLP["hidden"]
    assert network.validate_python(CONV).widths == CONV["channels"]
