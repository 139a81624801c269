"""An experiment in the latents of an autoencoder: one job trains it, and everything after it reads its latents."""

import csv
import json

import numpy as np
import pytest

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.data import load_dataset
from competitive_mixtures.files.tables import read_assignments, read_model_samples

RUN = "results/experiments/digits-latent/seed-0"


@pytest.fixture(scope="module")
def trained(finished_once, tmp_path_factory):
    """A copy of the finished project, with that experiment, and the jobs that ran."""
    project = finished_once[0].copy(tmp_path_factory.mktemp("latent") / "mon étude")
    return project, project.snakemake("digits-latent")


def test_it_is_trained_once_before_the_components(trained):
    project, jobs = trained
    assert jobs["learn_representation"] == 1
    assert jobs["pretrain"] == jobs["train_baseline"] == jobs["evaluate"] == 1
    assert project.snakemake("digits-latent") == {}


def test_its_latents_are_a_data_set_of_vectors(trained):
    project, _ = trained
    images, latents = (
        load_dataset(project.root / "data/processed/digits"),
        load_dataset(project.root / RUN / "representation", verify=True),
    )
    assert latents.kind == "vector"
    assert (latents.train.shape, latents.test.shape) == ((len(images.train), 3), (len(images.test), 3))
    np.testing.assert_array_equal(latents.train_labels, images.train_labels)


def test_samples_are_images(trained):
    project, _ = trained
    assert np.load(project.root / RUN / "rounds/1/samples.npy").shape == (2, 16, 1, 8, 8)
    samples = read_model_samples(project.root / RUN / "evaluation/samples.npz")
    assert samples["kmeans.paper"].dtype == np.uint8
    assert samples["competitive.-"].shape[1:] == (1, 8, 8)


def test_images_are_scored_and_no_density_of_latents_passes_for_one_of_images(trained):
    project, _ = trained
    with (project.root / RUN / "evaluation/scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    metrics = {row["metric"] for row in rows if row["model"] == "competitive"}
    assert {"frechet_classifier", "precision", "recall", "nmi"} <= metrics
    assert not {metric for metric in metrics if "likelihood" in metric}


@pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")  # so small a fit is no good
def test_the_estimator_gives_what_the_pipeline_gives(trained):
    project, _ = trained
    settings = json.loads((project.root / "results/settings/digits-latent.json").read_text())
    (block,) = settings["components"]
    mixture = CompetitiveMixture(
        2,
        n_rounds=1,
        random_state=0,
        representation="autoencoder",
        settings={key: settings[key] for key in ("representation", "training", "scoring", "balancing", "revival")}
        | {"components": [block]},
    )
    labels = mixture.fit_predict(np.array(load_dataset(project.root / "data/processed/digits").train))
    table = read_assignments(project.root / RUN / "rounds/1/assignments.parquet")
    np.testing.assert_array_equal(labels, table.component)


def test_a_changed_step_count_trains_it_again(trained, finished):
    finished.run("snakemake", "digits-latent")

    def lengthen(params):
        params["experiments"]["digits-latent"]["representation"]["steps"] = 31

    finished.change(lengthen)
    plan = finished.plan("digits-latent")
    assert plan["learn_representation"] == plan["pretrain"] == plan["evaluate"] == 1
