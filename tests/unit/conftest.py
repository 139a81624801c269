"""One thread for every library: the tests run side by side, and their sums round the same way on every machine."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=3000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture
def restore_pytorch() -> Iterator[None]:
    """Leave PyTorch's threads and the precision of its products as they were before a test that sets them."""
    import torch  # not before the lines above, and not for tests that do without

    precision, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
