"""The estimator's defaults are the numbers of params.yaml's experiments: what departs from them is listed here."""

from pathlib import Path

import pytest
from examples import GAN, VAE, make_estimators_experiment

from competitive_mixtures.settings.overlays import read_params

EXPERIMENTS = read_params(Path(__file__).parents[3] / "params.yaml").experiments
GAUSSIAN_VAE = VAE | {"count": 1, "likelihood": {"kind": "gaussian", "variance": "learned", "samples": "draws"}}
BERNOULLI_VAE = VAE | {"count": 2, "likelihood": {"kind": "bernoulli"}}
OWN = {"dataset"}  # what an experiment has and an estimator has not
DEPARTURES = {  # by experiment, component and kind of data
    ("synthetic-3-plain", "vae", "vector"): set(),
    ("mnist", "vae", "image"): {"evaluation"},  # a density needs samples in proportion to k, a Fréchet distance not
    ("synthetic-3-gan", "gan", "vector"): {
        "revival",  # ours
        "scoring.steps_per_round",  # one rule for both components
        "training.standardize",  # ours
    },
    ("mnist-gan", "gan", "image"): {
        "evaluation",
        "scoring.network.hidden",
        "training.pretraining_steps",
    },  # as for VAEs
}


def compare(ours, theirs, place=""):
    """Places where two blocks differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            yield from compare(ours.get(key), theirs.get(key), f"{place}.{key}".lstrip("."))
    elif ours != theirs:
        yield "evaluation" if place.startswith("evaluation.") else place


@pytest.mark.parametrize("case", DEPARTURES, ids=lambda case: case[0])
def test_defaults_follow_the_experiments(case):
    name, component, kind = case
    experiment = EXPERIMENTS[name]
    ours = make_estimators_experiment(
        kind,
        (2,) if kind == "vector" else (1, 28, 28),
        method="plain",
        n_components=experiment.num_components,
        component=component,
        steps_per_round=experiment.training.steps_per_round,
        device="auto",
    )
    assert (
        set(
            compare(
                ours.model_dump(exclude={"baselines"}),
                experiment.model_dump(include=set(ours.model_dump()) - {"baselines"}),
            )
        )
        == OWN | DEPARTURES[case]
    )


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "bound"),
        ({"component": "gan"}, "discriminators"),  # which have no bounds
        ({"method": "plain"}, "discriminators"),
        ({"settings": {"components": [VAE | {"count": 2}, GAN | {"count": 1}]}}, "discriminators"),
        ({"settings": {"components": [BERNOULLI_VAE, GAUSSIAN_VAE]}}, "discriminators"),  # densities beside masses
        ({"settings": {"scoring": {"steps_per_round": 9}}}, "discriminators"),  # the only ones that have this key
        ({"settings": {"scoring": {"kind": "soft_bound"}}}, "soft_bound"),
        ({"settings": {"training": {"held_out": 0.2}}}, "bound"),
    ],
)
def test_images_are_scored_by_bounds_where_nothing_else_is_asked_for(changes, kind):
    assert make_estimators_experiment("image", (1, 8, 8), **changes).scoring.kind == kind


@pytest.mark.parametrize(
    ("num_points", "batch_size"), [(3, 32), (120, 32), (384, 64), (1535, 128), (1536, 256), (9999, 256)]
)
def test_a_batch_is_at_most_half_the_mean_cell_or_the_least(num_points, batch_size):
    assert make_estimators_experiment(num_points=num_points).training.batch_size == batch_size
    assert make_estimators_experiment(num_points=num_points, method="plain").training.batch_size == 256
