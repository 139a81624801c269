"""The estimator: what the pipeline computes, in scikit-learn's clothes."""

import copy
import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from examples import BASE, CONV, CONV_VAE, GAN, VAE, make_blobs, make_experiment, make_images, play
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.errors import TrainingDivergedError, UserError
from competitive_mixtures.files.formats import (
    read_json,
    read_metadata,
    read_table,
    read_tensors,
    take_named,
    write_tensors,
)
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.scoring import score_by_bound

pytestmark = pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")  # tiny fits are no good

X = make_blobs().train
IMAGES = make_images().train


def small(n_components=3, **params):
    """An estimator that trains in a moment."""
    return CompetitiveMixture(
        n_components,
        **({"n_rounds": 2, "tol": 0.0, "steps_per_round": 10, "hidden_layer_sizes": (8,), "random_state": 0} | params),
    )


@pytest.fixture(scope="module")
def fitted():
    return small().fit(X)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The pipeline's last round, and the estimator with the same settings."""
    last = play(make_experiment(), make_blobs(), tmp_path_factory.mktemp("run"))
    return last, small(method="plain", settings=BASE | {"dataset": "X"}).fit(X)


@pytest.fixture(scope="module")
def pictured():
    return small(2).fit(IMAGES)


class TestPipeline:
    """The same seed, settings and points give what the jobs of the pipeline give."""

    def test_winners(self, both):
        last, estimator = both
        assert np.array_equal(read_table(last / "assignments.parquet")["component"], estimator.labels_)

    def test_record(self, both):
        last, estimator = both
        record, row = read_json(last / "metrics.json"), estimator.history_.iloc[-1]
        assert estimator.weights_.tolist() == record["weights"]
        for name in ("objective", "share_changed", "samples_seen", "compute"):
            assert row[name] == record[name]
        assert row["margin"] == record["margin_quantiles"]["0.5"]

    def test_samples(self, both):
        last, estimator = both
        run = Run(make_experiment(), make_blobs(), 0)
        components = run.build_components()
        components.load(take_named(read_tensors(last / "state.safetensors"), "components."))
        samples, chosen = run.draw_mixture(components, estimator.weights_, 80, "sample", 0)
        found, of = estimator.sample(80)
        assert np.array_equal(found, samples)
        assert np.array_equal(of, chosen)


class TestInterface:
    def test_an_example_swaps_places_with_a_gaussian_mixture(self):
        for model in (GaussianMixture(3, random_state=0), small()):
            assert model.fit(X) is model
            points, components = model.sample(7)
            assert points.shape == (7, 2)
            assert components.shape == (7,)
            assert set(components) <= {0, 1, 2}
            assert model.predict(X).shape == model.score_samples(X).shape == (120,)
            assert model.score(X) == pytest.approx(model.score_samples(X).mean())
            assert model.weights_.sum() == pytest.approx(1)
            assert np.array_equal(clone(model).fit_predict(X), model.predict(X))

    def test_history(self, fitted):
        history = fitted.history_
        assert history.index.tolist() == [0, 1, 2]
        assert history.index.name == "round"
        assert np.allclose(history.filter(like="weight_").sum(axis=1), 1)
        assert history.filter(like="weight_").iloc[-1].tolist() == fitted.weights_.tolist()
        assert np.array_equal(np.bincount(fitted.labels_, minlength=3) / 120, fitted.weights_)
        assert (history["time_s"] > 0).all()

    def test_samples_follow_the_weights(self, fitted):
        points, components = fitted.sample(3000)
        assert points.shape == (3000, 2)
        assert np.abs(np.bincount(components, minlength=3) / 3000 - fitted.weights_).max() < 0.05

    def test_an_integer_repeats_the_samples_and_none_does_not(self):
        fixed, free = small().fit(X), small(random_state=None).fit(X)
        assert np.array_equal(fixed.sample(5)[0], fixed.sample(5)[0])
        assert not np.array_equal(free.sample(5)[0], free.sample(5)[0])
        generator = small(random_state=np.random.RandomState(1)).fit(X)
        assert not np.array_equal(generator.sample(5)[0], generator.sample(5)[0])

    def test_density_of_vaes(self, fitted):
        """It sums to 1 over a fine grid, but for what the bound lacks."""
        axis = np.linspace(-60, 60, 400)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        total = np.exp(fitted.score_samples(grid)).sum() * (axis[1] - axis[0]) ** 2
        assert 0.9 < total < 1.02

    def test_density_of_gans(self):
        """scikit-learn's kernel density on the same samples; it sums to 1 over a fine grid."""
        fitted = small(component="gan").fit(X)
        samples, bandwidth = fitted._mixture.kernels
        near = samples[:100]  # far away scikit-learn's tree leaves out what it takes for nothing
        expected = KernelDensity(bandwidth=bandwidth).fit(samples).score_samples(near)
        assert np.allclose(fitted.score_samples(near), expected, rtol=1e-5)
        axis = np.linspace(-60, 60, 400)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        assert np.exp(fitted.score_samples(grid)).sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=0.02)

    def test_verbose(self, capsys):
        small(verbose=True).fit(X)
        told = capsys.readouterr().err
        assert [line.split(":")[0] for line in told.splitlines()[:3]] == ["start", "start", "pretraining"]
        assert "round 2/2: " in told
        small().fit(X)
        assert capsys.readouterr().err == ""

    @pytest.mark.usefixtures("restore_pytorch")
    def test_threads_are_given_back(self):
        torch.set_num_threads(2)
        small().fit(X).predict(X)
        assert torch.get_num_threads() == 2

    def test_importing_the_package_is_cheap(self):
        code = "import sys, competitive_mixtures; print({'torch', 'sklearn', 'pandas'} & set(sys.modules))"
        assert (
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
        )
        with pytest.raises(ImportError, match="Nothing"):
            from competitive_mixtures import Nothing  # noqa: F401


