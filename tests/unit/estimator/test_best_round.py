"""The early stopping of a competition: which round held-out points keep, and what is left of the later ones."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.estimator import best_round
from competitive_mixtures.estimator.best_round import is_gain
from competitive_mixtures.evaluation.clustering import compare_partitions
from competitive_mixtures.method.scoring import log_mixture, score_by_importance

RNG = np.random.default_rng(0)
OVERLAPPING = RNG.normal(size=(400, 2))  # no two parts at all: no competition for them settles


def small(**params: object) -> CompetitiveMixture:
    defaults = {"n_rounds": 6, "tol": 1e-9, "steps_per_round": 10, "hidden_layer_sizes": (8,), "random_state": 0}
    defaults |= {"init": "kmeans"}
    return CompetitiveMixture(2, **(defaults | {"settings": {"training": {"held_out": 0.3}}} | params))


@pytest.mark.parametrize(
    ("differences", "gains"),
    [([0.5, 1.5], True), ([-1.0, 2.0], False), ([-0.5, -1.5], False), ([0.0, 0.0], False)],
    ids=["mean 1, error 0.5", "mean 0.5, error 1.5", "a loss", "the same"],
)
def test_a_gain_is_larger_than_its_standard_error(differences, gains):
    assert is_gain(torch.tensor(differences, dtype=torch.float64)) is gains


class TestRoundsWithoutAGain:
    """Where no round is told to be better than round 0."""

    @pytest.fixture
    def never(self, monkeypatch):
        monkeypatch.setattr(best_round, "is_gain", lambda differences: False)

    @pytest.mark.usefixtures("never")
    def test_are_taken_back(self):
        stopped, whole = small().fit(OVERLAPPING), small(tol=0.0).fit(OVERLAPPING)
        assert (stopped.n_iter_, stopped.converged_) == (0, True)
        assert whole.n_iter_ == 6
        columns = ["share_changed", "objective", "weight_0", "weight_1"]
        assert stopped.history_[columns].equals(whole.history_[columns].iloc[:1])

    @pytest.mark.usefixtures("never")
    def test_leave_networks_that_assign_as_the_kept_round_did(self):
        stopped = small().fit(OVERLAPPING)
        assert (stopped.predict(OVERLAPPING) == stopped.labels_).all()
        assert stopped.weights_.tolist() == (np.bincount(stopped.labels_, minlength=2) / len(OVERLAPPING)).tolist()

    @pytest.mark.usefixtures("never")
    def test_are_told_of(self, capsys):
        small(verbose=True).fit(OVERLAPPING)
        *_, before, last = capsys.readouterr().err.splitlines()
        assert before.startswith("round 3/6")
        assert last == "held-out points have gained nothing since round 0: back to it"

    @pytest.mark.usefixtures("never")
    def test_can_be_played_by_a_later_fit(self):
        stopped = small(warm_start=True).fit(OVERLAPPING)
        stopped.set_params(tol=0.0, n_rounds=2).fit(OVERLAPPING)
        assert stopped.history_.index.tolist() == [0, 1, 2]


def test_the_best_round_in_the_middle_is_kept(monkeypatch):
    answers = iter([False, True, False, False, False])
    monkeypatch.setattr(best_round, "is_gain", lambda differences: next(answers))
    stopped, whole = small(n_rounds=9).fit(OVERLAPPING), small(n_rounds=2, tol=0.0).fit(OVERLAPPING)
    assert stopped.n_iter_ == 2
    assert stopped.weights_.tolist() == whole.weights_.tolist()
    np.testing.assert_array_equal(stopped.labels_, whole.labels_)
    np.testing.assert_array_equal(stopped.score_samples(OVERLAPPING), whole.score_samples(OVERLAPPING))


@pytest.mark.filterwarnings("ignore:CompetitiveMixture. components:sklearn.exceptions.ConvergenceWarning")
def test_only_rounds_in_which_all_components_scored_are_kept(monkeypatch):
    monkeypatch.setattr(best_round, "is_gain", lambda differences: False)
    settings = {"training": {"held_out": 0.3}, "scoring": {"full_every": 2}}
    model = CompetitiveMixture(
        3, method="plain", n_rounds=8, tol=1e-9, steps_per_round=5, hidden_layer_sizes=(8,), random_state=0
    )
    assert model.set_params(settings=settings).fit(OVERLAPPING).n_iter_ % 2 == 0


@pytest.mark.filterwarnings("ignore:CompetitiveMixture. components:sklearn.exceptions.ConvergenceWarning")
def test_images_with_held_out_points_stop_early_too(monkeypatch):
    monkeypatch.setattr(best_round, "is_gain", lambda differences: False)
    images = np.random.default_rng(0).integers(0, 256, size=(40, 1, 4, 4), dtype=np.uint8)
    settings = {"training": {"held_out": 0.3}, "scoring": {"kind": "discriminators"}}
    assert small(settings=settings).fit(images).n_iter_ == 0


def test_a_mixture_of_vaes_is_held_against_numpy():
    model = small(tol=0.0, n_rounds=1).fit(OVERLAPPING)
    mixture = model._mixture
    points = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    bounds = score_by_importance(mixture.components, points, 8).numpy()
    expected = np.log((np.array([0.3, 0.7]) * np.exp(bounds)).sum(axis=1))
    np.testing.assert_allclose(log_mixture(mixture.components, points, np.array([0.3, 0.7]), 8), expected)


def test_rounds_that_gain_are_all_played(monkeypatch):
    monkeypatch.setattr(best_round, "is_gain", lambda differences: True)
    assert small().fit(OVERLAPPING).n_iter_ > best_round.ROUNDS_WITHOUT_GAIN


def test_without_held_out_points_no_round_is_taken_back(monkeypatch):
    monkeypatch.setattr(best_round, "is_gain", lambda differences: False)
    assert small(settings={"training": {"held_out": 0}}).fit(OVERLAPPING).n_iter_ > best_round.ROUNDS_WITHOUT_GAIN


def test_a_cell_of_few_flowers_is_not_emptied_round_by_round():
    flowers = load_iris()
    split = train_test_split(flowers.data, flowers.target, test_size=0.2, random_state=2, stratify=flowers.target)
    points, labels = StandardScaler().fit_transform(split[0]), split[2]
    mixture = CompetitiveMixture(3, random_state=2).fit(points)
    assert compare_partitions(mixture.labels_, labels)["ari"] > 0.75
