"""Rounds in which a point is scored by two candidates only: closed forms, NumPy's sums, and whole runs of jobs."""

import numpy as np
import pytest
import torch
from examples import GAN, VAE, change, make_blobs, make_experiment, play
from scipy.special import logsumexp
from scipy.stats import norm

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import read_json, read_table, read_tensors
from competitive_mixtures.method import score_table, scoring
from competitive_mixtures.method.candidates import Candidates
from competitive_mixtures.method.rounds import scores_all
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.score_table import CandidateScores, FullScores, choose_candidates
from competitive_mixtures.method.state import RoundState
from competitive_mixtures.networks.ensemble import build_discriminators
from competitive_mixtures.pipeline.jobs import compete, conclude

MEANS = np.array([-6.0, 0.0, 6.0, 12.0])
N, K = 400, 4
OPTION = {"scoring": {"full_every": 3}, "components": [VAE | {"count": 4}]}
FILES = ("assignments.parquet", "samples.npy", "state.safetensors")


@pytest.fixture(scope="module")
def densities():
    """Log-densities (N, K) of four Gaussians at points of a line, and the Gaussian that is densest at each."""
    points = np.random.default_rng(0).normal(MEANS[np.arange(N) % K], 1)
    table = norm.logpdf(points[:, None], MEANS).astype(np.float32)
    return torch.from_numpy(table), table.argmax(1).astype(np.int16)


def choose(log_ratios, settings, weights=None):
    weights = np.full(log_ratios.shape[1], 1 / log_ratios.shape[1]) if weights is None else weights
    full = FullScores(log_ratios)
    sums = full.log_sums()
    normalizers = scoring.log_normalizers(sums, settings)
    assigned = full.assign(normalizers, weights, settings)
    chosen = choose_candidates(log_ratios, sums, assigned.winner, normalizers, weights, settings)
    return chosen, assigned, normalizers, weights


def list_scores(candidates, log_ratios):
    return CandidateScores(candidates.to_list(log_ratios.gather(1, candidates.numbers.long())), candidates)


@pytest.mark.parametrize("block", [1, 150, 10_000])
@pytest.mark.parametrize("assignment", ["density", "posterior"])
def test_candidates_that_include_the_winner_give_what_all_components_give(densities, assignment, block, monkeypatch):
    for module in (score_table, scoring):
        monkeypatch.setattr(module, "BLOCK_POINTS", block)
    settings = make_experiment(scoring={"assignment": assignment}).scoring
    chosen, assigned, normalizers, weights = choose(densities[0], settings, np.array([0.1, 0.2, 0.3, 0.4]))
    few = list_scores(chosen, densities[0])
    again = few.assign(normalizers, weights, settings)
    np.testing.assert_array_equal(again.winner, assigned.winner)
    np.testing.assert_allclose(again.margin, assigned.margin, rtol=1e-5)
    assert (again.winner.dtype, again.margin.dtype) == (np.int16, np.float32)
    torch.testing.assert_close(few.pick(again.winner), FullScores(densities[0]).pick(assigned.winner))
    table = densities[0].numpy() - normalizers.numpy() + (np.log(weights) if assignment == "posterior" else 0)
    expected = np.sort(np.argsort(-table, axis=1)[:, :2], axis=1)
    np.testing.assert_array_equal(chosen.numbers, expected)


def test_densest_gaussians_win_by_two_scores_as_by_four(densities):
    settings = make_experiment(scoring={"normalization": "global"}).scoring
    chosen, *_ = choose(densities[0], settings)
    found = list_scores(chosen, densities[0]).assign(torch.zeros(K), np.full(K, 0.25), settings)
    np.testing.assert_array_equal(found.winner, densities[1])


def test_sums_are_the_new_ratios_at_candidates_and_the_old_ones_elsewhere(densities):
    chosen, *_ = choose(densities[0], make_experiment().scoring)
    new = densities[0] + torch.randn(N, K, generator=torch.Generator().manual_seed(0))
    scored = np.zeros((N, K), dtype=bool)
    np.put_along_axis(scored, chosen.numbers.numpy().astype(int), True, axis=1)
    expected = logsumexp(np.where(scored, new, densities[0]).astype(np.float64), axis=0)
    np.testing.assert_allclose(list_scores(chosen, new).log_sums(), expected, rtol=1e-12)
    assert list_scores(chosen, densities[0]).log_sums() == pytest.approx(logsumexp(densities[0].double(), axis=0))