SCORING = BASE["scoring"]
VARIANTS = {
    "gan": ({"component": "gan"}, {}),
    "bound": ({}, {"scoring": {"kind": "bound"}}),
    "soft bound": ({}, {"scoring": {"kind": "soft_bound"}}),
    "classifier": ({}, {"scoring": {"kind": "classifier"}}),
    "posterior": ({}, {"scoring": {"assignment": "posterior"}}),
    "carried on": ({}, {"scoring": {"kind": "discriminators", "reset": False, "trunk": "shared"}}),
    "data's units": ({}, {"training": {"standardize": "data"}}),
    "no revival": ({}, {"revival": None, "training": {"standardize": "none"}}),
    "mixed": ({}, {"components": [VAE | {"count": 2}, GAN | {"count": 1}]}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_knows_its_own_points(name, tmp_path):
    params, changes = VARIANTS[name]
    estimator = small(settings=changes, **params).fit(X)
    assert np.array_equal(estimator.predict(X), estimator.labels_)
    assert np.isfinite(estimator.score(X))
    estimator.save(tmp_path / "m.safetensors")
    loaded = CompetitiveMixture.load(tmp_path / "m.safetensors")
    assert np.array_equal(loaded.predict(X), estimator.labels_)
    assert np.array_equal(np.bincount(estimator.labels_, minlength=3) / len(X), estimator.weights_)


@pytest.mark.parametrize("name", ["bound", "soft bound"])
def test_bounds_say_the_same_of_a_point_wherever_it_stands(name):
    params, changes = VARIANTS[name]
    points = np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32)  # without parts: many are in doubt
    estimator = small(settings=changes, init="kmeans", **params).fit(points)
    shares = estimator.predict_proba(points)
    assert (shares.max(axis=1) < 0.9).mean() > 0.1
    assert np.allclose(estimator.predict_proba(points[::-1])[::-1], shares, atol=1e-4)
    assert np.allclose([estimator.predict_proba(x[None])[0] for x in points], shares, atol=1e-4)
    assert np.array_equal(shares.argmax(axis=1), estimator.labels_)


class TestInputs:
    @pytest.mark.parametrize(
        "change", [torch.from_numpy, pd.DataFrame, np.ndarray.tolist], ids=["torch", "pandas", "list"]
    )
    def test_the_same_points_in_other_hands(self, change, fitted):
        assert np.array_equal(small().fit(change(X)).labels_, fitted.labels_)

    def test_tensors_that_numpy_does_not_take(self, fitted):
        rounded = torch.from_numpy(X).to(torch.bfloat16).requires_grad_()
        assert fitted.predict(rounded).shape == (120,)

    def test_names_of_columns(self):
        frame = pd.DataFrame(X, columns=["a", "b"])
        estimator = small().fit(frame)
        assert estimator.feature_names_in_.tolist() == ["a", "b"]
        with pytest.raises(ValueError, match="feature names"):
            estimator.predict(frame.rename(columns={"a": "c"}))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_samples_have_the_type_of_the_points(self, dtype):
        assert small().fit(X.astype(dtype)).sample()[0].dtype == dtype
        assert small().fit((10 * X).astype(int)).sample()[0].dtype == "float64"

    def test_one_component_on_one_point(self):
        estimator = small(1).fit([[1.0, 2.0]])
        assert estimator.predict([[1.0, 2.0]]).tolist() == [0]
        assert np.allclose(estimator.sample(3)[0], [1, 2], atol=20)

    def test_one_column_and_identical_points(self):
        assert small(2).fit(np.ones((9, 1))).weights_.max() == 1
        assert small(2).fit(X[:, :1]).sample(4)[0].shape == (4, 1)


CENTRE = np.array([1e9, -3e7])


@pytest.fixture(scope="module")
def far():
    return small().fit(X.astype(np.float64) + CENTRE)


class TestFarFromZero:
    """What float32 would round away is seen from the points' centre."""

    def test_the_same_as_near_zero(self, far):
        near = small().fit(X.astype(np.float64) - X.mean(axis=0, dtype=np.float64))
        assert np.array_equal(far.labels_, near.labels_)
        assert far.score(X + CENTRE) == pytest.approx(near.score(X - X.mean(axis=0, dtype=np.float64)), abs=1e-3)
        centre = X.mean(axis=0) + CENTRE
        assert np.allclose(far.sample(9)[0] - centre, near.sample(9)[0], atol=1e-3)

    def test_saved(self, far, tmp_path):
        far.save(tmp_path / "m.safetensors")
        loaded = CompetitiveMixture.load(tmp_path / "m.safetensors")
        assert np.array_equal(loaded.predict(X + CENTRE), far.labels_)
        assert np.array_equal(loaded.sample(9)[0], far.sample(9)[0])

    @pytest.mark.parametrize("spread", [1e-12, 1e-30, 1e20])
    def test_any_spread(self, spread):
        """A density follows its units."""
        near, other = small().fit(X), small().fit(spread * X.astype(np.float64))
        shift = other.score(spread * X.astype(np.float64)) - near.score(X)
        assert shift == pytest.approx(-2 * np.log(spread), abs=0.1)

    def test_what_float32_cannot_hold(self):
        with pytest.raises(ValueError, match="too close together for float32"):
            small().fit(1e-300 * X.astype(np.float64))
        with pytest.raises(ValueError, match="as large as"):
            small().fit(1e40 * X.astype(np.float64))

    def test_infinities_are_told_without_a_warning(self):
        with pytest.raises(ValueError, match="infinity"):
            small(1).fit([[np.inf, -np.inf]])


class TestImages:
    def test_integers(self, pictured):
        assert pictured.n_features_in_ == 64
        points, components = pictured.sample(5)
        assert points.shape == (5, 1, 8, 8)
        assert points.dtype == np.uint8
        assert components.shape == (5,)
        assert np.array_equal(pictured.predict(IMAGES), pictured.labels_)

    def test_floats(self, pictured):
        floats = torch.from_numpy(IMAGES).double() / 255
        estimator = small(2).fit(floats)
        assert np.array_equal(estimator.labels_, pictured.labels_)
        samples = estimator.sample(4)[0]
        assert samples.dtype == np.float64
        assert samples.min() >= 0
        assert samples.max() <= 1
        assert np.array_equal(samples * 255, pictured.sample(4)[0])

    @pytest.mark.parametrize(
        ("white", "dtype", "said"),
        [
            (16, np.uint8, "from 0 to 16, of which 255"),
            (1, np.int64, "from 0 to 1, of which 255"),
            (0.4, float, "from 0 to 0.4, of which 1"),
        ],
    )
    def test_dark_images_are_told(self, white, dtype, said):
        """Digits from 0 to 16, or zeros and ones, are nearly black on the scale of 0 to 255."""
        images = (IMAGES / IMAGES.max() * white).astype(dtype)
        with pytest.warns(UserWarning, match=f"X holds images {said} would be white; if {white} is, give X / {white}"):
            small(2, n_rounds=1).fit(images)

    def test_dark_images_are_told_when_they_are_predicted(self):
        model = small(2, n_rounds=1).fit(IMAGES)
        dark = (IMAGES // 16).astype(np.uint8)
        for name in ("predict", "score", "score_samples"):
            with pytest.warns(UserWarning, match="would be white"):
                getattr(model, name)(dark)
        model.predict(dark[:1])  # a single image may be

    def test_masks_and_black_images_are_no_dark_ones(self):
        small(2, n_rounds=1).fit(IMAGES > 127)
        assert np.array_equal(small(1, n_rounds=1).fit(np.zeros_like(IMAGES)).sample(1)[0].shape, (1, 1, 8, 8))

    def test_a_density_lies_above_the_evidence_bound(self, pictured):
        mixture = pictured._mixture
        points = mixture.setup.scale.apply(IMAGES)
        bounds = score_by_bound(mixture.components, points, (0, "log density")).numpy()
        found = pictured.score_samples(IMAGES)
        assert (found - logsumexp(bounds, axis=1, b=pictured.weights_)).mean() > -0.01  # one draw against 64
        assert found.max() < 0  # nats of a Bernoulli likelihood

    def test_convolutions(self, tmp_path):
        networks = {"components": CONV_VAE | {"count": 2}, "scoring": {"network": CONV}}
        estimator = small(2, settings=networks).fit(np.repeat(IMAGES, 3, axis=1))
        estimator.save(tmp_path / "m.safetensors")
        loaded = CompetitiveMixture.load(tmp_path / "m.safetensors")
        assert np.array_equal(loaded.sample(3)[0], estimator.sample(3)[0])
        assert loaded.sample(3)[0].shape == (3, 3, 8, 8)

    def test_gans_have_no_density(self):
        estimator = small(2, component="gan").fit(IMAGES)
        assert estimator.predict(IMAGES).shape == (60,)
        with pytest.raises(ValueError, match="images of GANs have no density"):
            estimator.score(IMAGES)

    @pytest.mark.parametrize(
        ("images", "message"),
        [
            (IMAGES.astype(float), "divide them by 255"),
            (IMAGES[:, :, :, None].repeat(2, 3), "dim|shape|expected"),
            (IMAGES.repeat(4, 1), "4 channels"),
            (np.moveaxis(IMAGES.repeat(3, 1), 1, -1), "channels come before"),
            (IMAGES[:0], "0 sample"),
            (np.full((5, 1, 4, 4), np.nan), "NaN"),
        ],
        ids=["0..255 as floats", "5 axes", "4 channels", "channels last", "none", "NaN"],
    )
    def test_bad_images(self, images, message):
        with pytest.raises(ValueError, match=message):
            small(2).fit(images)

    def test_other_shapes_than_in_fit(self, pictured):
        for other in (IMAGES[..., :4], IMAGES.reshape(60, 64)):
            with pytest.raises(ValueError, match=r"expected \(1, 8, 8\), as in fit"):
                pictured.predict(other)
        with pytest.raises(ValueError, match=r"expected \(2,\), as in fit"):
            small().fit(X).predict(IMAGES)


class TestErrors:
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"n_components": 0}, "n_components = 0; expected an integer of at least 1"),
            ({"n_components": 2.5}, "n_components = 2.5"),
            ({"n_components": 121}, "n_samples = 120: expected at least n_components = 121"),
            ({"n_rounds": 0}, "n_rounds = 0"),
            ({"steps_per_round": -1}, "steps_per_round = -1"),
            ({"component": "flow"}, r"component = 'flow'; expected one of \['gan', 'vae'\]"),
            ({"hidden_layer_sizes": ()}, "hidden"),
            ({"hidden_layer_sizes": (0,)}, "hidden"),
            ({"hidden_layer_sizes": 50}, r"hidden_layer_sizes = 50; expected a sequence of integers"),
            ({"hidden_layer_sizes": (2.5,)}, "hidden"),
            ({"component": ["vae"]}, r"component = \['vae'\]"),
            ({"device": "tpu"}, "device = 'tpu'; expected one of"),
            ({"n_jobs": 0}, "n_jobs = 0"),
            ({"random_state": -1}, "Seed must be between"),
            ({"random_state": "a"}, "cannot be used to seed"),
            ({"settings": {"scorin": {}}}, "settings: scorin: .*unknown key"),
            ({"settings": {"training": {"batch_size": 0}}}, "training.batch_size: found 0"),
            ({"settings": {"components": [VAE | {"count": 2}]}}, "2 components, n_components = 3"),
            ({"settings": 3}, "settings"),
        ],
        ids=str,
    )
    def test_parameters(self, params, message):
        with pytest.raises(ValueError, match=message):
            small(**params).fit(X)

    @pytest.mark.parametrize("number", [0, 1.5, None])
    def test_number_of_samples(self, fitted, number):
        with pytest.raises(ValueError, match="n_samples"):
            fitted.sample(number)

    def test_before_fit(self, tmp_path):
        for use in (lambda e: e.predict(X), lambda e: e.sample(), lambda e: e.save(tmp_path / "m.safetensors")):
            with pytest.raises(NotFittedError):
                use(small())

    def test_divergence(self):
        wild = {"components": {"optimizer": {"learning_rate": 1.0e6}}}
        with pytest.raises(TrainingDivergedError, match=r"component \d diverged"):
            small(settings=wild, steps_per_round=100).fit(X)

    @settings(max_examples=60)
    @given(
        arrays.arrays(
            st.sampled_from(["float64", "float32", "int16", "uint8", "bool", "complex64", "U3"]),
            arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6),
        )
    )
    def test_any_array_is_fitted_or_refused_in_a_sentence(self, points):
        estimator = small(2, n_rounds=1, steps_per_round=2)
        try:
            labels = estimator.fit_predict(points)
        except (ValueError, TypeError) as error:
            assert str(error)  # noqa: PT017, any of many sentences
        else:
            assert labels.shape == (len(points),)
            assert estimator.sample(3)[0].shape[1:] == points.shape[1:]
            assert np.array_equal(estimator.predict(points), labels)


