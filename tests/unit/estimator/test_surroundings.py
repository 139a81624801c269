"""What a caller has set of PyTorch and NumPy changes no result, and is as it was afterwards, in threads too."""

import copy
import pickle
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from examples import make_blobs, make_images
from sklearn import config_context
from sklearn.base import clone
from torch.overrides import _get_current_function_mode_stack

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.method.device import choose_precision
from competitive_mixtures.method.pytorch_settings import FRESH, borrow_pytorch, keep_settings

pytestmark = pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")
DATA = {"vectors": make_blobs().train, "images": make_images().train}


MODEL = CompetitiveMixture(2, n_rounds=2, steps_per_round=10, hidden_layer_sizes=(8,), random_state=0)


def use(X):
    """What a small fit, its predictions and its samples come to."""
    model = clone(MODEL).fit(X)
    return [model.labels_, model.predict(X), model.predict_proba(X), model.sample(5)[0], model.score_samples(X)]


def draw(model, X):
    """What a plot shows, as numbers."""
    axes = model.plot(X if X.ndim == 2 else None, n_samples=20)
    shown = [np.asarray(part.get_offsets()) for part in axes.collections] + [im.get_array() for im in axes.images]
    plt.close(axes.figure)
    return shown


def save(model, folder):
    """The bytes of a saved estimator."""
    model.save(folder / "saved")
    return np.frombuffer((folder / "saved").read_bytes(), np.uint8)


def load(model, X, folder):
    """What a loaded estimator predicts."""
    model.save(folder / "loaded")
    return CompetitiveMixture.load(folder / "loaded").predict_proba(X)


def go_on(model, X):
    """What a copy's further rounds come to."""
    return copy.deepcopy(model).set_params(warm_start=True, n_rounds=1).fit(X).history_["compute"].to_numpy()


METHODS = {
    "fit": lambda model, X, folder: [clone(model).fit(X).labels_],
    "fit_predict": lambda model, X, folder: [clone(model).fit_predict(X)],
    "predict": lambda model, X, folder: [model.predict(X), model.predict(torch.from_numpy(X))],
    "predict_proba": lambda model, X, folder: [model.predict_proba(X)],
    "sample": lambda model, X, folder: model.sample(5),
    "score": lambda model, X, folder: [model.score(X)],
    "score_samples": lambda model, X, folder: [model.score_samples(X)],
    "plot": lambda model, X, folder: draw(model, X),
    "save": lambda model, X, folder: [save(model, folder)],
    "load": lambda model, X, folder: [load(model, X, folder)],
    "pickle": lambda model, X, folder: [pickle.loads(pickle.dumps(model)).predict_proba(X)],
    "copy": lambda model, X, folder: [copy.copy(model).predict_proba(X), copy.deepcopy(model).predict_proba(X)],
    "warm start": lambda model, X, folder: [go_on(model, X)],
    "get_params": lambda model, X, folder: [list(model.get_params().items())],
    "set_params": lambda model, X, folder: [list(clone(model).set_params(n_rounds=9).get_params().items())],
    "get_metadata_routing": lambda model, X, folder: [str(model.get_metadata_routing())],
    "repr": lambda model, X, folder: [repr(model), model._repr_html_().split("<style>")[0]],
}


IMAGES = [("images", name) for name in ("fit", "sample", "score", "plot", "save", "load")]  # where these differ


@contextmanager
def setting(set_, before, now):
    """Set something and set it back."""
    set_(now)
    try:
        yield
    finally:
        set_(before)