def test_a_component_that_is_nobodys_candidate_keeps_its_sum():
    log_ratios = torch.tensor([[3.0, 2.0, -1.0], [2.0, 3.0, -1.0]])
    chosen, *_ = choose(log_ratios, make_experiment(scoring={"normalization": "global"}).scoring)
    assert chosen.counts == [2, 2, 0]
    assert list_scores(chosen, log_ratios + 5).log_sums()[2] == pytest.approx(-1 + np.log(2))


@pytest.mark.parametrize("winner", [0, 1, 2])
def test_candidates_differ_where_only_one_component_has_a_weight(winner):
    settings = make_experiment(scoring={"assignment": "posterior"}).scoring
    chosen, assigned, *_ = choose(torch.zeros(5, 3), settings, np.eye(3)[winner])
    assert assigned.winner.tolist() == [winner] * 5
    assert all(first < second and winner in (first, second) for first, second in chosen.numbers.tolist())


def test_the_lower_number_wins_a_tie():
    candidates = Candidates(torch.tensor([[1, 2], [0, 2]], dtype=torch.int16), torch.zeros(3).double())
    found = CandidateScores(torch.zeros(4), candidates).assign(torch.zeros(3), np.ones(3), make_experiment().scoring)
    assert found.winner.tolist() == [1, 0]


def test_a_score_that_is_no_number_is_named_by_component_and_point():
    candidates = Candidates(torch.tensor([[1, 2], [0, 2]], dtype=torch.int16), torch.zeros(3).double())
    scores = CandidateScores(candidates.to_list(torch.tensor([[0.0, 0.0], [0.0, torch.nan]])), candidates)
    with pytest.raises(UserError, match="component 2: its score of point 1 is NaN"):
        scores.assign(torch.zeros(3), np.ones(3), make_experiment().scoring)


@pytest.mark.parametrize("backend", ["stacked", "loop"])
@pytest.mark.parametrize("fused", [True, False])
def test_scores_of_candidates_are_those_of_all(backend, fused, monkeypatch):
    monkeypatch.setattr(scoring, "SCORING_ROWS", 16)
    points = torch.from_numpy(make_blobs().train)
    networks = build_discriminators(make_experiment(training={"backend": backend}), (2,), (0, "round", 1))
    for _, stack in networks.stacks:
        stack.scores_one_by_one &= fused
    numbers = torch.tensor([[0, 1], [0, 2], [1, 2]], dtype=torch.int16).repeat(40, 1)
    candidates = Candidates(numbers, torch.zeros(3).double())
    found = candidates.to_table(scoring.score_candidates(networks, points, candidates))
    expected = scoring.score_by_discriminators(networks, points).gather(1, numbers.long())
    torch.testing.assert_close(found, expected)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("candidates")
    play(make_experiment(**OPTION), make_blobs(), folder, rounds=6)
    return folder


def test_which_rounds_score_less(run):
    records = [read_json(run / f"rounds/{t}/metrics.json") for t in range(7)]
    full = [record["objective_test"] is not None for record in records]
    assert full == [True, True, False, True, False, False, True]
    assert all(np.isfinite(record["objective"]) for record in records)
    costs = np.diff([0, *(record["forward_compute"] for record in records)])
    drawn = 10 * 16 * 4 * (2 * 8 + 8 + 8 * 2 + 2)
    networks = 2 * 8 + 8 + 8 + 1
    assert costs.tolist() == [drawn + 120 * (4 if whole else 2) * networks for whole in full]


def test_candidates_are_those_of_the_last_full_round(run):
    states = [read_tensors(run / f"rounds/{t}/state.safetensors") for t in range(7)]
    tables = [read_table(run / f"rounds/{t}/assignments.parquet")["component"] for t in range(7)]
    for t, last in ((2, 1), (4, 3), (5, 3)):
        numbers = states[last]["candidates.numbers"]
        assert torch.equal(states[t]["candidates.numbers"], numbers)
        assert torch.equal(states[t]["candidates.log_rest"], states[last]["candidates.log_rest"])
        assert (numbers.numpy() == tables[t][:, None]).any(axis=1).all()


