"""Encoders and decoders: shapes, what is shared, and what is refused."""

import pytest
import torch
from examples import CONV, MLP

from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.architectures import (
    LEAST_ROWS,
    PIECE_BYTES,
    build_decoder,
    build_encoder,
    leaky_relu,
    plain_parameters,
    widen,
)
from competitive_mixtures.seeding import make_generators
from competitive_mixtures.settings import schema

K = 3


def generators(count=K):
    return make_generators(0, "networks", components=range(count))


def network(block):
    return {"mlp": schema.MLP, "conv": schema.Conv}[block["kind"]].model_validate(block)


@pytest.mark.parametrize(("block", "shape"), [(MLP, (5,)), (MLP, (2, 4, 6)), (CONV, (2, 8, 12)), (CONV, (1, 9, 7))])
def test_encoder_shapes(block, shape):
    encoder = build_encoder(network(block), shape, 6, generators())
    assert encoder(torch.rand(K, 4, *shape)).shape == (K, 4, 6)
    assert encoder(torch.rand(1, 4, *shape)).shape == (K, 4, 6)


@pytest.mark.parametrize(("block", "shape"), [(MLP, (5,)), (CONV, (2, 8, 12))])
@pytest.mark.parametrize("num_shared", [0, 1, 2])
@pytest.mark.parametrize("normalize", [True, False])
def test_one_input_for_all_is_encoded_as_its_copies_would_be(block, shape, num_shared, normalize):
    encoder = build_encoder(network(block), shape, 6, generators(), num_shared=num_shared, normalize=normalize)
    x = torch.rand(1, 4, *shape)
    expected = encoder(x.expand(K, *[-1] * (x.ndim - 1)))
    torch.testing.assert_close(encoder(x).expand_as(expected), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("block", "shape"),
    [(MLP, (5,)), (MLP, (2, 4, 6)), (CONV, (2, 8, 12)), ({"kind": "conv", "channels": [3]}, (1, 7, 5))],
)
def test_decoder_shapes(block, shape):
    decoder = build_decoder(network(block), 3, shape, generators())
    assert decoder(torch.randn(K, 4, 3)).shape == (K, 4, *shape)


@pytest.mark.parametrize(("block", "shape"), [(MLP, (5,)), (CONV, (2, 8, 8))])
def test_networks_start_the_same_beside_others(block, shape):
    whole = build_encoder(network(block), shape, 6, generators())
    alone = build_encoder(network(block), shape, 6, make_generators(0, "networks", components=[1]))
    for name, tensor in alone.state_dict().items():
        assert torch.equal(tensor[0], whole.state_dict()[name][1])


def test_mlp_by_hand():
    encoder = build_encoder(network(MLP), (2,), 3, generators(1))
    x = torch.randn(1, 4, 2)
    first, second = encoder.layers
    hidden = (x[0].double() @ first.weight[0].double() + first.bias[0].double()).clamp(min=0)
    expected = hidden @ second.weight[0].double() + second.bias[0].double()
    torch.testing.assert_close(encoder(x)[0].double(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("num_shared", [0, 1])
@pytest.mark.parametrize("hidden", [[50, 50], [64], [500, 500]])
def test_many_rows_come_out_in_pieces_as_at_once(num_shared, hidden):
    block = {"kind": "mlp", "hidden": hidden}
    encoder = build_encoder(network(block), (2,), 3, generators(), num_shared=num_shared).eval()
    rows = PIECE_BYTES // (4 * K * max(hidden))
    x = torch.randn(K, 5 * rows // 2, 2)
    assert rows >= LEAST_ROWS
    with torch.no_grad():
        in_pieces, at_once = encoder(x), encoder.train()(x)
    torch.testing.assert_close(in_pieces, at_once, rtol=1e-5, atol=1e-6)
    if torch.backends.cpu.get_cpu_capability() == "AVX512":  # others round otherwise where a product has other rows
        assert torch.equal(in_pieces, at_once)


@pytest.mark.parametrize("extra", [0, 1])
def test_rows_go_through_in_pieces_that_stay_in_the_cache(extra):
    encoder = build_encoder(network({"kind": "mlp", "hidden": [50]}), (2,), 3, generators()).eval()
    rows, seen = PIECE_BYTES // (4 * K * 50), []
    encoder.layers[0].register_forward_hook(lambda _, __, output: seen.append(output.shape))
    with torch.no_grad():
        encoder(torch.zeros(K, 2 * rows + extra, 2))
    assert seen == [(K, rows, 50)] * 2 + [(K, 1, 50)] * extra


@pytest.mark.parametrize(("block", "shape"), [(MLP, (6,)), (CONV, (1, 8, 8))])
@pytest.mark.parametrize("num_shared", [0, 1, 2])
def test_layers_are_shared_from_the_datas_side(block, shape, num_shared):
    encoder = build_encoder(network(block), shape, 5, generators(), num_shared=num_shared)
    decoder = build_decoder(network(block), 5, shape, generators(), num_shared=num_shared)
    for body, from_data in ((decoder, -1), (encoder, 1)):
        flags = [module.shared for module in body.modules() if hasattr(module, "shared")][::from_data]
        assert flags == [layer < num_shared for layer in range(len(flags))]
    assert encoder(torch.rand(K, 4, *shape)).shape == (K, 4, 5)
    assert encoder(torch.rand(1, 4, *shape)).shape == (1 if all(flags) else K, 4, 5)
    assert decoder(torch.randn(K, 4, 5)).shape == (K, 4, *shape)


def test_layers_before_a_batch_norm_have_no_bias():
    encoder, plain = (build_encoder(network(CONV), (1, 8, 8), 2, generators(), normalize=n) for n in (True, False))
    assert all(layer.bias is None for layer in encoder.convolutions)
    assert all(layer.bias is not None for layer in plain.convolutions)
    decoder = build_decoder(network(CONV), 2, (1, 8, 8), generators())
    assert decoder.tail.bias is None
    assert all(layer.bias is None for layer in decoder.doublings)
    assert decoder.last.bias is not None


@pytest.mark.parametrize("build", [build_encoder, build_decoder])
def test_convolutions_need_images(build):
    with pytest.raises(UserError, match=r"network.kind: conv needs images"):
        build(network(CONV), (2,), 3, generators()) if build is build_encoder else build(
            network(CONV), 3, (2,), generators()
        )


def test_too_many_halvings_are_refused():
    with pytest.raises(UserError, match=r"3 halvings leave nothing of a 4x8 image"):
        build_encoder(network({"kind": "conv", "channels": [2, 2, 2]}), (1, 4, 8), 3, generators())


def test_doublings_that_miss_the_size_are_refused():
    with pytest.raises(UserError, match=r"6x8 image is no multiple of 4"):
        build_decoder(network({"kind": "conv", "channels": [2, 2, 2]}), 3, (1, 6, 8), generators())


def test_widen_multiplies_hidden_layers_only():
    assert widen(network({"kind": "mlp", "hidden": [4, 5]}), 3).hidden == [12, 15]
    assert widen(network(CONV), 2).channels == [8, 12]


def test_only_separate_rectified_networks_are_plain():
    def build(block=MLP, **options):
        return build_encoder(network(block), (1, 8, 8), 1, generators(), **options)

    plain = build()
    assert [id(p) for p in plain_parameters(plain)] == [id(p) for p in plain.parameters()]
    assert not plain_parameters(build(num_shared=1))
    assert not plain_parameters(build(spectral=True))
    assert not plain_parameters(build(activation=leaky_relu))
    assert not plain_parameters(build(CONV))