class TestKept:
    def test_a_saved_estimator_is_the_same(self, fitted, tmp_path):
        path = tmp_path / "mit Leerzeichen, ü.safetensors"
        fitted.save(path)
        loaded = CompetitiveMixture.load(path)
        assert loaded.get_params() == fitted.get_params() | {"hidden_layer_sizes": [8]}
        assert np.array_equal(loaded.labels_, fitted.labels_)
        assert np.array_equal(loaded.weights_, fitted.weights_)
        assert np.array_equal(loaded.predict(X), fitted.predict(X))
        assert np.array_equal(loaded.score_samples(X), fitted.score_samples(X))
        assert np.array_equal(loaded.sample(9)[0], fitted.sample(9)[0])
        pd.testing.assert_frame_equal(loaded.history_, fitted.history_)
        assert loaded.n_features_in_ == 2
        loaded.save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()

    def test_names_and_generators(self, tmp_path):
        frame = pd.DataFrame(X, columns=["a", "b"])
        small(random_state=np.random.RandomState(0)).fit(frame).save(tmp_path / "m.safetensors")
        loaded = CompetitiveMixture.load(tmp_path / "m.safetensors")
        assert loaded.random_state is None
        assert loaded.predict(frame).shape == (120,)

    def test_numbers_of_numpy(self, tmp_path):
        sizes = {"n_components": np.int64(2), "hidden_layer_sizes": np.array([4, 4]), "random_state": np.int64(5)}
        odd = small(**sizes, settings={"balancing": {"min_share": np.float64(0.2)}}).fit(X)
        odd.save(tmp_path / "m.safetensors")
        loaded = CompetitiveMixture.load(tmp_path / "m.safetensors")
        assert loaded.get_params() == odd.get_params() | {"hidden_layer_sizes": [4, 4]}
        assert np.array_equal(loaded.sample(3)[0], odd.sample(3)[0])

    def test_what_no_file_keeps(self, tmp_path):
        with pytest.raises(UserError, match=r"verbose = .* cannot be kept in a file"):
            small().fit(X).set_params(verbose=b"yes").save(tmp_path / "m.safetensors")

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))], ids=["copy", "pickle"])
    def test_copies(self, copied, fitted):
        fitted.score(X)
        assert np.array_equal(copied(fitted).sample(4)[0], fitted.sample(4)[0])

    def test_another_file(self, tmp_path):
        with pytest.raises(UserError, match="not found"):
            CompetitiveMixture.load(tmp_path / "none.safetensors")
        write_tensors(tmp_path / "other.safetensors", {"x": torch.zeros(1)})
        with pytest.raises(UserError, match=r"other\.safetensors"):
            CompetitiveMixture.load(tmp_path / "other.safetensors")
        write_tensors(tmp_path / "metadata.safetensors", {"x": torch.zeros(1)}, {"ids": [0]})
        with pytest.raises(UserError, match=r"expected a file that CompetitiveMixture\.save wrote"):
            CompetitiveMixture.load(tmp_path / "metadata.safetensors")

    @pytest.mark.parametrize(
        ("key", "value"),
        [("params", None), ("params", {"k": 3}), ("mixture", {}), ("form", 3), ("records", [{}]), ("records", [])],
    )
    def test_a_damaged_file(self, fitted, tmp_path, key, value):
        path = tmp_path / "m.safetensors"
        fitted.save(path)
        write_tensors(path, read_tensors(path), read_metadata(path) | {key: value})
        with pytest.raises(UserError, match=r"m\.safetensors: damaged"):
            CompetitiveMixture.load(path)

    def test_settings_that_json_does_not_know(self, tmp_path):
        odd = small(settings={"training": {"batch_size": 16}}).fit(X)
        odd.save(tmp_path / "m.safetensors")
        assert json.dumps(CompetitiveMixture.load(tmp_path / "m.safetensors").settings)
