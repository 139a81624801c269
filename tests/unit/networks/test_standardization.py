"""Each component standardises vectors by its own cell; points, samples and bounds stay in the data's units."""

import numpy as np
import pytest
import torch
from examples import CONV_VAE, GAN, VAE, change, make_experiment

from competitive_mixtures.method.assignment import to_cells
from competitive_mixtures.method.scoring import score_by_bound
from competitive_mixtures.method.training import train_components
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.ensemble import Ensemble, build_components
from competitive_mixtures.seeding import make_generators

LEARNED = change(VAE, likelihood={"variance": "learned", "samples": "draws"})


def build(
    *kinds: dict, shape: tuple[int, ...] = (2,), unit: float = 1.0, backend: str = "stacked", standardize: str = "cells"
) -> Ensemble[ComponentStack]:
    """Components of the given kinds."""
    experiment = make_experiment(
        components=list(kinds), training={"backend": backend, "standardize": standardize}, baselines=[]
    )
    return build_components(experiment, shape, 0, unit=unit)


def fit(components, points, cells):
    """Standardise each component by its cell, as training does."""
    for members, stack in components.stacks:
        stack.fit_standardizations([points[cells[j]] for j in members])


def narrow_modes() -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Three modes of a thousandth of their distance, one of them elongated, and the cells that hold them."""
    rng = np.random.default_rng(0)
    labels = np.arange(900) % 3
    widths = np.array([[1e-3, 1e-3], [1e-3, 1e-3], [4e-3, 1e-3]])
    points = np.array([[-1.0, 0.5], [1.0, 1.0], [0.0, -1.0]])[labels] + rng.normal(size=(900, 2)) * widths[labels]
    return torch.from_numpy(points.astype(np.float32)), to_cells(labels, 3)


@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_the_moments_are_those_of_the_cells(backend):
    points, cells = narrow_modes()
    components = build(change(LEARNED, count=2), change(GAN, count=1), backend=backend)
    fit(components, points, cells)
    for members, stack in components.stacks:
        for row, j in enumerate(members):
            cell = points[cells[j]].double().numpy()
            np.testing.assert_allclose(stack.mean[row], cell.mean(0), rtol=1e-6)
            np.testing.assert_allclose(stack.scale[row], np.sqrt(cell.var(0).mean()), rtol=1e-4)


def test_one_point_and_equal_points():
    points, cells = narrow_modes()
    components = build(LEARNED)
    fit(components, points, [cells[0][:1], cells[1][:1], torch.full((5,), 7)])
    ((_, stack),) = components.stacks
    torch.testing.assert_close(stack.mean, torch.stack([points[cells[0][0]], points[cells[1][0]], points[7]]))
    assert stack.scale.tolist() == [1, 1, 1]  # the data's own unit where there is no deviation


def test_networks_see_standardised_points():
    points, cells = narrow_modes()
    components = build(LEARNED)
    fit(components, points, cells)
    ((_, stack),) = components.stacks
    seen = []
    stack.update = lambda x, noise: seen.append(x)
    stack.step(torch.stack([points[cell] for cell in cells]), torch.zeros(0))
    torch.testing.assert_close(seen[0].mean(1), torch.zeros(3, 2), atol=2e-3, rtol=0)
    torch.testing.assert_close(seen[0].square().mean((1, 2)), torch.ones(3), atol=1e-3, rtol=0)


@pytest.mark.parametrize("kind", [LEARNED, GAN])
def test_samples_are_in_the_datas_units(kind):
    points, cells = narrow_modes()
    components = build(kind)
    before = components.sample(range(3), make_generators(5, components=range(3)), 50)
    fit(components, points, cells)
    ((_, stack),) = components.stacks
    after = components.sample(range(3), make_generators(5, components=range(3)), 50)
    torch.testing.assert_close(after, before * stack.scale[:, None, None] + stack.mean[:, None])


def test_bounds_are_densities_of_the_points_themselves():
    points, _ = narrow_modes()
    components = build(LEARNED)
    ((_, stack),) = components.stacks
    inside = score_by_bound(components, points, (0, "x"))
    fit(components, points, [torch.arange(900)] * 3)
    scaled = score_by_bound(components, points * stack.scale[0] + stack.mean[0], (0, "x"))
    torch.testing.assert_close(scaled, inside - 2 * stack.scale.log(), rtol=1e-4, atol=1e-4)


def test_a_fixed_variance_keeps_its_size():
    points, cells = narrow_modes()
    components = build(VAE, unit=2.0)
    fit(components, points, cells)
    ((_, stack),) = components.stacks
    torch.testing.assert_close(stack.variance * stack.scale**2, torch.full((3,), 0.1 / 4))


def test_images_are_not_standardised():
    components = build(CONV_VAE, shape=(1, 8, 8))
    ((_, stack),) = build(CONV_VAE, shape=(1, 8, 8), backend="stacked").stacks
    assert not stack.fits_cells
    assert not {"mean", "scale"} & {name.rpartition(".")[2] for name in components.state() if "norm" not in name}


def test_a_mode_far_narrower_than_the_data_is_learned_only_standardised():
    points, cells = narrow_modes()
    wide = {"kind": "mlp", "hidden": [32]}
    kind = change(LEARNED, encoder=wide, decoder=wide)
    ratios = {}
    for standardize in ("data", "cells"):
        components = build(kind, standardize=standardize)
        train_components(components, points, cells, num_steps=400, batch_size=64, key=(0, "test"))
        samples = components.sample(range(3), make_generators(1, components=range(3)), 2000)
        ratios[standardize] = [(samples[j].std(0) / points[cells[j]].std(0)).log().abs().max() for j in range(3)]
    assert max(ratios["cells"]) < 0.35
    assert min(ratios["data"]) > 1  # in the data's units all of them are e times too wide, at the least
