"""Named streams: the same everywhere, different for different names."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.seeding import derive_seed, make_generator, make_generators

NAMES = st.lists(st.integers(0, 50) | st.sampled_from(["round", "train", "component"]), max_size=4)


@given(seed=st.integers(0, 2**40), names=NAMES)
def test_seeds_fit_every_generator(seed, names):
    derived = derive_seed(seed, *names)
    assert 0 <= derived < 2**63
    assert derived == derive_seed(seed, *names)
    torch.Generator().manual_seed(derived)


@given(first=st.tuples(st.integers(0, 9), NAMES), second=st.tuples(st.integers(0, 9), NAMES))
def test_different_names_give_different_seeds(first, second):
    same = derive_seed(first[0], *first[1]) == derive_seed(second[0], *second[1])
    assert same == (first == second)


def test_seeds_do_not_change_between_versions():
    """They are part of every published number."""
    assert derive_seed(0) == int.from_bytes(bytes.fromhex("5feceb66ffc86f38"), "little") >> 1  # SHA-256 of "0"
    assert derive_seed(0, "round", 1) == derive_seed(0, "round/1")


def test_a_components_stream_does_not_depend_on_its_company():
    def draw(generators):
        return [torch.rand(3, generator=g) for g in generators]

    whole = draw(make_generators(0, "round", 1, components=range(4)))
    part = draw(make_generators(0, "round", 1, components=[3, 1]))
    assert torch.equal(part[0], whole[3])
    assert torch.equal(part[1], whole[1])
    assert not torch.equal(whole[0], whole[1])
    alone = torch.rand(3, generator=make_generator(0, "round", 1, "component", 2))
    assert torch.equal(alone, whole[2])


def test_the_global_generator_is_left_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    torch.rand(5, generator=make_generator(0, "x"))
    assert torch.equal(before, torch.get_rng_state())
