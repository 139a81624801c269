"""One experiment: sizes, conflicts between its blocks, and what its results depend on."""

import pytest
from examples import BASE, GAN, PARAMS, PLAN, VAE, make_experiment, params

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.experiment import Evaluation, PlannedExperiment
from competitive_mixtures.settings.schema import load_params


def test_components_of_all_kinds_are_counted():
    assert make_experiment().num_components == 3
    mixed = make_experiment(components=[VAE | {"count": 2}, GAN | {"count": 5}], baselines=[])
    assert mixed.num_components == 7


def test_results_depend_on_all_but_the_plan():
    planned = PlannedExperiment.model_validate(BASE | PLAN | {"extends": "other"})
    assert planned.settings() == make_experiment().model_dump(mode="json")


def test_the_conflicts_of_every_block_are_told_with_its_key():
    with pytest.raises(UserError) as caught:
        make_experiment(
            shards=4,
            training={"shared_layers": 1},
            scoring={"kind": "classifier"},
            components=[VAE | {"count": 1}, GAN | {"count": 2}],
            evaluation={"num_samples": 3},
        )
    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert keys == ["shards", "training.shared_layers", "scoring.kind", "baselines", "evaluation.num_samples"]


@pytest.mark.parametrize(("num_samples", "fid_features", "count"), [(65, 64, 0), (64, 64, 1), (4, None, 0), (3, 64, 2)])
def test_an_evaluation_needs_more_samples_than_features_and_neighbours(num_samples, fid_features, count):
    block = {"num_samples": num_samples, "num_bandwidth_samples": 1, "num_neighbors": 3, "fid_features": fid_features}
    assert len(list(Evaluation.model_validate(block).find_conflicts())) == count


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"baselines": ["autoencoder_kmeans"]}, "autoencoder: autoencoder_kmeans needs the block of an autoencoder"),
        (
            {"exploration": {"share": 0.5, "decay": 0.5}, "scoring": {"kind": "soft_bound"}},
            "exploration: soft_bound draws the cells by responsibility already",
        ),
    ],
)
def test_rivals_name_what_they_lack(changes, line):
    with pytest.raises(UserError, match=line):
        make_experiment(**changes)


class TestDraws:
    def test_seeds_change_among_the_draws_of_the_data(self):
        content = load_params(params(draws=3))
        assert [content.dataset_of("tiny", seed) for seed in range(5)] == [
            "blobs", "blobs-draw-1", "blobs-draw-2", "blobs", "blobs-draw-1",
        ]  # fmt: skip
        drawn = content.list_datasets()
        assert {name: spec.seed for name, spec in drawn.items()} == {"blobs": 0, "blobs-draw-1": 1, "blobs-draw-2": 2}
        assert drawn["blobs-draw-2"].means == drawn["blobs"].means

    def test_they_are_no_part_of_what_results_depend_on(self):
        once, twice = (load_params(params(draws=draws)).experiments["tiny"].settings() for draws in (1, 2))
        assert once == twice

    def test_data_that_is_fetched_stays_as_it_is(self):
        mnist = {"kind": "idx", "mirrors": [], "md5": dict.fromkeys(
            ("train", "train_labels", "test", "test_labels"), "0" * 32)}  # fmt: skip
        content = params(dataset="digits", draws=2, evaluation={"num_samples": 100})
        loaded = load_params(content | {"datasets": {"digits": mnist}})
        assert loaded.dataset_of("tiny", 1) == "digits"
        assert loaded.list_datasets().keys() == {"digits"}

    def test_a_data_set_with_the_name_of_a_draw_is_refused(self):
        content = params(draws=2)
        datasets = PARAMS["datasets"] | {"blobs-draw-1": PARAMS["datasets"]["blobs"]}
        with pytest.raises(UserError, match=r"datasets\.blobs-draw-1: is what a further draw of 'blobs' is called"):
            load_params(content | {"datasets": datasets})
