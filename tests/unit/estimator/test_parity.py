"""What users of scikit-learn's mixtures expect: starts, restarts, early ends, going on, probabilities, pictures."""

import copy
import pickle
from types import SimpleNamespace

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from examples import make_blobs, make_images
from scipy.special import softmax
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.errors import TrainingDivergedError, UserError
from competitive_mixtures.estimator.fitting import pick_by_agreement

pytestmark = pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")

BLOBS = make_blobs()
X, LABELS = BLOBS.train, BLOBS.train_labels
IMAGES = make_images().train
BOUND = {"scoring": {"kind": "bound"}}


def small(n_components=3, **params):
    """An estimator that trains in a moment."""
    return CompetitiveMixture(
        n_components,
        **({"n_rounds": 2, "tol": 0.0, "steps_per_round": 10, "hidden_layer_sizes": (8,), "random_state": 0} | params),
    )


@pytest.fixture(scope="module")
def fitted():
    return small().fit(X)


class TestProbabilities:
    @pytest.mark.parametrize("settings", [None, {"scoring": {"assignment": "posterior"}}, BOUND], ids=str)
    def test_they_are_the_softmax_of_what_predict_maximises(self, settings):
        model = small(settings=settings).fit(X)
        proba = model.predict_proba(X)
        assert proba.shape == (120, 3)
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        assert np.array_equal(proba.argmax(axis=1), model.predict(X))
        scores = model._mixture.log_scores(model._mixture.setup.scale.apply(X)).double().numpy()
        np.testing.assert_allclose(proba, softmax(scores, axis=1), rtol=1e-4, atol=1e-6)  # other kernels outside


class TestStart:
    def test_kmeans_finds_blobs_before_any_round(self):
        model = small(init="kmeans", n_rounds=1).fit(X)
        assert all(len(set(LABELS[model.labels_ == j])) == 1 for j in range(3))

    def test_a_partition_of_the_users_own(self):
        own = small(init=LABELS.tolist()).fit(X)
        again = small(init=np.asarray(LABELS, dtype=np.uint8)).fit(X)
        assert np.array_equal(own.labels_, again.labels_)
        assert not np.array_equal(own.history_, small().fit(X).history_)

    @pytest.mark.parametrize(
        ("init", "message"),
        [
            ("random", r"expected one of \['uniform', 'kmeans', 'gaussians'\], a partition"),
            (LABELS[:5], r"shape \(5,\); expected an integer for each of the 120 points"),
            (LABELS.astype(float), "array of float64"),
            (LABELS + 1, "from 1 to 3; expected 0 to 2"),
            (LABELS - 1, "from -1 to 1"),
        ],
        ids=["word", "length", "floats", "high", "low"],
    )
    def test_others_are_refused(self, init, message):
        with pytest.raises(UserError, match=message):
            small(init=init).fit(X)


class TestRestarts:
    def test_the_most_typical_partition_is_kept(self):
        first, odd, second = (
            SimpleNamespace(labels=np.array(labels)) for labels in ([0, 0, 1, 1, 1], [0, 1, 0, 1, 0], [1, 1, 0, 0, 1])
        )
        assert pick_by_agreement([odd, first, second]) is first
        assert pick_by_agreement([odd]) is odd
        assert pick_by_agreement([odd, first]) is odd

    def test_the_one_that_is_kept_is_a_fit_of_its_own_seed(self):
        best = small(n_init=3).fit(X)
        alone = small(random_state=best.seed_).fit(X)
        assert alone.lower_bound_ == best.lower_bound_
        assert np.array_equal(alone.labels_, best.labels_)

    def test_one_start_is_the_runs_own_seed(self):
        assert small(random_state=7).fit(X).seed_ == 7

    def test_likelihood_bounds_have_restarts_too(self):
        model = small(n_init=2, settings=BOUND).fit(X)
        assert np.isfinite(model.lower_bound_)
        assert model.history_["objective"].isna().all()

    @pytest.mark.parametrize("factor", [1.0, 1000.0])
    def test_a_likelihood_bound_is_in_the_units_of_the_points(self, factor):
        """As `score` is, which is the tighter one: it has 64 draws of the latents, and all components."""
        points = factor * np.random.default_rng(0).normal(size=(300, 2))
        model = small(1, settings=BOUND).fit(points)
        assert model.score(points) - 1 < model.lower_bound_ < model.score(points) + 0.1

    def test_the_bound_is_minus_the_objective(self, fitted):
        assert fitted.lower_bound_ == -fitted.history_["objective"].iloc[-1]


