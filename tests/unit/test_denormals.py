"""Denormal numbers count as zero inside of a block, in its thread, and nowhere else."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from competitive_mixtures.denormals import flush_denormals, flushes_denormals

pytestmark = [
    pytest.mark.usefixtures("restore_pytorch"),
    pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor keeps denormal numbers"),
]


def shrink():
    """Products below the normal range."""
    return torch.full((8,), 2e-38, dtype=torch.float32) * 0.1


def test_they_are_zero_inside_and_numbers_outside():
    assert shrink().all()
    with flush_denormals():
        assert not shrink().any()
        assert flushes_denormals()
    assert shrink().all()
    assert not flushes_denormals()


def test_what_was_found_is_put_back():
    with pytest.raises(ZeroDivisionError), flush_denormals():
        _ = 1 / 0
    assert not flushes_denormals()
    with flush_denormals():
        with flush_denormals():
            pass
        assert flushes_denormals()


def test_normal_numbers_keep_their_bytes():
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0)) * torch.logspace(-37, 37, 1000)
    with flush_denormals():
        flushed = values * 0.99
    assert torch.equal(flushed, values * 0.99)


def test_other_threads_go_on_as_they_are():
    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(flushes_denormals).result()  # the thread starts here
        with flush_denormals():
            assert not pool.submit(flushes_denormals).result()
