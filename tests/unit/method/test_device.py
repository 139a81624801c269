"""The device that is asked for, or a sentence that says why not; and products of float32 that are what they say."""

import pytest
import torch

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.device import choose_device, choose_kernels, choose_precision


def test_device():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_so():
    with pytest.raises(UserError, match=r"device: cuda.*auto or cpu"):
        choose_device("cuda")


@pytest.mark.usefixtures("restore_pytorch")
@pytest.mark.parametrize("shape", [(3, 64, 500, 500), (10, 128, 784, 256)])
def test_no_cpu_rounds_the_inputs_of_products(shape):
    """Six binary digits less than float32 has, for sums of some hundred; bfloat16 has sixteen less, TF32 thirteen.

    How many are lost goes by the order in which a processor's kernel adds: four on an AMD EPYC.
    """
    k, batch, inputs, outputs = shape
    random = torch.Generator().manual_seed(0)
    x, weights = (torch.rand(size, generator=random) for size in ((k, batch, inputs), (k, inputs, outputs)))
    choose_kernels(1)
    torch.testing.assert_close((x @ weights).double(), x.double() @ weights.double(), rtol=2**-18, atol=0)


@pytest.mark.usefixtures("restore_pytorch")
@pytest.mark.parametrize(
    ("products", "expected"), [((512.0, 512.25), "high"), ((512.0, 512.0), "highest"), ((512.25,), "medium")]
)
def test_a_cpu_that_rounds_gets_other_kernels(products, expected, monkeypatch):
    torch.set_float32_matmul_precision("highest")
    found = iter(products)
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda *_: torch.full((1,), next(found)))
    assert choose_precision.__wrapped__() == expected
    assert torch.get_float32_matmul_precision() == "highest"
