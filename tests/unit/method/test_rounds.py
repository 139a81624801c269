"""The jobs of a run on tiny data: their files, their sums, and the same bytes in whatever way they are cut."""

import json
import math

import numpy as np
import pytest
import torch
from examples import ADAM, CONV, CONV_VAE, GAN, VAE, change, make_blobs, make_experiment, make_images, play
from scipy.special import logsumexp

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import TrainingDivergedError, UserError
from competitive_mixtures.files.formats import read_json, read_table, read_tensors
from competitive_mixtures.method import assignment
from competitive_mixtures.method.partial_round import PartialRound
from competitive_mixtures.method.rounds import quantiles
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.start import split_uniformly
from competitive_mixtures.pipeline.jobs import compete, conclude, pretrain, reassign, train_shard

K = 3
VAE_PARAMETERS = 2 * 8 + 8 + 8 * 4 + 4 + 2 * 8 + 8 + 8 * 2 + 2
DISCRIMINATOR_PARAMETERS = 2 * 8 + 8 + 8 + 1


def metrics(folder):
    return read_json(folder / "metrics.json")


def identical_points(number=30):
    return Dataset("dot", "vector", (2,), np.ones((number, 2), np.float32), np.ones((9, 2), np.float32), None, None, {})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    play(make_experiment(), make_blobs(), folder)
    return folder


class TestFiles:
    def test_names(self, run):
        files = {"assignments.parquet", "metrics.json", "samples.npy", "state.safetensors"}
        assert {path.name for path in (run / "pretrain").iterdir()} == files
        for t in range(3):
            assert {path.name for path in (run / f"rounds/{t}").iterdir()} == files | {"shards"}

    def test_pretraining_is_on_a_uniform_split(self, run):
        table = read_table(run / "pretrain/assignments.parquet")
        assert np.array_equal(table["component"], split_uniformly(120, K, (0,)))
        assert metrics(run / "pretrain")["counts"] == [40, 40, 40]

    def test_assignment_table(self, run):
        labels = make_blobs().train_labels
        former = read_table(run / "pretrain/assignments.parquet")["component"]
        for t in range(3):
            table = read_table(run / f"rounds/{t}/assignments.parquet")
            assert {name: column.dtype.name for name, column in table.items()} == {
                "index": "int32",
                "component": "int16",
                "previous": "int16",
                "margin": "float32",
                "label": "int16",
            }
            assert np.array_equal(table["index"], np.arange(120))
            assert np.array_equal(table["previous"], former)
            assert np.array_equal(table["label"], labels)
            assert (table["margin"] >= 0).all()
            record = metrics(run / f"rounds/{t}")
            assert record["round"] == t
            assert record["counts"] == np.bincount(table["component"], minlength=K).tolist()
            assert record["weights"] == [count / 120 for count in record["counts"]]
            assert record["share_changed"] == (table["component"] != former).mean()
            former = table["component"]

    def test_samples(self, run):
        for folder in ("pretrain", "rounds/2"):
            samples = np.load(run / folder / "samples.npy")
            assert samples.shape == (K, 256, 2)
            assert samples.dtype == np.float32

    def test_costs_recomputed_by_hand(self, run):
        """Every step of a component takes 16 points; every step of a discriminator 16 real points and 16 samples."""
        training, discriminating = 10 * 16 * K, 10 * 2 * 16 * K
        samples, compute = training, training * VAE_PARAMETERS
        assert metrics(run / "pretrain")["samples_seen"] == samples
        assert metrics(run / "pretrain")["compute"] == compute
        for t in range(3):
            record = metrics(run / f"rounds/{t}")
            samples += discriminating + (training if t else 0)
            compute += discriminating * DISCRIMINATOR_PARAMETERS + (training * VAE_PARAMETERS if t else 0)
            assert (record["samples_seen"], record["compute"]) == (samples, compute)

    def test_losses(self, run):
        assert metrics(run / "rounds/0")["component_loss"] == [None] * K  # round 0 only scores
        for t in (1, 2):
            assert np.isfinite(metrics(run / f"rounds/{t}")["component_loss"]).all()
        for t in range(3):
            assert len(metrics(run / f"rounds/{t}")["discriminator_loss"]) == K

    def test_seconds(self, run):
        for t in range(3):
            seconds = metrics(run / f"rounds/{t}")["seconds"]
            assert set(seconds) == {"load", "train", "discriminate", "score", "assign", "write"}
            assert min(seconds.values()) >= 0

    def test_state_goes_on_where_it_stopped(self, run):
        tensors = read_tensors(run / "rounds/2/state.safetensors")
        assert tensors["components.0.shared.adam.vae.num_steps"] == 30
        cells = [tensors[f"cells.{j}"] for j in range(K)]
        winner = read_table(run / "rounds/2/assignments.parquet")["component"]
        former = [read_tensors(run / "rounds/1/state.safetensors")[f"cells.{j}"] for j in range(K)]
        expected = assignment.balance_cells(winner, former, 0.1)
        assert [cell.tolist() for cell in cells] == [cell.tolist() for cell in expected]


