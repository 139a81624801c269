"""Stacks: states come apart and together again without loss."""

import pytest
import torch
from examples import CONV_GAN, CONV_VAE, GAN, VAE, change
from pydantic import TypeAdapter

from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.ensemble import COMPONENTS
from competitive_mixtures.networks.stack import is_shared, join, select
from competitive_mixtures.seeding import make_generators
from competitive_mixtures.settings import schema


def make_stack(block, ids=range(3), **options):
    settings = TypeAdapter(schema.Component).validate_python(block)
    shape = (1, 8, 8) if "conv" in str(block) else (2,)
    return COMPONENTS[settings.kind](settings, shape, make_generators(3, "networks", components=ids), **options)


def take_steps(stack, ids, steps, seed=0):
    """Train each network on batches and noise of its own stream."""
    streams = make_generators(seed, "steps", components=ids)
    for _ in range(steps):
        x = torch.stack([torch.rand(6 * stack.batches_per_step, *stack.shape, generator=g) for g in streams])
        (noise,) = stack.draw_noise(streams, 1, 6)
        stack.step(x, noise)


def assert_equal(state, other):
    assert state.keys() == other.keys()
    for name, tensor in state.items():
        assert torch.equal(tensor, other[name]), name


@pytest.mark.parametrize("block", [VAE, GAN, CONV_VAE, CONV_GAN], ids=["vae", "gan", "conv vae", "conv gan"])
def test_a_part_trains_as_in_the_whole(block):
    whole = make_stack(block)
    take_steps(whole, range(3), 3)
    part = whole.take([2, 0])
    assert_equal(part.state(), select(whole.state(), [2, 0]))
    take_steps(part, [2, 0], 5, seed=1)
    alone = whole.take([2])
    take_steps(alone, [2], 5, seed=1)
    untouched = select({name: t.clone() for name, t in whole.state().items()}, [1])
    whole.put(part, [2, 0])
    for name, tensor in select(whole.state(), [2]).items():
        torch.testing.assert_close(tensor, alone.state()[name], rtol=1e-4, atol=1e-5)
    after = select(whole.state(), [1])
    for name in after:
        assert is_shared(name) or torch.equal(after[name], untouched[name])


@pytest.mark.parametrize("block", [VAE, GAN, CONV_VAE, CONV_GAN], ids=["vae", "gan", "conv vae", "conv gan"])
@pytest.mark.parametrize("ids", [range(1), range(3)])
def test_state_round_trip(block, ids):
    stack, other = make_stack(block, ids), make_stack(block, range(5, 5 + len(ids)))
    take_steps(stack, ids, 3)
    other.load(stack.state())
    assert_equal(stack.state(), other.state())
    take_steps(stack, ids, 2, seed=2)
    take_steps(other, ids, 2, seed=2)
    assert_equal(stack.state(), other.state())


def test_join_puts_selected_rows_together_again():
    stack = make_stack(VAE)
    take_steps(stack, range(3), 3)
    state = stack.state()
    assert_equal(join([select(state, [0]), select(state, [1, 2])]), state)


def test_step_counts_of_untrained_networks_catch_up_when_joined():
    """A network without points takes no steps; beside others in one stack it shares their count."""
    idle, busy = make_stack(VAE, [0]), make_stack(VAE, [1])
    take_steps(busy, [1], 4)
    joined = join([idle.state(), busy.state()])
    (count,) = (tensor for name, tensor in joined.items() if name.endswith("num_steps"))
    assert count == 4


@pytest.mark.parametrize("block", [VAE, GAN], ids=["vae", "gan"])
def test_a_single_row_of_a_stack_with_shared_layers(block):
    stack = make_stack(block, num_shared=1)
    take_steps(stack, range(3), 3)
    names = {name for name in stack.state() if is_shared(name)}
    assert any("weight" in name for name in names)
    part = stack.take([1])
    assert {name for name in part.state() if is_shared(name)} == names
    take_steps(part, [1], 2)
    stack.put(part, [1])
    assert_equal(select(stack.state(), [1]), part.state())


def test_state_of_other_networks_is_refused():
    wide = change(VAE, encoder={"hidden": [9]})
    with pytest.raises(UserError, match=r"encoder.*found \[3, 2, 8\].*expect \[3, 2, 9\]"):
        make_stack(wide).load(make_stack(VAE).state())
    with pytest.raises(UserError, match="found nothing"):
        make_stack(VAE).load({})


def test_number_of_parameters_by_hand():
    # encoder 2-8-4, decoder 2-8-2
    assert make_stack(VAE).num_parameters == 3 * (2 * 8 + 8 + 8 * 4 + 4 + 2 * 8 + 8 + 8 * 2 + 2)
    assert make_stack(VAE, num_shared=1).num_parameters == 3 * (8 * 4 + 4 + 2 * 8 + 8) + (2 * 8 + 8 + 8 * 2 + 2)
