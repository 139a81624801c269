"""Denormal numbers, those below the normal range of their type, with which many processors compute in microcode."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

GRAIN = 2**15  # numbers, of which PyTorch gives each thread at least so many


@contextmanager
def flush_denormals() -> Iterator[None]:
    """Take denormal numbers for zero inside the block, in this thread, where its processor can.

    A unit that no point activates any more has gradients of zero, so that Adam's running means of them shrink by a
    factor a step until they are denormal. There they stay: multiplied by 0.9 the smallest ones round to themselves.
    Saturated sigmoids give others. No weight of a training was seen to change by it (tests hold some).

    PyTorch's other threads go on as they are: inside a product or an update that several threads share, only this one's
    part is flushed. A thread that is born inside the block would keep the mode, so those of PyTorch are born before.
    """
    start_threads()
    before = flushes_denormals()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def start_threads() -> None:
    """Have PyTorch start the threads that it shares work with, where it has not."""
    if (threads := torch.get_num_threads()) > 1:
        torch.zeros(2 * GRAIN * threads, dtype=torch.float32, device="cpu").add_(1)


def flushes_denormals() -> bool:
    """Whether this thread takes denormal numbers for zero; PyTorch has no function that tells."""
    return not bool(np.float32(1e-40) * np.float32(1))
