"""Three VAEs and two GANs in one competition: kinds train side by side, by the same jobs, whatever the split."""

import csv

import numpy as np
import pytest
from examples import (
    ADAM,
    CONV,
    CONV_GAN,
    CONV_VAE,
    GAN,
    VAE,
    WASSERSTEIN,
    change,
    make_blobs,
    make_experiment,
    make_images,
    play,
)

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import read_json, read_table, read_tensors
from competitive_mixtures.method.run import Run
from competitive_mixtures.pipeline.evaluate import evaluate

TWO_GANS = change(GAN, count=2, critic_steps=2, loss=WASSERSTEIN, critic_optimizer=ADAM)
MIXED = {"components": [VAE, TWO_GANS], "baselines": [], "revival": {"every": 1, "min_share": 0.6, "until": 5}}
MIXED_IMAGES = MIXED | {"components": [CONV_VAE, change(CONV_GAN, count=2)], "scoring": {"network": CONV}}


@pytest.mark.parametrize(
    ("changes", "make_dataset"), [(MIXED, make_blobs), (MIXED_IMAGES, make_images)], ids=["plane", "images"]
)
def test_a_whole_competition(changes, make_dataset, tmp_path):
    dataset = make_dataset()
    experiment = make_experiment(**changes)
    last = play(experiment, dataset, tmp_path, rounds=3)

    record = read_json(last / "metrics.json")
    assert sum(record["counts"]) == len(dataset.train)
    assert len(record["counts"]) == len(record["component_loss"]) == len(record["discriminator_loss"]) == 5
    assert np.isfinite([loss for loss in record["component_loss"] if loss is not None]).all()
    assert set(read_table(last / "assignments.parquet")["component"]) <= set(range(5))
    samples = np.load(last / "samples.npy")
    assert (len(samples), samples.shape[2:]) == (5, dataset.shape)
    evaluate(Run(experiment, dataset, 0), tmp_path, 3, tmp_path / "evaluation")
    with (tmp_path / "evaluation/scores.csv").open(newline="") as file:
        assert "competitive" in {row["model"] for row in csv.DictReader(file)}


def test_back_ends_and_shards_agree(tmp_path):
    loop = make_experiment(**change(MIXED, training={"backend": "loop"}))
    sharded = make_experiment(**change(MIXED, training={"backend": "loop"}, shards=3))  # VAEs and GANs share the second
    stacked = make_experiment(**change(MIXED, training={"backend": "stacked"}))
    whole, parts, side_by_side = (
        play(experiment, make_blobs(), tmp_path / name)
        for name, experiment in (("loop", loop), ("sharded", sharded), ("stacked", stacked))
    )
    assert (whole / "assignments.parquet").read_bytes() == (parts / "assignments.parquet").read_bytes()
    ours, others = read_tensors(whole / "state.safetensors"), read_tensors(side_by_side / "state.safetensors")
    assert ours.keys() == others.keys()
    tables = [read_table(folder / "assignments.parquet")["component"] for folder in (whole, side_by_side)]
    assert (tables[0] == tables[1]).mean() > 0.95


def test_a_mixed_competition_has_no_baselines():
    with pytest.raises(UserError, match="baselines: a mixed competition has no baseline of the same family"):
        make_experiment(**MIXED | {"baselines": ["single"]})
