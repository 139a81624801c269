"""Kernels are changed only where products are small, and put back; freed memory stays; tasks share the threads."""

import ctypes
import resource
import threading
from functools import partial

import pytest
import torch

from competitive_mixtures.method.device import choose_precision
from competitive_mixtures.networks.kernels.threads import (
    SMALL_PRODUCT,
    keep_freed_memory,
    match_kernels,
    run_side_by_side,
)
from competitive_mixtures.progress import hide_progress, show_progress

CPU, GPU = torch.device("cpu"), torch.device("cuda")
pytestmark = pytest.mark.usefixtures("restore_pytorch")


@pytest.mark.parametrize(
    ("num_operations", "device", "expected"),
    [(SMALL_PRODUCT / 2, CPU, "highest"), (2 * SMALL_PRODUCT, CPU, "medium"), (SMALL_PRODUCT / 2, GPU, "medium")],
)
def test_small_products_on_a_cpu_take_other_kernels(num_operations, device, expected):
    torch.set_float32_matmul_precision("medium")
    with match_kernels(num_operations, device):
        assert torch.get_float32_matmul_precision() == expected
    assert torch.get_float32_matmul_precision() == "medium"


def test_an_error_inside_puts_the_kernels_back():
    torch.set_float32_matmul_precision("medium")
    with pytest.raises(ZeroDivisionError), match_kernels(1, CPU):
        _ = 1 / 0
    assert torch.get_float32_matmul_precision() == "medium"


@pytest.mark.parametrize("size", [3, 64])
def test_kernels_agree(size):
    a, b = torch.randn(2, size, 7), torch.randn(2, 7, size)
    torch.set_float32_matmul_precision(choose_precision())
    fast = a @ b
    with match_kernels(1, CPU):
        torch.testing.assert_close(a @ b, fast)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc")
def test_freed_memory_is_kept():
    keep_freed_memory()

    def take_step():
        held = [torch.ones(100_000) for _ in range(20)]  # 8 MB
        del held

    take_step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        take_step()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 2000  # of 20,000 pages that were written to


@pytest.mark.parametrize(("threads", "expected"), [(1, 1), (3, 3)])
def test_tasks_take_a_thread_each_and_products_inside_them_one(threads, expected):
    torch.set_num_threads(threads)
    together = threading.Barrier(expected)  # passes only when so many tasks run at once

    def task(j):
        together.wait(timeout=60)
        return j, torch.get_num_threads()

    assert run_side_by_side([partial(task, j) for j in range(3)]) == [(j, 1) for j in range(3)]
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("threads", [1, 2])
def test_tasks_hide_their_progress_where_it_is_hidden(threads, capsys):
    def task():
        with show_progress("component 0", 1) as report:
            report(1)

    torch.set_num_threads(threads)
    run_side_by_side([task, task])
    assert capsys.readouterr().err.count("component 0: 1/1 steps") == 2
    with hide_progress():
        run_side_by_side([task, task])
    assert capsys.readouterr().err == ""


def test_a_task_alone_keeps_all_threads():
    torch.set_num_threads(3)
    assert run_side_by_side([torch.get_num_threads]) == [3]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_failure_of_the_tasks_is_told(threads):
    torch.set_num_threads(threads)
    with pytest.raises(ZeroDivisionError):
        run_side_by_side([lambda: 1, lambda: 1 / 0, lambda: [][1]])
    assert torch.get_num_threads() == threads
