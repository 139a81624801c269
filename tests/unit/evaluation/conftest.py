"""A weights file with random numbers under the names and shapes of pytorch-fid's."""

from pathlib import Path

import pytest
import torch

from competitive_mixtures.evaluation.inception import build_network
from competitive_mixtures.evaluation.inception_weights import WEIGHTS_URL


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as torch's hub, with random weights under the name where pytorch-fid looks for its own."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, tensor in build_network().state_dict().items():
        if name.endswith("running_var"):
            weights[name] = torch.rand(tensor.shape, generator=generator) + 0.5
        elif tensor.ndim == 4:
            scale = (2 / tensor[0].numel()) ** 0.5
            weights[name] = torch.randn(tensor.shape, generator=generator) * scale
        elif tensor.ndim:
            weights[name] = torch.randn(tensor.shape, generator=generator) * 0.1 + name.endswith("bn.weight")
        else:
            weights[name] = torch.tensor(0)
    folder = tmp_path_factory.mktemp("hub")
    path = folder / "hub" / "checkpoints" / Path(WEIGHTS_URL).name
    path.parent.mkdir(parents=True)
    torch.save(weights, path)
    return folder


@pytest.fixture(scope="session")
def weights(hub: Path) -> Path:
    return hub / "hub" / "checkpoints" / Path(WEIGHTS_URL).name
