"""The importance-weighted bound against its formula in NumPy, and against a density that is known."""

import math

import numpy as np
import pytest
import torch
from examples import VAE, change
from scipy import stats
from scipy.special import logsumexp
from test_stack import make_stack
from test_vae import encode, run_mlp

from competitive_mixtures.networks.vae import OFFSET_DRAWS, choose_near, draw_quasi_normal, select_rows

K = 3
LEARNED = change(VAE, likelihood={"kind": "gaussian", "variance": "learned", "samples": "draws"})


def test_it_is_burdas_formula():
    """log 1/m sum_i p(x|z_i) p(z_i) / q(z_i|x), eq. 8 of arXiv 1509.00519."""
    stack = make_stack(change(VAE, likelihood={"variance": 0.3}))
    x = torch.randn(6, 2)
    found = stack.log_importance_bound(x, 5).numpy()
    points = x.double().numpy()
    for j in range(K):
        mean, deviation = encode(stack, j, points)
        weights = []
        for draw in draw_quasi_normal(5, 2).double().numpy():
            z = mean + deviation * draw
            output = run_mlp(stack.decoder.layers, j, z)
            weights.append(
                stats.norm(output, math.sqrt(0.3)).logpdf(points).sum(1)
                + stats.norm.logpdf(z).sum(1)
                - stats.norm(mean, deviation).logpdf(z).sum(1)
            )
        np.testing.assert_allclose(found[j], logsumexp(weights, axis=0) - math.log(5), rtol=1e-4, atol=1e-4)


def test_it_rises_to_the_density_of_a_linear_decoder():
    """x = W z + b + noise is N(b, W W^T + v I); the encoder's is any Gaussian that is wide enough."""
    stack = make_stack(change(VAE, likelihood={"variance": 0.5}, decoder={"hidden": [4]}))
    with torch.no_grad():
        for layer in stack.encoder.layers:
            layer.weight.zero_()
            layer.bias.zero_()  # q = N(0, I), the prior
        first, last = stack.decoder.layers
        first.weight.zero_()
        first.bias.fill_(10.0)  # where a ReLU is linear
        first.weight[:, 0, 0] = first.weight[:, 1, 1] = 1.0
        last.weight.zero_()
        last.weight[:, 0, 0], last.weight[:, 1, 1], last.weight[:, 0, 1] = 1.0, 0.5, 0.3
        last.bias.copy_(torch.tensor([-10.0, -8.0]).expand(K, 2))
    weight = np.array([[1.0, 0.3], [0.0, 0.5]])
    exact = stats.multivariate_normal([0, 0], weight.T @ weight + 0.5 * np.eye(2))
    x = torch.randn(40, 2)
    bounds = [stack.log_importance_bound(x, draws)[0].numpy().mean() for draws in (1, 8, 64, 2048)]
    assert bounds[0] < bounds[2] < bounds[3] + 0.01
    assert bounds[3] == pytest.approx(exact.logpdf(x.numpy()).mean(), abs=0.02)


def test_the_draws_are_standard_normal_and_always_the_same():
    draws = draw_quasi_normal(512, 5)
    assert draws.dtype == torch.float32
    assert torch.equal(draws, draw_quasi_normal.__wrapped__(512, 5))
    assert draws.mean(0).abs().max() < 0.02
    assert (draws.std(0) - 1).abs().max() < 0.03
    assert (torch.corrcoef(draws.T) - torch.eye(5)).abs().max() < 0.1


@pytest.mark.parametrize("distance", [1e3, 1e6, 1e12, 1e30])
def test_the_bound_of_a_point_far_from_all_others_is_finite_and_falls(distance):
    """The encoder's log-variance runs on in a straight line, to where its exponential overflows."""
    stack = make_stack(VAE)
    points = torch.tensor([[1.0, 1.0], [distance, distance], [-distance, distance]])
    near, *far = stack.log_importance_bound(points, 8).T
    assert torch.isfinite(torch.stack(far)).all()
    assert (torch.stack(far) < near).all()
    noise = torch.zeros(stack.count, len(points), stack.settings.latent_dim)
    near, *far = stack.log_bound(points, noise).T
    assert torch.isfinite(torch.stack(far)).all()
    assert (torch.stack(far) < near).all()


def spread_out(distance):
    """VAEs of points around (0, 0), (distance, 0), ..., and 20 points around each."""
    stack = make_stack(LEARNED, standardize="cells")
    stack.variance.fill_(0.1)
    centres = torch.tensor([[distance * j, 0.0] for j in range(K)])
    points = centres[:, None] + torch.tensor([1.0, 0.01, 1e-4])[:, None, None] * torch.randn(K, 20, 2)
    stack.fit_standardizations(points)
    return stack, points.flatten(0, 1)


def test_a_component_has_one_draw_where_another_one_is_far_likelier():
    stack, points = spread_out(100.0)
    exact, rough = stack.log_offset(points), stack.log_offset(points, skims=True)
    own = torch.arange(K).repeat_interleave(20) == torch.arange(K)[:, None]
    torch.testing.assert_close(rough[own], exact[own], rtol=1e-5, atol=1e-4)
    first = stack.log_importance_bound(points, 1) - math.log(OFFSET_DRAWS)
    torch.testing.assert_close(rough[~own], first[~own], rtol=1e-5, atol=1e-4)
    assert (rough <= exact + 1e-5 * exact.abs()).all()  # a lower bound still
    torch.testing.assert_close(rough.softmax(0), exact.softmax(0), rtol=0, atol=1e-6)


def test_a_wide_component_is_far_from_points_of_a_narrow_one_at_its_centre():
    """By the densities of the points as they are, not as each component sees them."""
    stack = make_stack(LEARNED, standardize="cells")
    stack.variance.fill_(0.1)
    points = torch.tensor([1.0, 1e-14, 1.0])[:, None, None] * torch.randn(K, 20, 2)
    points[2] += 100.0
    stack.fit_standardizations(points)
    points = points.flatten(0, 1)
    exact, rough = stack.log_offset(points), stack.log_offset(points, skims=True)
    narrow = slice(20, 40)
    torch.testing.assert_close(rough[1, narrow], exact[1, narrow], rtol=1e-5, atol=1e-4)
    assert (rough[0, narrow] < exact[0, narrow] - 0.1).any()


def test_all_draws_are_taken_where_most_points_are_near_several_components():
    stack, points = spread_out(1.0)
    assert stack.log_offset(points, skims=True).equal(stack.log_offset(points))


def test_near_points_are_as_many_for_every_component():
    """Component 0 may have made points 0 and 3, component 1 only 1: it is given the next likely one besides."""
    densities = torch.tensor(
        [[0.0, -90.0, -80.0, 0.0, -70.0], [-60.0, 0.0, -70.0, -51.0, -80.0], [-60.0, -60.0, 0.0, -60.0, 0.0]]
    )
    rows = choose_near(densities)
    assert rows is not None
    assert [set(row) for row in rows.tolist()] == [{0, 3}, {1, 3}, {2, 4}]
    assert select_rows(densities, rows).tolist()[1] == [0.0, -51.0]


def test_no_choice_where_it_would_save_little():
    assert choose_near(torch.tensor([[0.0, -90.0, 0.0], [-90.0, 0.0, -90.0]])) is None
