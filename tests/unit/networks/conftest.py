import pytest
import torch


@pytest.fixture(autouse=True)
def seed_inputs():
    """The tests' inputs come from the global generator; the package itself never draws from it."""
    torch.manual_seed(0)