class TestEnds:
    def test_a_settled_competition_ends_early(self):
        model = small(init="kmeans", n_rounds=50, tol=0.5).fit(X)
        assert model.n_iter_ == len(model.history_) - 1 < 50
        assert model.history_["share_changed"].iloc[-1] < 0.5
        assert (model.history_["share_changed"].iloc[1:-1] >= 0.5).all()

    def test_zero_plays_all(self, fitted):
        assert fitted.n_iter_ == 2

    def test_converged_says_whether_the_last_round_moved_anything(self):
        model = small(init="kmeans", n_rounds=4, steps_per_round=30, tol=0).fit(X)
        assert model.converged_ == (model.history_["share_changed"].iloc[-1] <= 1e-3)
        assert isinstance(model.converged_, bool)

    @pytest.mark.parametrize("tol", [-0.1, 2, "small", None, np.nan])
    def test_shares_only(self, tol):
        with pytest.raises(UserError, match=r"tol = .*; expected a number from 0 to 1"):
            small(tol=tol).fit(X)


class TestWarmStart:
    @pytest.mark.parametrize("settings", [None, {"scoring": {"reset": False}}, BOUND], ids=str)
    def test_it_goes_on_where_it_was(self, settings):
        model = small(warm_start=True, settings=settings).fit(X)
        first = model.history_.copy()
        model.fit(X)
        assert model.history_.index.tolist() == [0, 1, 2, 3, 4]
        assert model.history_.iloc[:3].equals(first)
        assert (model.history_["samples_seen"].diff().iloc[1:] > 0).all()
        assert model.n_iter_ == 4

    def test_other_points_of_the_same_kind(self):
        model = small(warm_start=True).fit(X)
        model.fit(X[:60] + 1)
        assert model.labels_.shape == (60,)

    def test_without_it_a_fit_starts_anew(self, fitted):
        again = copy.deepcopy(fitted).fit(X)
        assert np.array_equal(again.labels_, fitted.labels_)

    def test_other_components_are_refused_and_the_former_fit_stays(self):
        model = small(warm_start=True).fit(X)
        labels = model.labels_
        with pytest.raises(UserError, match="components' number or settings have changed"):
            model.set_params(hidden_layer_sizes=(9,)).fit(X)
        assert model.labels_ is labels


class TestFailure:
    @pytest.mark.parametrize("bad", [X[:2], np.full_like(X, np.nan), "words"], ids=["few", "nan", "words"])
    def test_a_failed_first_fit_leaves_nothing(self, bad):
        model = small()
        with pytest.raises(ValueError, match=r"."):
            model.fit(bad)
        assert {name for name in vars(model) if name.endswith("_") or name.startswith("_")} == set()

    @pytest.mark.parametrize("warm", [False, True])
    def test_a_failed_refit_leaves_the_former_fit(self, warm, monkeypatch):
        model = small(warm_start=warm).fit(X)
        before = model.predict(X), model.sample(5)[0], model.n_features_in_
        wide = X if warm else np.column_stack([X, X])
        monkeypatch.setattr("competitive_mixtures.method.rounds.train_components", interrupt)
        with pytest.raises(KeyboardInterrupt):
            model.fit(wide)
        monkeypatch.undo()
        assert np.array_equal(model.predict(X), before[0])
        assert np.array_equal(model.sample(5)[0], before[1])
        assert model.n_features_in_ == before[2]

    def test_divergence(self):
        model = small(settings={"components": {"optimizer": {"learning_rate": 1e6}}}, steps_per_round=200)
        with pytest.raises(TrainingDivergedError):
            model.fit(X)
        assert not hasattr(model, "n_features_in_")


def interrupt(*arguments, **options):
    raise KeyboardInterrupt


class TestInputs:
    def test_images_without_an_axis_of_channels(self):
        flat = small(2).fit(IMAGES[:, 0])
        whole = small(2).fit(IMAGES)
        assert np.array_equal(flat.labels_, whole.labels_)
        assert flat.sample(3)[0].shape == (3, 8, 8)
        assert np.array_equal(flat.sample(3)[0], whole.sample(3)[0][:, 0])
        assert np.array_equal(flat.predict(IMAGES[:, 0]), whole.predict(IMAGES))

    def test_numpy_integers_in_settings(self):
        plain = small(settings={"components": {"latent_dim": 2}, "scoring": {"batch_size": 8}}).fit(X)
        numpy = small(settings={"components": {"latent_dim": np.int64(2)}, "scoring": {"batch_size": np.int32(8)}}).fit(
            X
        )
        assert np.array_equal(plain.labels_, numpy.labels_)

    @pytest.mark.parametrize("n_jobs", [None, 1, np.int64(1), -1])
    def test_jobs_as_joblib_counts_them(self, n_jobs, fitted):
        assert small(n_jobs=n_jobs).fit(X).labels_.shape == fitted.labels_.shape

    @pytest.mark.parametrize("n_jobs", [0, 1.5, "all"])
    def test_other_jobs_are_refused(self, n_jobs):
        with pytest.raises(UserError, match="n_jobs"):
            small(n_jobs=n_jobs).fit(X)


