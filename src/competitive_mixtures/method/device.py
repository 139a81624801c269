"""Where a run's networks are, and how PyTorch computes there."""

import os
from functools import cache

import torch

from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.kernels.threads import keep_freed_memory

ROUNDED_AWAY = 2.0**-12  # what neither bfloat16 nor TF32 keeps beside 1


def choose_device(name: str) -> torch.device:
    """The device of a run: "auto" is the GPU where there is one.

    Raises:
        UserError: a GPU is asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda: PyTorch finds no GPU on this machine; use auto or cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


@cache
def warm_up(device: torch.device, *, convolves: bool) -> None:
    """Have the libraries start on a device before a clock does: once in a process, and without random numbers.

    On a GPU the first product makes the context and loads kernels, which can take seconds; on a CPU the first gradient
    and the first convolution take longer than the next ones, by tens of milliseconds.

    Args:
        device: of the run.
        convolves: whether convolutions will run too.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = torch.ones(2, 1, 8, 8, dtype=torch.float32, device=device, requires_grad=True)
        y = x @ x
        if convolves:
            y = torch.nn.functional.conv2d(y, torch.ones(1, 1, 3, 3, dtype=torch.float32, device=device))
        y.square().sum().backward()
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def find_memory(device: torch.device) -> tuple[int, str]:
    """Bytes of memory that a device has in all, and a name for it."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory, "this GPU"
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "this machine"


def choose_kernels(threads: int) -> None:
    """Have PyTorch run on `threads` CPU threads, with kernels that give the same bytes each time.

    Products of float32 are exact to float32's rounding on every CPU; a GPU rounds their inputs to TF32.
    """
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(choose_precision())
    keep_freed_memory()
    if torch.cuda.is_available():  # on a CPU every kernel used here is deterministic as it is
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010, a property of a module
        torch.set_deterministic_debug_mode("warn")  # `use_deterministic_algorithms` imports PyTorch's compiler as well


@cache
def choose_precision() -> str:
    """The word for `torch.set_float32_matmul_precision` with the fastest products that this CPU does not round.

    "medium" has them computed by oneDNN, on AMD's processors up to twice as fast as MKL and as exact. A CPU with
    matrix units for bfloat16 rounds their inputs to its eight bits under that word; "high", which is the same to a GPU,
    may come to TF32's eleven.
    """
    before = torch.get_float32_matmul_precision()
    chosen = next((word for word in ("medium", "high") if not rounds_products(word)), "highest")
    torch.set_float32_matmul_precision(before)
    return chosen


def rounds_products(word: str) -> bool:
    """Whether this CPU rounds the inputs of products under a word, which is left set."""
    torch.set_float32_matmul_precision(word)
    factor = torch.full((512, 512), 1 + ROUNDED_AWAY, dtype=torch.float32, device="cpu")
    with torch.autocast("cpu", enabled=False):  # a caller's, which rounds by itself
        return bool((factor @ factor).max() < 512 * (1 + ROUNDED_AWAY))
