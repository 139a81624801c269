"""Our Adam is PyTorch's, by the fused kernel and by the plain formula."""

import pytest
import torch
from torch import nn

from competitive_mixtures.networks import adam
from competitive_mixtures.networks.adam import Adam
from competitive_mixtures.networks.kernels import availability
from competitive_mixtures.settings import schema


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.5, 0.9), (0.0, 0.0)])
def test_adam_is_torchs(beta1, beta2, fused, monkeypatch):
    monkeypatch.setattr(availability, "has", lambda kernel: fused)
    settings = schema.Optimizer(learning_rate=0.01, beta1=beta1, beta2=beta2)
    network, twin = (nn.Sequential(nn.Linear(3, 7), nn.ReLU(), nn.Linear(7, 2)) for _ in range(2))
    twin.load_state_dict(network.state_dict())
    ours = Adam(network, settings)
    assert (ours._update is adam.update) == (not fused)
    torchs = torch.optim.Adam(twin.parameters(), lr=0.01, betas=(beta1, beta2))
    for _ in range(30):
        x = torch.randn(5, 3)
        ours.minimize(network(x).square().sum(1))
        torchs.zero_grad()
        twin(x).square().sum().backward()
        torchs.step()
    for p, q in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)
    moments = [torchs.state[p]["exp_avg_sq"] for p in twin.parameters()]
    for square, moment in zip(ours.moments()["square"].values(), moments, strict=True):
        torch.testing.assert_close(square, moment, rtol=1e-5, atol=1e-6)