class TestWarnings:
    @pytest.mark.filterwarnings("error")
    def test_a_dead_component(self):
        points = np.repeat([[0.0, 0.0]], 30, axis=0)
        with pytest.warns(ConvergenceWarning, match=r"components \[.*\] won no point.*lower n_components") as caught:
            small(init="uniform").fit(points)
        assert len(caught) == 1
        assert caught[0].filename == __file__

    @pytest.mark.filterwarnings("error")
    def test_fewer_parts_than_components(self):
        two = np.random.default_rng(0).normal(size=(400, 2)) + 20 * (np.arange(400)[:, None] // 200)
        with pytest.warns(ConvergenceWarning, match="the start has 2 parts, n_components = 4.*init='kmeans'") as caught:
            mixture = small(4).fit(two)
        assert len(caught) == 1
        assert mixture.n_components_ == 2

    @pytest.mark.filterwarnings("error")
    def test_fewer_distinct_points_than_components(self):
        with pytest.warns(ConvergenceWarning, match="X has 1 distinct point, n_components = 3") as caught:
            small(3).fit(np.ones((50, 2)))
        assert len(caught) == 1

    @pytest.mark.filterwarnings("error")
    def test_going_on_with_the_points_of_one_component(self):
        mixture = small(2, warm_start=True).fit(X)
        with pytest.warns(ConvergenceWarning, match="1 of n_components = 2 went on with points") as caught:
            mixture.fit(X[mixture.labels_ == 0])
        assert "start has" not in str(caught[0].message)

    @pytest.mark.filterwarnings("error")
    def test_two_components_on_one_mode(self):
        one = np.random.default_rng(0).normal(size=(600, 2))
        with pytest.warns(ConvergenceWarning, match="model points that another component models as well"):
            small(2, method="plain", n_rounds=1).fit(one)


class TestCompany:
    def test_grid_search(self):
        search = GridSearchCV(small(), {"n_components": [1, 2]}, cv=2).fit(X)
        assert search.best_params_["n_components"] in (1, 2)

    def test_pipeline_and_clone(self):
        pipeline = make_pipeline(StandardScaler(), small())
        assert np.array_equal(clone(pipeline).fit_predict(X), pipeline.fit_predict(X))

    def test_a_pickle_is_about_as_small_as_the_saved_file(self, fitted, tmp_path):
        fitted.save(tmp_path / "saved")
        pickled = pickle.dumps(fitted)
        assert len(pickled) < 2 * (tmp_path / "saved").stat().st_size
        for other in (pickle.loads(pickled), copy.deepcopy(fitted)):
            assert np.array_equal(other.predict(X), fitted.predict(X))
            assert np.array_equal(other.predict_proba(X), fitted.predict_proba(X))
            assert np.array_equal(other.sample(5)[0], fitted.sample(5)[0])
            assert other.score(X) == fitted.score(X)
        joblib.dump(fitted, tmp_path / "joblib")
        assert np.array_equal(joblib.load(tmp_path / "joblib").predict(X), fitted.predict(X))

    def test_processes(self, fitted):
        fits = joblib.Parallel(n_jobs=2)(joblib.delayed(small().fit)(X) for _ in range(2))
        assert all(np.array_equal(model.labels_, fitted.labels_) for model in fits)

    def test_saved_attributes(self, fitted, tmp_path):
        fitted.save(tmp_path / "saved")
        loaded = CompetitiveMixture.load(tmp_path / "saved")
        for name in ("converged_", "n_iter_", "lower_bound_"):
            assert getattr(loaded, name) == getattr(fitted, name)
        assert loaded.set_params(warm_start=True).fit(X).n_iter_ == 4


class TestPlot:
    @pytest.fixture(autouse=True)
    def _close(self):
        yield
        plt.close("all")

    @pytest.mark.parametrize("dimension", [1, 2, 5])
    def test_vectors(self, dimension):
        points = np.random.default_rng(0).normal(size=(60, dimension))
        ax = plt.figure().subplots()
        assert small(2).fit(points).plot(points, ax=ax, n_samples=30) is ax
        dots, crosses = ax.collections
        assert (len(dots.get_offsets()), len(crosses.get_offsets())) == (60, 30)

    def test_samples_alone_on_axes_of_their_own(self, fitted):
        assert len(fitted.plot(n_samples=7).collections) == 1

    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_sheet_of_images(self, channels):
        ax = small(2).fit(make_images(channels=channels).train).plot()
        (sheet,) = ax.images
        assert sheet.get_array().shape[:2] == (2 * 10, 10 * 10)  # with a white pixel around each
        assert (sheet.get_array()[:, ::10] == 255).all()
        assert [label.get_text()[0] for label in ax.get_yticklabels()] == ["0", "1"]
