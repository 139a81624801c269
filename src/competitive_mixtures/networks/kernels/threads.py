"""How small networks run fast on a CPU: what the allocator keeps, which kernels multiply, what threads work on."""

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

import torch

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # options of glibc's mallopt, from <malloc.h>
KEPT_BYTES = 2**28  # of freed memory; a training step's temporaries take less
LARGEST_BLOCK = 2**25  # bytes; glibc takes larger blocks from the system in any case
SMALL_PRODUCT = 4e6  # floating-point operations; below, the call of a fast kernel costs more than it saves

CPU = torch.device("cpu")

T = TypeVar("T")


def keep_freed_memory() -> None:
    """Let the process keep the memory that it frees for what it allocates next.

    By default glibc hands memory back to the system as soon as 128 kB at the end of its heap are free. A training step
    frees all of its temporaries, so that the next one meets a thousand page faults, up to half of its time on a CPU.
    Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(MMAP_THRESHOLD, LARGEST_BLOCK)


@contextmanager
def match_kernels(num_operations: float, device: torch.device) -> Iterator[None]:
    """Multiply small matrices with the kernels of least overhead: on a CPU those of the "highest" precision.

    Args:
        num_operations: floating-point operations of the block's largest batched product.
        device: where the products run.
    """
    precision = torch.get_float32_matmul_precision()
    if device.type == "cpu" and num_operations < SMALL_PRODUCT:
        torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)


def run_side_by_side(
    tasks: Sequence[Callable[[], T]], num_operations: float = math.inf, device: torch.device = CPU
) -> list[T]:
    """Run independent tasks on PyTorch's threads, one on each: threads inside the products of small networks wait.

    Args:
        tasks: say, networks to train; they share nothing that they write to.
        num_operations: floating-point operations of the largest batched product in a task.
        device: where the products run.

    Returns:
        Their results, in order; the first failure, in order, is raised and the tasks that have not begun are dropped.
    """
    threads = torch.get_num_threads()
    with match_kernels(num_operations, device):
        if threads == 1 or len(tasks) == 1:
            return [task() for task in tasks]
        torch.set_num_threads(1)
        try:
            contexts = [copy_context() for _ in tasks]  # a thread would start without what is hidden or set in this one
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(lambda context, task: context.run(task), contexts, tasks))
        finally:
            torch.set_num_threads(threads)
