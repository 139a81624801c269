"""The device that is asked for, or a sentence that says why not."""

import pytest
import torch

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.device import choose_device


def test_device():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_so():
    with pytest.raises(UserError, match=r"device: cuda.*auto or cpu"):
        choose_device("cuda")
