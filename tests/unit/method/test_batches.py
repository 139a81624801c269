"""Batches come from the cells, comparisons from all points and the samples, in chunks that suit the memory."""

import numpy as np
import pytest
import torch
from examples import VAE, make_experiment

from competitive_mixtures.method import batches
from competitive_mixtures.method.batches import chunk_length, draw_batches, draw_comparisons, thin_out, to_float
from competitive_mixtures.networks.ensemble import build_components
from competitive_mixtures.seeding import make_generators

K = 3


@pytest.mark.parametrize("most", [1, 3, 7, 10, 11])
@pytest.mark.parametrize("make", [np.arange, torch.arange])
def test_points_are_thinned_out_evenly(make, most):
    kept = np.asarray(thin_out(make(10), most))
    assert len(kept) == min(most, 10)
    gaps = np.diff([*kept, 10])
    assert gaps.min() >= 10 // len(kept)
    assert gaps.max() <= -(-10 // len(kept))
    assert kept[0] == 0


def test_batches_come_from_the_cell():
    points = torch.cat([torch.full((20, 2), float(j)) for j in range(K)])
    ((ids, stack),) = build_components(make_experiment(components=[VAE]), (2,), 0).stacks
    cells = list(torch.arange(len(points)).tensor_split(K))
    for x, noise in draw_batches(stack, ids, points, cells, num_steps=5, batch_size=8, key=(0, "test")):
        assert x.shape == (K, 8, 2)
        assert noise.shape == (K, 8, 2)
        assert torch.equal(x, torch.arange(3.0).view(K, 1, 1).expand_as(x))


def test_comparisons_are_of_all_points_and_of_the_components_samples():
    points = torch.arange(40.0).view(20, 2)
    components = build_components(make_experiment(components=[VAE]), (2,), 0)
    drawn = list(draw_comparisons(components, [0, 2], points, num_steps=4, batch_size=50, key=(0, "test")))
    assert len(drawn) == 4
    real = torch.cat([pair[0] for pair in drawn], dim=1)
    assert real.shape == (2, 200, 2)
    for own in real:
        assert own.unique(dim=0).shape == (20, 2)  # every point, and nothing else
    samples = components.sample([0, 2], make_generators(0, "test", "fake", components=[0, 2]), 200)
    assert torch.equal(torch.cat([pair[1] for pair in drawn], dim=1), samples)


def test_to_float_scales_images_and_keeps_vectors():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)
    torch.testing.assert_close(to_float(images), torch.tensor([0.0, 0.2, 1.0]))
    vectors = torch.tensor([3.0, -1.0])
    assert to_float(vectors) is vectors


def test_chunk_length():
    assert chunk_length(10, 1, limit=1000) == 10
    assert chunk_length(10_000, 1, limit=10_000) == batches.MAX_CHUNK
    assert chunk_length(100, 250, limit=1000) == 4
    assert chunk_length(100, 10_000, limit=1000) == 1
    assert chunk_length(100, 0, limit=1000) == 100
