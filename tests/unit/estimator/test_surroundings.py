"""What a caller has set of PyTorch and NumPy changes no result, and is as it was afterwards, in threads too."""

import threading
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from examples import make_blobs, make_images

from competitive_mixtures import CompetitiveMixture

pytestmark = pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")
DATA = {"vectors": make_blobs().train, "images": make_images().train}


def use(X):
    """What a small fit, its predictions and its samples come to."""
    model = CompetitiveMixture(2, n_rounds=2, steps_per_round=10, hidden_layer_sizes=(8,), random_state=0).fit(X)
    return [model.labels_, model.predict(X), model.predict_proba(X), model.sample(5)[0], model.score_samples(X)]


@contextmanager
def setting(set_, before, now):
    """Set something and set it back."""
    set_(now)
    try:
        yield
    finally:
        set_(before)


def set_errors(state):
    np.seterr(**state)


SETTINGS = {
    "double precision": lambda: setting(torch.set_default_dtype, torch.float32, torch.float64),
    "half precision": lambda: setting(torch.set_default_dtype, torch.float32, torch.bfloat16),
    "another device": lambda: setting(torch.set_default_device, None, "meta"),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "precision": lambda: setting(torch.set_float32_matmul_precision, "highest", "high"),
    "threads": lambda: setting(torch.set_num_threads, torch.get_num_threads(), 3),
    "deterministic": lambda: setting(torch.use_deterministic_algorithms, False, True),
    "NumPy raises": lambda: setting(set_errors, np.geterr(), dict.fromkeys(np.geterr(), "raise")),
    "anomaly detection": torch.autograd.detect_anomaly,
}


def observe():
    """Every setting that a fit could touch."""
    return (
        torch.get_default_dtype(),
        torch.get_float32_matmul_precision(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch.initial_seed(),
        str(torch.get_default_device()),
        np.geterr(),
    )


@pytest.fixture(scope="module", params=DATA)
def expected(request):
    return DATA[request.param], use(DATA[request.param])


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_changes_nothing_and_stays(name, expected):
    X, results = expected
    with SETTINGS[name]():
        before = observe()
        assert_same(use(X), results)
        assert observe() == before


def test_fits_in_threads_take_turns_and_leave_all_as_it_was(expected):
    X, results = expected
    with ExitStack() as stack:
        stack.enter_context(SETTINGS["precision"]())
        stack.enter_context(SETTINGS["threads"]())
        before, found = observe(), []
        threads = [threading.Thread(target=lambda: found.append(use(X))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        for results_of_thread in found:
            assert_same(results_of_thread, results)
        assert observe() == before


def test_a_failed_fit_leaves_all_as_it_was():
    with SETTINGS["precision"]():
        before = observe()
        with pytest.raises(ValueError, match="diverged"):
            CompetitiveMixture(2, random_state=0, settings={"components": {"optimizer": {"learning_rate": 1e6}}}).fit(
                DATA["vectors"]
            )
        assert observe() == before