def test_objective_of_given_scores(tmp_path):
    """H(alpha) minus the mean of log rho at the winners, with rho = N r / Z (the paper's objective, KL on the data)."""
    run = Run(make_experiment(), make_blobs(), 0)
    pretrain(run, tmp_path / "pretrain")
    partial_round = compete(run, 0, tmp_path / "pretrain", range(K))
    partial_round.log_ratios = 3 * torch.randn(120, K, generator=torch.Generator().manual_seed(0))
    partial_round.log_ratios_test = partial_round.log_ratios[:40].clone()
    conclude(run, 0, tmp_path / "pretrain", partial_round, tmp_path / "0")
    record = metrics(tmp_path / "0")
    scores = partial_round.log_ratios.double().numpy()
    normalized = scores - logsumexp(scores, axis=0)
    winner = normalized.argmax(axis=1)
    assert np.array_equal(read_table(tmp_path / "0/assignments.parquet")["component"], winner)
    alpha = np.bincount(winner) / 120
    log_rho = normalized + math.log(120)
    entropy = -(alpha * np.log(alpha)).sum()
    assert record["objective"] == pytest.approx(entropy - log_rho[range(120), winner].mean(), rel=1e-5)
    test = -(np.log(alpha)[winner] + log_rho[range(120), winner])[:40].mean()
    assert record["objective_test"] == pytest.approx(test, rel=1e-5)
    ordered = np.sort(normalized, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    assert record["margin_quantiles"]["0.5"] == pytest.approx(np.median(margins), rel=1e-4)


def test_held_out_points_of_a_component_without_weight_leave_the_objective_open(tmp_path):
    run = Run(make_experiment(), make_blobs(), 0)
    pretrain(run, tmp_path / "pretrain")
    partial_round = compete(run, 0, tmp_path / "pretrain", range(K))
    partial_round.log_ratios = torch.tensor([[1.0, 0.0, 0.0]]).repeat(120, 1)
    partial_round.log_ratios[0, 1:] = 5  # components 1 and 2 can win nothing but point 0 after normalisation
    partial_round.log_ratios[0, 2] = 4
    partial_round.log_ratios_test = torch.tensor([[0.0, 0.0, 9.0]]).repeat(40, 1)
    conclude(run, 0, tmp_path / "pretrain", partial_round, tmp_path / "0")
    record = metrics(tmp_path / "0")
    assert record["counts"][2] == 0
    assert record["objective_test"] is None
    assert math.isfinite(record["objective"])


EXPERIMENTS = {
    "vae": {},
    "gan": {"components": [GAN | {"critic_steps": 2}]},
    "mixed": {"components": [VAE | {"count": 2}, GAN | {"count": 2}], "baselines": []},
    "carried on": {"scoring": {"reset": False}},
    "bound": {"scoring": {"kind": "bound"}},
    "posterior": {"scoring": {"assignment": "posterior"}},
    "revival": {"revival": {"every": 2, "min_share": 0.9, "until": 8}},
    "no balancing": {"balancing": {"min_share": 0.0}},
    "no pretraining": {"training": {"pretraining_steps": 0}},
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_shards_and_whole_rounds_write_the_same_bytes(name, tmp_path):
    """With one network at a time, the bytes do not depend on who else is in the job."""
    dataset = make_blobs()
    experiment = make_experiment(**change(EXPERIMENTS[name], training={"backend": "loop"}))
    whole = play(experiment, dataset, tmp_path / "whole")
    sharded = play(experiment.model_copy(update={"shards": 3}), dataset, tmp_path / "sharded")
    for t in range(3):
        for file in ("assignments.parquet", "samples.npy", "state.safetensors"):
            first, second = (folder / f"rounds/{t}" / file for folder in (tmp_path / "whole", tmp_path / "sharded"))
            assert first.read_bytes() == second.read_bytes(), (t, file)
    first, second = metrics(whole), metrics(sharded)
    assert first.pop("seconds").keys() == second.pop("seconds").keys()
    assert first == second


@pytest.mark.parametrize(
    "changes",
    [
        *EXPERIMENTS.values(),
        {"scoring": {"kind": "classifier"}},
        {"scoring": {"trunk": "shared", "reset": False}},
        {"scoring": {"kind": "soft_bound"}},
        {"scoring": {"normalization": "global"}},
        {"training": {"shared_layers": 1}},
    ],
    ids=str,
)
def test_every_variant_plays(changes, tmp_path):
    last = play(make_experiment(**changes), make_blobs(), tmp_path, rounds=3)
    record = metrics(last)
    assert sum(record["counts"]) == 120
    bounds = changes.get("scoring", {}).get("kind", "").endswith("bound")
    assert (record["objective"] is None) == bounds
    assert ("discriminator_loss" in record) != bounds


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    tables = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        last = play(make_experiment(), make_blobs(), tmp_path / name, rounds=1, seed=seed)
        tables.append((last / "assignments.parquet").read_bytes())
    assert tables[0] == tables[1]
    assert tables[0] != tables[2]


def test_a_run_that_is_lengthened_goes_on_as_a_long_one(tmp_path):
    experiment, dataset = make_experiment(scoring={"reset": False}), make_blobs()
    long = play(experiment, dataset, tmp_path / "long", rounds=3)
    short = play(experiment, dataset, tmp_path / "short", rounds=2)
    partial_round = compete(Run(experiment, dataset, 0), 3, short, range(K))
    conclude(Run(experiment, dataset, 0), 3, short, partial_round, tmp_path / "more")
    for file in ("assignments.parquet", "samples.npy", "state.safetensors"):
        assert (long / file).read_bytes() == (tmp_path / "more" / file).read_bytes()


def test_back_ends_assign_alike(tmp_path):
    winners = []
    for backend in ("stacked", "loop"):
        last = play(make_experiment(training={"backend": backend}), make_blobs(), tmp_path / backend)
        winners.append(read_table(last / "assignments.parquet")["component"])
    assert (winners[0] == winners[1]).mean() > 0.98  # rounding may turn a tie


def test_carried_on_discriminators_keep_training(tmp_path):
    last = play(make_experiment(scoring={"reset": False}), make_blobs(), tmp_path)
    assert read_tensors(last / "state.safetensors")["discriminators.0.shared.adam.network.num_steps"] == 30
    last = play(make_experiment(), make_blobs(), tmp_path / "reset")
    assert not any(name.startswith("discriminators") for name in read_tensors(last / "state.safetensors"))


class TestOneComponent:
    @pytest.mark.parametrize("kind", ["discriminators", "classifier", "bound", "soft_bound"])
    def test_it_owns_everything(self, kind, tmp_path):
        experiment = make_experiment(
            components=[VAE | {"count": 1}],
            scoring={"kind": kind},
            revival={"every": 1, "min_share": 1.0, "until": 5},
        )
        record = metrics(play(experiment, make_blobs(), tmp_path))
        assert (record["counts"], record["weights"], record["share_changed"]) == ([120], [1.0], 0.0)
        assert set(record["margin_quantiles"].values()) == {None}
        assert record["revived"] == []


class TestRevival:
    def test_starved_components_become_copies_every_second_round(self, tmp_path):
        experiment = make_experiment(
            revival={"every": 2, "min_share": 1.0, "until": 4}, training={"steps_per_round": 1}
        )
        play(experiment, make_blobs(), tmp_path, rounds=6)
        revived = [metrics(tmp_path / f"rounds/{t}")["revived"] for t in range(7)]
        planned = [read_tensors(tmp_path / f"rounds/{t}/state.safetensors")["revivals"].tolist() for t in range(7)]
        assert revived[1:] == planned[:-1]
        assert all(not pairs for t, pairs in enumerate(revived) if t not in (2, 4))
        assert any(revived)

    def test_a_starved_components_cell_is_half_of_the_donors(self, tmp_path):
        run = Run(make_experiment(revival={"every": 1, "min_share": 0.5, "until": 9}), make_blobs(), 0)
        pretrain(run, tmp_path / "pretrain")
        partial_round = compete(run, 1, tmp_path / "pretrain", range(K))
        partial_round.log_ratios = torch.full((120, K), -30.0)
        partial_round.log_ratios[:80, 0] = partial_round.log_ratios[80:, 2] = 0
        conclude(run, 1, tmp_path / "pretrain", partial_round, tmp_path / "1")
        ((donor, recipient),) = read_tensors(tmp_path / "1/state.safetensors")["revivals"].tolist()
        assert recipient == 1
        assert donor in (0, 2)
        after = compete(Run(run.experiment, run.dataset, 0), 2, tmp_path / "1", range(K))
        sizes = [len(after.state.cells[j]) for j in range(K)]
        expected = [80, 0, 40]
        assert sizes[donor] + sizes[1] == expected[donor]
        assert abs(sizes[donor] - sizes[1]) <= 1
        assert after.metrics["revived"] == [(donor, 1)]

    def test_a_revived_component_can_win_a_posteriori(self, tmp_path):
        """Its weight of the round before is zero; it shares the donor's."""
        revival = {"every": 1, "min_share": 0.5, "until": 9}
        run = Run(make_experiment(revival=revival, scoring={"assignment": "posterior"}), make_blobs(), 0)
        pretrain(run, tmp_path / "pretrain")
        partial_round = compete(run, 1, tmp_path / "pretrain", range(K))
        partial_round.log_ratios = torch.full((120, K), -30.0)
        partial_round.log_ratios[:80, 0] = partial_round.log_ratios[80:, 2] = 0
        conclude(run, 1, tmp_path / "pretrain", partial_round, tmp_path / "1")
        assert metrics(tmp_path / "1")["counts"] == [80, 0, 40]
        after = compete(Run(run.experiment, run.dataset, 0), 2, tmp_path / "1", range(K))
        assert after.metrics["revived"][0][1] == 1
        conclude(run, 2, tmp_path / "1", after, tmp_path / "2")
        assert metrics(tmp_path / "2")["counts"][1] > 0


class TestOddData:
    def test_without_labels(self, tmp_path):
        last = play(make_experiment(), make_blobs(labels=False), tmp_path, rounds=1)
        assert "label" not in read_table(last / "assignments.parquet")
        assert not {"purity", "nmi", "ari"} & set(metrics(last))

    def test_labels_are_scored(self, tmp_path):
        assert {"purity", "nmi", "ari"} <= set(metrics(play(make_experiment(), make_blobs(), tmp_path, rounds=1)))

    def test_one_test_point(self, tmp_path):
        assert math.isfinite(metrics(play(make_experiment(), make_blobs(num_test=1), tmp_path, rounds=1))["objective"])

    def test_as_many_points_as_components(self, tmp_path):
        assert sum(metrics(play(make_experiment(), make_blobs(num_train=3), tmp_path, rounds=2))["counts"]) == 3

    def test_fewer_points_than_components(self, tmp_path):
        with pytest.raises(UserError, match="3 components for 2 training points"):
            play(make_experiment(), make_blobs(num_train=2), tmp_path)

    def test_identical_points(self, tmp_path):
        record = metrics(play(make_experiment(), identical_points(), tmp_path))
        assert sum(record["counts"]) == 30
        assert max(record["counts"]) == 30  # whoever scores one of them best scores them all best

    def test_images(self, tmp_path):
        experiment = make_experiment(components=[CONV_VAE | {"count": 2}], scoring={"network": CONV})
        last = play(experiment, make_images(), tmp_path, rounds=1)
        samples = np.load(last / "samples.npy")
        assert samples.shape == (2, 16, 1, 8, 8)
        assert samples.dtype == np.uint8


class TestErrors:
    def test_divergence_leaves_nothing_behind(self, tmp_path):
        wild = change(VAE, optimizer=ADAM | {"learning_rate": 1e6})
        with pytest.raises(TrainingDivergedError, match=r"component \d diverged at step"):
            play(make_experiment(components=[wild], training={"pretraining_steps": 100}), make_blobs(), tmp_path)
        assert not (tmp_path / "pretrain").exists()

    def test_a_round_without_the_one_before(self, tmp_path):
        with pytest.raises(UserError, match=r"state.safetensors: not found"):
            compete(Run(make_experiment(), make_blobs(), 0), 1, tmp_path, range(K))

    def test_a_missing_shard(self, tmp_path):
        run = Run(make_experiment(), make_blobs(), 0)
        pretrain(run, tmp_path)
        train_shard(run, 0, tmp_path, 0, 3, tmp_path / "shard")
        with pytest.raises(UserError, match=r"found components \[0\]"):
            reassign(run, 0, tmp_path, [tmp_path / "shard"], tmp_path / "0")

    def test_a_state_of_other_settings(self, tmp_path):
        pretrain(Run(make_experiment(), make_blobs(), 0), tmp_path)
        wide = make_experiment(components=[change(VAE, encoder={"hidden": [9]})])
        with pytest.raises(UserError, match="written with other settings"):
            compete(Run(wide, make_blobs(), 0), 0, tmp_path, range(K))
        for count in (2, 4):
            other = make_experiment(components=[VAE | {"count": count}])
            with pytest.raises(UserError, match=f"found 3 components, the settings expect {count}"):
                compete(Run(other, make_blobs(), 0), 0, tmp_path, range(count))

    def test_scores_that_are_nan(self, tmp_path):
        run = Run(make_experiment(), make_blobs(), 0)
        pretrain(run, tmp_path)
        partial_round = compete(run, 0, tmp_path, range(K))
        partial_round.log_ratios[3, 1] = math.nan
        with pytest.raises(UserError, match="component 1"):
            conclude(run, 0, tmp_path, partial_round, tmp_path / "0")
        assert not (tmp_path / "0").exists()


def test_quantiles():
    found = quantiles(np.arange(101, dtype=np.float32))
    assert found == {"0.05": 5, "0.25": 25, "0.5": 50, "0.75": 75, "0.95": 95}
    assert set(quantiles(np.array([1.0, np.inf])).values()) == {None}


def test_a_part_holds_only_its_own_components(tmp_path):
    run = Run(make_experiment(), make_blobs(), 0)
    pretrain(run, tmp_path)
    partial_round = compete(run, 0, tmp_path, [1])
    assert isinstance(partial_round, PartialRound)
    assert partial_round.log_ratios.shape == (120, 1)
    assert partial_round.state.components.ids == partial_round.state.discriminators.ids == [1]
    assert json.dumps(partial_round.metrics, allow_nan=False)
