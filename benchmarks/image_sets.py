"""Images with a known partition, as the pipeline prepares them, and their latents, as it learns them.

The latents are named after the experiment whose competition takes place in them.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from point_sets import Found, Split

from competitive_mixtures.data import load_dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import Project, RunFolder

PIXELS = ("mnist", "fashion-mnist", "mechanisms", "avatars")
LATENTS = ("mnist-latent", "fashion-mnist-latent", "mechanisms-latent", "avatars-latent")
ENDINGS = {  # of the runs of a competition in latents, by method
    "ours": "",
    "paper": "-plain-uniform",
    "paper_start": "-plain-gaussians",
}
IMAGES = (*PIXELS, *LATENTS)
MAX_IMAGES = 10_000  # of pixels, drawn by the seed: more take k-means and the competitions minutes a fit


def draw_images(name: str, seed: int, root: Path) -> Split:
    """Images or latents with their labels; the test images are the data set's own, whatever the seed.

    Raises:
        UserError: the data set has not been prepared (`snakemake data/processed/<name>/meta.json` does so), or the
            experiment has not been run with this seed.
    """
    if name in LATENTS:
        return read_runs(name, seed, root)
    data = load_dataset(Project(root).data.processed(name).path)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data.train))[:MAX_IMAGES])
    return Split(np.array(data.train[chosen]), np.array(data.test), np.array(data.train_labels[chosen]))


def read_runs(name: str, seed: int, root: Path) -> Split:
    """The latents of all images that a run of the pipeline has learnt, and the partitions that were found there.

    Another experiment with the same seed has learnt the same latents.

    Raises:
        UserError: no run of ours.
    """
    results = Project(root).results
    runs = {method: results.run(f"{name}{ending}", seed) for method, ending in ENDINGS.items()}
    run = runs["ours"]
    if not run.list_rounds():
        raise UserError(
            f"{run.path}: found no round; run snakemake results/experiments/{name}/seed-{seed}/evaluation/scores.csv"
        )
    latents = load_dataset(run.representation.path)
    return Split(
        np.array(latents.train, dtype=np.float64),
        np.array(latents.test, dtype=np.float64),
        np.array(latents.train_labels),
        found={method: read_partition(run) for method, run in runs.items() if run.list_rounds()},
    )


def read_partition(run: RunFolder) -> Found:
    """What a run has found by its last round."""
    rounds = run.list_rounds()
    stages = [run.pretraining, *(run.round(number) for number in rounds)]
    seconds = [json.loads(stage.metrics.read_text())["seconds"] for stage in stages]
    return Found(
        pd.read_parquet(run.round(rounds[-1]).assignments, columns=["component"])["component"].to_numpy(),
        seconds=sum(sum(stage.values()) for stage in seconds),
    )