@pytest.mark.parametrize("kind", ["vae", "carried on", "gan"])
def test_shards_and_whole_rounds_write_the_same_bytes(kind, tmp_path):
    changes = {"vae": {}, "carried on": {"scoring": {"reset": False}}, "gan": {"components": [GAN | {"count": 4}]}}
    experiment = make_experiment(**change(OPTION, **changes[kind], training={"backend": "loop"}))
    for name, shards in (("whole", 1), ("sharded", 3)):
        play(experiment.model_copy(update={"shards": shards}), make_blobs(), tmp_path / name, rounds=3)
    for t in range(4):
        for file in FILES:
            first, second = (tmp_path / name / f"rounds/{t}" / file for name in ("whole", "sharded"))
            assert first.read_bytes() == second.read_bytes(), (t, file)
    first, second = (read_json(tmp_path / name / "rounds/2/metrics.json") for name in ("whole", "sharded"))
    assert {**first, "seconds": None} == {**second, "seconds": None}


@pytest.mark.parametrize("interrupted", [1, 2, 4])
def test_a_run_that_is_interrupted_goes_on_to_the_same_bytes(run, interrupted, tmp_path):
    """Each round from the files of the round before, in a process that knows nothing else."""
    experiment, dataset = make_experiment(**OPTION), make_blobs()
    previous = run / f"rounds/{interrupted}"
    for t in range(interrupted + 1, 7):
        part = compete(Run(experiment, dataset, 0), t, previous, range(4))
        conclude(Run(experiment, dataset, 0), t, previous, part, tmp_path / str(t))
        previous = tmp_path / str(t)
    for file in FILES:
        assert (run / "rounds/6" / file).read_bytes() == (previous / file).read_bytes()


def test_every_round_in_full_writes_what_it_wrote_before_the_option(tmp_path):
    """The state has no candidates, and the settings not even the key."""
    plain, named = make_experiment(), make_experiment(scoring={"full_every": 1})
    assert plain == named
    assert "full_every" not in named.model_dump_json()
    assert make_experiment(**OPTION).model_dump()["scoring"]["full_every"] == 3
    last = play(named, make_blobs(), tmp_path)
    assert not any(name.startswith("candidates") for name in read_tensors(last / "state.safetensors"))


def test_rounds_around_a_revival_are_full():
    candidates = Candidates(torch.zeros(120, 2, dtype=torch.int16), torch.zeros(4).double())
    revival = {"every": 4, "min_share": 0.5, "until": 8}
    run = Run(make_experiment(**OPTION, revival=revival), make_blobs(), 0)

    def full(t, revivals=(), chosen=candidates):
        return scores_all(run, t, RoundState(None, None, [], list(revivals), chosen))

    assert [t for t in range(14) if full(t)] == [0, 1, 3, 6, 7, 9, 12]
    assert full(8, [(0, 1)])  # the revived component is no candidate of its new points
    assert full(5, chosen=None)


def test_revivals_are_played(tmp_path):
    revival = {"every": 2, "min_share": 1.0, "until": 4}
    play(make_experiment(**OPTION, revival=revival, training={"steps_per_round": 1}), make_blobs(), tmp_path, rounds=6)
    revived = [bool(read_json(tmp_path / f"rounds/{t}/metrics.json")["revived"]) for t in range(7)]
    assert any(revived)
    assert not any(revived[t] for t in (0, 1, 3, 5, 6))


@pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")  # tiny fits are no good
class TestEstimator:
    def make(self, **changes):
        settings = {"scoring": {"full_every": 3}} | changes.pop("settings", {})
        options = {"method": "plain", "n_rounds": 6, "steps_per_round": 10, "random_state": 0, "tol": 0.0}
        return CompetitiveMixture(4, settings=settings, **options | changes)

    def test_the_last_round_scores_all_and_so_does_predict(self):
        points = make_blobs().train
        model = self.make().fit(points)
        assert model.predict_proba(points).shape == (120, 4)
        np.testing.assert_array_equal(model.predict(points), model.labels_)

    def test_it_stops_early_in_full_rounds_only(self):
        assert self.make(tol=1.0, n_rounds=9).fit(make_blobs().train).n_iter_ == 3

    def test_more_rounds_start_with_a_full_one(self):
        model = self.make(n_rounds=3, warm_start=True).fit(make_blobs().train)
        assert model.fit(make_blobs().train).n_iter_ == 6

    @pytest.mark.parametrize(("played", "message"), [(0, "n_rounds = 4: "), (3, "n_rounds = 4 after 3: ")])
    def test_a_last_round_between_two_full_ones_is_refused(self, played, message):
        model = self.make(n_rounds=3, warm_start=True)
        if played:
            model.fit(make_blobs().train)
        with pytest.raises(UserError, match=f"{message}.*expected a multiple of scoring.full_every = 3"):
            model.set_params(n_rounds=4).fit(make_blobs().train)
