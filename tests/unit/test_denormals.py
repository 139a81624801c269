"""Denormal numbers count as zero inside of a block, in its thread, and nowhere else."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from competitive_mixtures.denormals import flush_denormals, flushes_denormals
from competitive_mixtures.evaluation import kernel_density
from competitive_mixtures.evaluation.kernel_density import candidate_bandwidths, log_kernel_density
from competitive_mixtures.method import gaussian_fits
from competitive_mixtures.method.gaussian_mixture import fit_gaussian_mixture

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


BORN_INSIDE = """
import torch
from competitive_mixtures.denormals import flush_denormals
torch.set_num_threads(2)
with flush_denormals():
    torch.zeros(4_000_000, dtype=torch.float32).add_(1)
assert ((torch.full((4_000_000,), 2e-38, dtype=torch.float32) * 0.1) > 0).all()
"""


def test_threads_of_pytorch_do_not_keep_it():
    """A thread takes over the mode of the one that starts it: here the first operation that is shared is inside."""
    subprocess.run([sys.executable, "-c", BORN_INSIDE], check=True, env=os.environ | {"OMP_NUM_THREADS": "2"})


def fit_mixture():
    """Float32 shares of far Gaussians: of 51 columns the leading axes are modelled."""
    random = np.random.default_rng(0)
    points = random.normal(size=(600, 51)) + 9 * random.integers(0, 3, size=(600, 1))
    mixture, parts, passes = fit_gaussian_mixture(torch.from_numpy(points.astype(np.float32)), 3, 0)
    return [mixture.means, mixture.factors, parts, np.array(passes)]


def sum_kernels():
    samples = np.random.default_rng(0).normal(size=(300, 2))
    return [log_kernel_density(samples[::2], samples, candidate_bandwidths(samples))]


@pytest.mark.parametrize(
    ("module", "name", "compute"),
    [(gaussian_fits, "fit_from_short_runs", fit_mixture), (kernel_density, "_sum_kernels", sum_kernels)],
)
def test_what_far_parts_add_has_the_same_bytes_without_it(monkeypatch, module, name, compute):
    function, modes = getattr(module, name), []

    def look(*arguments):
        modes.append(flushes_denormals())
        return function(*arguments)

    monkeypatch.setattr(module, name, look)
    found = compute()
    assert all(modes)
    monkeypatch.setattr(torch, "set_flush_denormal", lambda _: False)
    modes.clear()
    expected = compute()
    assert not any(modes)
    assert modes
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))
