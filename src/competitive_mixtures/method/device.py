"""Where a run's networks are, and how PyTorch computes there."""

import os

import torch

from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.kernels.threads import keep_freed_memory


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


def choose_kernels(threads: int) -> None:
    """Have PyTorch run on `threads` CPU threads, with kernels that give the same bytes each time.

    Float32 products may use the processor's faster kernels ("medium"): on a GPU or a recent CPU these round their
    inputs to fewer bits; on other CPUs the results are as exact, from another library.
    """
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("medium")
    keep_freed_memory()
    if torch.cuda.is_available():  # on a CPU every kernel used here is deterministic as it is
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010, a property of a module
        torch.use_deterministic_algorithms(True, warn_only=True)
