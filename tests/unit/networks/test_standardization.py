"""Each component's own coordinates."""

import numpy as np
import pytest
import torch
from examples import CONV_VAE, GAN, VAE, change, make_experiment

from competitive_mixtures.method.assignment import score_by_bound, to_cells
from competitive_mixtures.method.training import train_components
from competitive_mixtures.networks.ensemble import Ensemble, build_components
from competitive_mixtures.networks.stack import ComponentStack
from competitive_mixtures.seeding import make_generators

LEARNED = change(VAE, likelihood={"variance": "learned", "samples": "draws"})


def build(
    *kinds: dict, shape: tuple[int, ...] = (2,), unit: float = 1.0, backend: str = "stacked"
) -> Ensemble[ComponentStack]:
    """Components of the given kinds."""
    experiment = make_experiment(components=list(kinds), training={"backend": backend}, baselines=[])
    return build_components(experiment, shape, 0, unit=unit)


def narrow_modes() -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Three modes of a thousandth of their distance, one of them elongated, and the cells that hold them."""
    rng = np.random.default_rng(0)
    labels = np.arange(900) % 3
    widths = np.array([[1e-3, 1e-3], [1e-3, 1e-3], [4e-3, 1e-3]])
    points = np.array([[-1.0, 0.5], [1.0, 1.0], [0.0, -1.0]])[labels] + rng.normal(size=(900, 2)) * widths[labels]
    return torch.from_numpy(points.astype(np.float32)), to_cells(labels, 3)


@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_frames_are_the_moments_of_the_cells(backend):
    points, cells = narrow_modes()
    components = build(change(LEARNED, count=2), change(GAN, count=1), backend=backend)
    components.fit_frames(points, cells)
    for members, stack in components.stacks:
        for row, j in enumerate(members):
            cell = points[cells[j]].double().numpy()
            np.testing.assert_allclose(stack.origin[row], cell.mean(0), rtol=1e-6)
            np.testing.assert_allclose(stack.extent[row], np.sqrt(cell.var(0).mean()), rtol=1e-4)


def test_no_points_and_one_point():
    points, cells = narrow_modes()
    components = build(LEARNED)
    components.fit_frames(points, [cells[0][:0], cells[1][:1], torch.full((5,), 7)])
    ((_, stack),) = components.stacks
    torch.testing.assert_close(stack.origin, torch.stack([torch.zeros(2), points[cells[1][0]], points[7]]))
    assert stack.extent.tolist() == [1, 1, 1]  # the data's own unit where there is no deviation


def test_a_way_there_and_back():
    points, cells = narrow_modes()
    components = build(LEARNED)
    components.fit_frames(points, cells)
    ((_, stack),) = components.stacks
    x = torch.stack([points[cell] for cell in cells])
    inside = stack.enter_frames(x)
    torch.testing.assert_close(inside.mean(1), torch.zeros(3, 2), atol=2e-3, rtol=0)
    torch.testing.assert_close(inside.square().mean((1, 2)), torch.ones(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(stack.leave_frames(inside), x)


@pytest.mark.parametrize("kind", [LEARNED, GAN])
def test_samples_leave_the_frame(kind):
    points, cells = narrow_modes()
    components = build(kind)
    before = components.sample(range(3), make_generators(5, components=range(3)), 50)
    components.fit_frames(points, cells)
    ((_, stack),) = components.stacks
    after = components.sample(range(3), make_generators(5, components=range(3)), 50)
    torch.testing.assert_close(after, before * stack.extent[:, None, None] + stack.origin[:, None])


def test_bounds_are_densities_of_the_points_themselves():
    points, _ = narrow_modes()
    components = build(LEARNED)
    ((_, stack),) = components.stacks
    inside = score_by_bound(components, points, 0, ("x",))  # frames are the data's own
    components.fit_frames(points, [torch.arange(900)] * 3)
    scaled = score_by_bound(components, points * stack.extent[0] + stack.origin[0], 0, ("x",))
    torch.testing.assert_close(scaled, inside - 2 * stack.extent.log(), rtol=1e-4, atol=1e-4)


def test_a_fixed_variance_keeps_its_size():
    points, cells = narrow_modes()
    components = build(VAE, unit=2.0)
    components.fit_frames(points, cells)
    ((_, stack),) = components.stacks
    torch.testing.assert_close(stack.variance * stack.extent**2, torch.full((3,), 0.1 / 4))


def test_images_have_no_frames():
    components = build(CONV_VAE, shape=(1, 8, 8))
    images = torch.randint(0, 256, (30, 1, 8, 8), dtype=torch.uint8)
    components.fit_frames(images, to_cells(np.arange(30) % 3, 3))
    assert not any("origin" in name or "extent" in name for name in components.state())


def test_a_mode_far_narrower_than_the_data_is_learned_in_its_frame():
    points, cells = narrow_modes()
    wide = {"kind": "mlp", "hidden": [32]}
    kind = change(LEARNED, encoder=wide, decoder=wide)
    ratios = {}
    for framed in (False, True):
        components = build(kind)
        if framed:
            components.fit_frames(points, cells)
        train_components(
            components,
            points,
            cells,
            num_steps=400,
            batch_size=64,
            seed=0,
            purpose=("test",),
            progress=lambda _: None,
        )
        samples = components.sample(range(3), make_generators(1, components=range(3)), 2000)
        ratios[framed] = [(samples[j].std(0) / points[cells[j]].std(0)).log().abs().max() for j in range(3)]
    assert max(ratios[True]) < 0.35
    assert min(ratios[False]) > 1  # in the data's units all of them are e times too wide, at the least
