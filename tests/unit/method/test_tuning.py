"""Baselines are tuned by points that they do not train on, and keep the best of their course."""

import numpy as np
import pytest
import torch
from examples import CONV_VAE, GAN, make_blobs, make_experiment, make_images

from competitive_mixtures.errors import UserError
from competitive_mixtures.method import tuning
from competitive_mixtures.method.assignment import to_cells
from competitive_mixtures.method.baselines import reshape_experiment
from competitive_mixtures.method.run import Run
from competitive_mixtures.pipeline.classifier import fit_classifier

SETTINGS = {"rates": [0.5, 1.0, 2.0], "looks": 2, "held_out": 0.25}
STEPS = {"paper": 10, "equal_compute": 20}


def open_run(dataset=None, **changes):
    experiment = make_experiment(**({"tuning": SETTINGS} | changes))
    return Run(reshape_experiment(experiment, "single"), dataset or make_blobs(), 0)


def choose(run, steps=STEPS, classifier=None):
    cells = to_cells(np.zeros(len(run.train), dtype=np.int16), 1)
    return tuning.choose_weights(run, "single", cells, steps, [1.0], classifier)


def test_every_rate_is_looked_at_along_each_protocol():
    _, records = choose(open_run())
    looks = records["equal_compute"]["looks"]
    assert [(look["rate"], look["num_steps"]) for look in looks] == [
        (rate, steps) for rate in SETTINGS["rates"] for steps in (5, 10, 20)
    ]
    assert records["paper"]["looks"] == [look for look in looks if look["num_steps"] <= 10]


def test_the_best_look_wins_and_the_gain_is_over_all_steps_at_the_rate_as_it_is():
    run = open_run()
    tensors, records = choose(run)
    for protocol, record in records.items():
        best = max(record["looks"], key=lambda look: look["score"])
        untuned = {(look["rate"], look["num_steps"]): look["score"] for look in record["looks"]}[1.0, STEPS[protocol]]
        assert (record["rate"], record["num_steps"]) == (best["rate"], best["num_steps"])
        assert record["held_out_score"] == best["score"]
        assert record["held_out_gain"] == pytest.approx(best["score"] - untuned)
        assert record["held_out_gain"] >= 0
        assert record["samples_seen"] == record["num_steps"] * 16
        assert record["train_time_s"] > 0
    names = run.build_components().weights().keys()
    assert tensors.keys() == {f"{protocol}.{name}" for protocol in STEPS for name in names}


def test_held_out_points_are_not_trained_on(monkeypatch):
    trained = []

    def train(run, name, cells, places):
        trained.extend(cells)
        return iter([(run.build_components(), {"num_steps": 5, "samples_seen": 0, "compute": 0.0})])

    monkeypatch.setattr(tuning, "train_in_stages", train)
    seen = {}
    score = tuning.build_score
    monkeypatch.setattr(
        tuning, "build_score", lambda run, held_out, c: seen.update(it=held_out) or score(run, held_out, c)
    )
    choose(open_run())
    (cell, *others) = trained
    assert len(others) == 2
    assert sorted([*cell.tolist(), *seen["it"].nonzero()[:, 0].tolist()]) == list(range(120))
    assert 10 < int(seen["it"].sum()) < 60


def test_a_rate_that_diverges_is_passed_over_and_only_bad_ones_are_refused():
    component = {"0": {"loss_limit": 1.0e4}}
    _, records = choose(open_run(tuning=SETTINGS | {"rates": [1.0, 1e6]}, components=component))
    assert {look["rate"] for look in records["equal_compute"]["looks"]} == {1.0}
    with pytest.raises(UserError, match="diverged at each of"):
        choose(open_run(tuning=SETTINGS | {"rates": [1e6]}, components=component))


def test_all_learning_rates_of_a_gan_are_scaled():
    (gan,) = tuning.scale_rates(make_experiment(components=[GAN], tuning=SETTINGS), 3.0).components
    assert (gan.optimizer.learning_rate, gan.critic_optimizer.learning_rate) == pytest.approx((9e-3, 9e-3))


def test_images_are_scored_by_the_classifier(tmp_path):
    images = make_images(num_train=400, num_test=40)
    fit_classifier(images, 0, tmp_path)
    run = open_run(images, components=[CONV_VAE], evaluation={"num_samples": 300})
    score = tuning.build_score(run, torch.arange(400) < 200, tmp_path / "classifier.safetensors")
    noise = np.random.default_rng(0).integers(0, 256, (300, 1, 8, 8), dtype=np.uint8)
    assert score(images.train[200:]) > score(noise)


def test_images_without_a_classifier_are_refused():
    with pytest.raises(UserError, match="images with labels"):
        choose(open_run(make_images(), components=[CONV_VAE]))
