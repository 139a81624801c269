"""PyTorch's settings that all of a process shares: set aside while the estimator computes, and put back afterwards."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from typing import Any

import numpy as np
import torch

from competitive_mixtures.denormals import flushes_denormals
from competitive_mixtures.method.device import choose_kernels

backends: Any = torch.backends
# Settings that decide what kernels compute, as a fresh process has them. Parts stand after what they inherit from.
FRESH: tuple[tuple[Any, str, Any], ...] = (
    (backends, "fp32_precision", "none"),
    (backends.cudnn, "fp32_precision", "none"),
    (backends.cudnn.conv, "fp32_precision", "tf32"),
    (backends.mkldnn.conv, "fp32_precision", "none"),
    (backends.cuda.matmul, "fp32_precision", "none"),  # of products `choose_kernels` sets it
    (backends.mkldnn.matmul, "fp32_precision", "none"),
    (backends.mkldnn, "enabled", True),
    (backends.cudnn, "enabled", True),
    (backends.cudnn, "benchmark", False),
    (backends.cudnn, "deterministic", False),
    (backends.opt_einsum, "enabled", backends.opt_einsum.is_available()),
    (backends.opt_einsum, "strategy", "auto" if backends.opt_einsum.is_available() else None),
    (torch.utils.deterministic, "fill_uninitialized_memory", False),
)
# What `torch.set_float32_matmul_precision` makes of each of its words, for CUDA and the CPU.
PRODUCTS = {"highest": ("ieee", "ieee"), "high": ("tf32", "tf32"), "medium": ("tf32", "bf16")}

_turn = threading.RLock()  # the settings are the process's: calls from several threads take turns


@contextmanager
def borrow_pytorch(threads: int) -> Iterator[None]:
    """Compute inside the block as a job of the pipeline does, and leave PyTorch and NumPy as they were found.

    A caller's default type or device, autocasting, `no_grad`, `inference_mode`, precisions and kernels of backends, and
    NumPy's handling of floating-point errors have no effect inside. Freed memory stays with the process afterwards, see
    `keep_freed_memory`.

    Args:
        threads: PyTorch's CPU threads inside the block.
    """
    with _turn, ExitStack() as found:
        keep_settings(found)
        choose_kernels(threads)
        with (
            default_to_cpu(),
            torch.autocast("cpu", enabled=False),
            torch.autocast("cuda", enabled=False),
            torch.inference_mode(False),
            torch.enable_grad(),
            np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"),
        ):
            yield


def default_to_cpu() -> AbstractContextManager[object]:
    """A block in which tensors are made on the CPU.

    PyTorch's own such block takes each of its calls through Python, a fifth of the time of a fit of small networks. So
    it is opened only inside of a caller's that names another device.
    """
    cpu = torch.device("cpu")
    return nullcontext() if torch.get_default_device() == cpu else cpu


def keep_settings(found: ExitStack) -> None:
    """Set every setting to what a fresh process has, and have `found` put it back."""
    found.callback(torch.set_num_threads, torch.get_num_threads())
    found.callback(torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode())
    if flushes_denormals():
        found.callback(torch.set_flush_denormal, True)
        torch.set_flush_denormal(False)
    others = []
    for owner, name, value in FRESH:
        before = getattr(owner, name)  # a part's own, since what it inherits from is fresh already
        if before != value:
            others.append((owner, name, before))
            setattr(owner, name, value)
    found.callback(put_back, read_precision_of_products(), others)


def put_back(products: str, others: Sequence[tuple[Any, str, Any]]) -> None:
    """Set what was found.

    Args:
        products: see `read_precision_of_products`.
        others: owner, name and value of the settings that were not as in `FRESH`, in its order.
    """
    torch.set_float32_matmul_precision(products)
    for backend in (backends.cuda, backends.mkldnn):
        backend.matmul.fp32_precision = "none"
    for owner, name, value in others:
        setattr(owner, name, value)


def read_precision_of_products() -> str:
    """What `torch.set_float32_matmul_precision` was called with last.

    PyTorch refuses to say so where a caller has set another precision for a backend, so this sets those.
    """
    for on_cuda, on_cpu in PRODUCTS.values():
        backends.cuda.matmul.fp32_precision, backends.mkldnn.matmul.fp32_precision = on_cuda, on_cpu
        with suppress(RuntimeError):
            return torch.get_float32_matmul_precision()
    raise AssertionError("a precision of float32 products that PyTorch does not have")
