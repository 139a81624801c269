"""Denormal numbers, those below float32's normal range, with which many processors compute a hundred times as long."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def flush_denormals() -> Iterator[None]:
    """Take denormal numbers for zero inside the block, in this thread; other threads go on as they are.

    A unit that no point activates any more has gradients of zero, so that Adam's running means of them shrink by a
    factor a step until they are denormal. There they stay: multiplied by 0.9 the smallest ones round to themselves.
    Saturated sigmoids give others. An update by one of them is less than any weight's last digit.
    """
    before = flushes_denormals()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def flushes_denormals() -> bool:
    """Whether this thread takes denormal numbers for zero; PyTorch has no function that tells."""
    return not bool(np.float32(1e-40) * np.float32(1))