def setting_of(owner, name, now):
    """Set an attribute and set it back."""
    return setting(lambda value: setattr(owner, name, value), getattr(owner, name), now)


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
    "products by backend": lambda: setting_of(torch.backends.mkldnn.matmul, "fp32_precision", "bf16"),
    "products of a GPU by backend": lambda: setting_of(torch.backends.cuda.matmul, "fp32_precision", "tf32"),
    "convolutions": lambda: setting_of(torch.backends.mkldnn.conv, "fp32_precision", "bf16"),
    "all by backend": lambda: setting_of(torch.backends, "fp32_precision", "tf32"),
    "no oneDNN": lambda: setting_of(torch.backends.mkldnn, "enabled", False),
    "denormals": lambda: setting(torch.set_flush_denormal, False, True),
    "NumPy prints": lambda: np.printoptions(legacy="1.13", precision=2),
    "scikit-learn validates less": lambda: config_context(assume_finite=True, skip_parameter_validation=True),
    "scikit-learn gives data frames": lambda: config_context(transform_output="pandas", enable_metadata_routing=True),
    "anomaly detection": torch.autograd.detect_anomaly,
}


def observe():
    """Every setting that a fit could touch."""
    return (
        torch.get_default_dtype(),
        *(getattr(owner, name) for owner, name, _ in FRESH),
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
        assert np.array_equal(one, other) if isinstance(other, np.ndarray) else one == other


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """For each kind of data a fitted model, its points, and what each method gives under no setting at all."""
    folder = tmp_path_factory.mktemp("fitted")
    models = {kind: clone(MODEL).fit(X) for kind, X in DATA.items()}
    return {
        kind: (model, DATA[kind], {name: METHODS[name](model, DATA[kind], folder) for name in METHODS})
        for kind, model in models.items()
    }


def test_every_public_method_is_tried():
    methods = {name for name in dir(CompetitiveMixture) if not name.startswith("_")}
    assert methods <= set(METHODS)


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize(("kind", "method"), [*(("vectors", name) for name in METHODS), *IMAGES])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_changes_nothing_and_stays(name, kind, method, fitted, tmp_path):
    model, X, expected = fitted[kind]
    model = copy.deepcopy(model)  # without the density that it has found
    with SETTINGS[name]():
        before = observe()
        assert_same(METHODS[method](model, X, tmp_path), expected[method])
        assert observe() == before


def reset():
    """What a fresh process has: a test after this one may multiply."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.mkldnn.matmul.fp32_precision = torch.backends.cuda.matmul.fp32_precision = "none"
    for owner, name, value in FRESH:
        setattr(owner, name, value)


@pytest.mark.parametrize("ways", [("matmul", "all"), ("all", "matmul"), ("all", "conv", "legacy"), ("legacy", "all")])
def test_precisions_that_inherit_from_one_another_stay(ways):
    set_ = {
        "all": lambda: setattr(torch.backends, "fp32_precision", "bf16"),
        "matmul": lambda: setattr(torch.backends.mkldnn.matmul, "fp32_precision", "ieee"),
        "conv": lambda: setattr(torch.backends.cudnn.conv, "fp32_precision", "ieee"),
        "legacy": lambda: torch.set_float32_matmul_precision("high"),
    }
    with ExitStack() as stack:
        keep_settings(stack)
        stack.callback(reset)
        for way in ways:
            set_[way]()
        before = observe()
        with borrow_pytorch(1):
            assert torch.get_float32_matmul_precision() == choose_precision()
            assert torch.backends.mkldnn.conv.fp32_precision == "none"
            assert torch.backends.cudnn.conv.fp32_precision == "tf32"
        assert observe() == before


def test_no_call_of_a_fit_takes_a_detour_through_python():
    """PyTorch's modes, such as one for the default device, see every call of it, for a fifth of a small fit's time."""
    with borrow_pytorch(1):
        assert len(_get_current_function_mode_stack()) == 0
    with torch.device("meta"), borrow_pytorch(1):
        assert torch.empty(1).device.type == "cpu"


def test_no_fit_imports_the_compiler_of_pytorch():
    """It takes seconds, more than the smallest fits; `use_deterministic_algorithms` imports it, for one."""
    fit = (
        "import sys, numpy; from competitive_mixtures import CompetitiveMixture\n"
        "CompetitiveMixture(1, n_rounds=1, steps_per_round=1).fit(numpy.eye(9)).score(numpy.eye(9))\n"
        "print(sorted({'torch._inductor', 'torch._dynamo', 'sympy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", fit], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


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
