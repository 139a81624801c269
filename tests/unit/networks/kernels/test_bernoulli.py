"""The cross-entropy of intensities, and its gradient, beside formulas in NumPy."""

import numpy as np
import pytest
import torch

from competitive_mixtures.networks.kernels.bernoulli import BernoulliLoss, bernoulli_loss


def draw(logits):
    o = torch.tensor(logits, dtype=torch.float32).view(1, 1, -1)
    return o, torch.rand(o.shape, generator=torch.Generator().manual_seed(0))


LOGITS = {
    "around zero": [-1e-30, -0.0, 0.0, 1e-30],
    "moderate": np.linspace(-8, 8, 33).tolist(),
    "beyond where exp overflows": [-1e4, -100.0, 100.0, 1e4],
}


@pytest.mark.parametrize("logits", LOGITS.values(), ids=LOGITS)
def test_loss_and_gradient_by_their_formulas(logits):
    o, x = draw(logits)
    losses, gradient = bernoulli_loss(o, x)
    exact, intensity = o.double().numpy(), x.double().numpy()
    np.testing.assert_allclose(losses, (np.logaddexp(0, exact) - exact * intensity).sum(2), rtol=1e-6, atol=1e-6)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(gradient, 1 / (1 + np.exp(-exact)) - intensity, atol=1e-7)


def test_the_gradient_is_chosen_without_rounding():
    o, x = draw(np.linspace(-20, 20, 4001).tolist())
    s = torch.sigmoid(o.abs())
    assert torch.equal(bernoulli_loss(o, x)[1], torch.where(o > 0, s, 1 - s) - x)


def test_autograd_scales_the_written_gradient():
    o, x = draw([-3.0, 0.5, 2.0])
    BernoulliLoss.apply(o.requires_grad_(), x).mul(2.5).sum().backward()
    torch.testing.assert_close(o.grad, 2.5 * bernoulli_loss(o.detach(), x)[1])


def test_a_logit_that_is_no_number_shows():
    losses, gradient = bernoulli_loss(*draw([float("nan"), 1.0]))
    assert losses.isnan().all()
    assert gradient.isnan().tolist() == [[[True, False]]]
