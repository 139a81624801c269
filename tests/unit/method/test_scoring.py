"""Scores in batches, by discriminators and by bounds, are those of all points at once."""

import pytest
import torch
from examples import GAN, make_blobs, make_experiment
from pydantic import TypeAdapter

from competitive_mixtures.method import batches, scoring
from competitive_mixtures.method.batches import split_batches
from competitive_mixtures.networks.architectures import build_encoder
from competitive_mixtures.networks.ensemble import build_components, build_discriminators
from competitive_mixtures.networks.kernels.threads import LARGEST_BLOCK
from competitive_mixtures.seeding import make_generators
from competitive_mixtures.settings import schema


def test_scores_of_discriminators_are_their_ratios_in_order(monkeypatch):
    monkeypatch.setattr(scoring, "SCORING_ROWS", 16)
    points = torch.from_numpy(make_blobs().train)
    for backend in ("stacked", "loop"):
        ensemble = build_discriminators(make_experiment(training={"backend": backend}), (2,), (0, "round", 1))
        found = scoring.score_by_discriminators(ensemble, points)
        expected = torch.cat([stack.log_ratios(points) for _, stack in ensemble.stacks], dim=1)
        assert found.shape == (120, 3)
        torch.testing.assert_close(found, expected)


def test_large_images_are_scored_in_small_batches():
    images = torch.zeros(1000, 3, 64, 64, dtype=torch.uint8)
    sizes = [len(part) for part in split_batches(images)]
    assert sizes == [341, 341, 318]
    assert [len(part) for part in split_batches(torch.zeros(5000, 2))] == [4096, 904]


@pytest.mark.parametrize(
    ("network", "widest"),
    [
        ({"kind": "mlp", "hidden": [900, 10]}, 900),
        ({"kind": "mlp", "hidden": [10]}, 784),
        ({"kind": "conv", "channels": [64, 128]}, 64 * 14 * 14),
        ({"kind": "conv", "channels": [2, 3]}, 784),
    ],
)
def test_no_layer_of_a_batch_is_larger_than_what_the_allocator_keeps(network, widest):
    settings = TypeAdapter(schema.Network).validate_python(network)
    encoder = build_encoder(settings, (1, 28, 28), 1, [torch.Generator()])
    assert encoder.widest == widest
    size = len(split_batches(torch.zeros(99_999, 1), 99_999, widest)[0])
    assert size * widest * 4 <= LARGEST_BLOCK < (size + 1) * widest * 4


@pytest.mark.parametrize(("max_rows", "expected"), [(2730, 2730), (170, 170), (0, 1)])
def test_many_networks_side_by_side_score_small_batches(max_rows, expected):
    assert len(split_batches(torch.zeros(5000, 2), max_rows)[0]) == expected


def test_bounds_of_both_back_ends_and_of_a_part_agree(monkeypatch):
    monkeypatch.setattr(batches, "SCORING_BATCH", 50)
    points = torch.from_numpy(make_blobs().train)
    found = []
    for backend, ids in (("stacked", None), ("loop", None), ("stacked", [1])):
        components = build_components(make_experiment(training={"backend": backend}), (2,), 0, ids=ids)
        found.append(scoring.score_by_bound(components, points, (0, "test")))
    assert found[0].shape == (120, 3)
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found[2], found[0][:, 1:2])


def test_a_bound_is_the_mean_negative_loss_over_its_draws():
    points = torch.from_numpy(make_blobs().train)[:5]
    components = build_components(make_experiment(), (2,), 0)
    found = scoring.score_by_bound(components, points, (0, "test"))
    ((ids, stack),) = components.stacks
    noise = stack.draw_noise(make_generators(0, "test", "bound", components=ids), scoring.BOUND_DRAWS, 5)
    losses = [stack.losses(points.expand(3, 5, 2), draw) for draw in noise]
    torch.testing.assert_close(found, -torch.stack(losses).mean(0).T.detach())


@pytest.mark.parametrize(
    ("changes", "networks", "sampled"),
    [
        ({}, 3 * (2 * 8 + 8 + 8 + 1), 3 * (2 * 8 + 8 + 8 * 2 + 2)),
        ({"scoring": {"kind": "classifier"}}, 2 * 8 + 8 + 8 * 4 + 4, 3 * (2 * 8 + 8 + 8 * 2 + 2)),
        ({"components": [GAN | {"latent_dim": 5}]}, 3 * (2 * 8 + 8 + 8 + 1), 3 * (5 * 8 + 8 + 8 * 2 + 2)),
        ({"scoring": {"kind": "bound"}}, 3 * (2 * 8 + 8 + 8 * 4 + 4 + 2 * 8 + 8 + 8 * 2 + 2), 0),
    ],
    ids=["discriminators", "classifier", "gans", "bound"],
)
def test_forward_passes_are_points_scored_and_samples_drawn(changes, networks, sampled):
    """10 steps with 16 samples of each component, then 120 points."""
    experiment = make_experiment(**changes)
    components = build_components(experiment, (2,), 0, unit=1.0)
    uses_networks = experiment.scoring.kind != "bound"
    discriminators = build_discriminators(experiment, (2,), (0, "round", 1)) if uses_networks else None
    found = scoring.count_forward(components, discriminators, 3 * 120, experiment.scoring)
    assert found == 120 * networks + 10 * 16 * sampled
