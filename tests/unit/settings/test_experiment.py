"""One experiment: sizes, conflicts between its blocks, and what its results depend on."""

import pytest
from examples import BASE, GAN, PLAN, VAE, make_experiment

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.experiment import Evaluation, PlannedExperiment


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
