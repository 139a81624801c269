"""Images with a known partition, as the pipeline prepares them."""

from pathlib import Path

import numpy as np
from point_sets import Split

from competitive_mixtures.data import load_dataset

IMAGES = ("mnist", "fashion-mnist", "mechanisms", "avatars")


def draw_images(name: str, seed: int, root: Path) -> Split:
    """Images and their labels; the split is the data set's own, whatever the seed.

    Raises:
        UserError: the data set has not been prepared; `snakemake data/processed/<name>/meta.json` does so.
    """
    data = load_dataset(root / "data/processed" / name)
    return Split(np.array(data.train), np.array(data.test), np.array(data.train_labels))
