"""The kinds of scoring: each knows what it reads, whether it needs networks, and what it asks of the rest."""

import pytest
from examples import ADAM, CONV_VAE, GAN, MLP, VAE
from pydantic import TypeAdapter, ValidationError

from competitive_mixtures.settings import schema

RATIOS = {
    "network": MLP,
    "optimizer": ADAM,
    "batch_size": 4,
    "steps_per_round": 2,
    "reset": True,
    "normalization": "global",
    "assignment": "density",
}
KINDS = {
    "discriminators": {"trunk": "separate", **RATIOS},
    "classifier": RATIOS,
    "bound": {"assignment": "density"},
    "soft_bound": {"assignment": "posterior"},
}


def read(kind, **changes):
    return TypeAdapter(schema.Scoring).validate_python({"kind": kind, **KINDS[kind]} | changes)


def read_components(*blocks):
    return TypeAdapter(list[schema.Component]).validate_python(list(blocks))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_asks_for_its_keys_and_refuses_others(kind):
    assert read(kind).model_dump() == {"kind": kind, **KINDS[kind]}
    for key in {"trunk", *RATIOS} - KINDS[kind].keys():
        with pytest.raises(ValidationError, match="Extra inputs"):
            read(kind, **{key: KINDS["discriminators"][key]})
    for key in KINDS[kind]:
        content = {"kind": kind, **KINDS[kind]}
        del content[key]
        with pytest.raises(ValidationError, match="Field required"):
            TypeAdapter(schema.Scoring).validate_python(content)


def test_which_kinds_use_bounds():
    assert {kind: read(kind).uses_bounds for kind in KINDS} == {
        "discriminators": False,
        "classifier": False,
        "bound": True,
        "soft_bound": True,
    }


def test_which_kinds_keep_their_networks():
    assert not any(read(kind).keeps_networks for kind in KINDS)
    assert all(read(kind, reset=False).keeps_networks for kind in ("discriminators", "classifier"))


@pytest.mark.parametrize(
    ("kind", "changes", "components", "shards", "keys"),
    [
        ("discriminators", {}, [VAE, GAN], 3, []),
        ("discriminators", {"trunk": "shared"}, [VAE], 1, []),
        ("discriminators", {"trunk": "shared"}, [VAE], 2, ["trunk"]),
        ("classifier", {}, [GAN], 1, []),
        ("classifier", {}, [GAN], 2, ["kind"]),
        ("bound", {}, [VAE, CONV_VAE], 2, []),
        ("bound", {}, [VAE, GAN], 2, ["kind"]),
        ("soft_bound", {}, [VAE], 1, []),
        ("soft_bound", {}, [GAN], 2, ["kind", "kind"]),
    ],
)
def test_conflicts_with_components_and_shards(kind, changes, components, shards, keys):
    conflicts = list(read(kind, **changes).find_conflicts(read_components(*components), shards))
    assert [conflict.partition(":")[0] for conflict in conflicts] == keys
