"""The job that trains the representation of one seed, and what other jobs read of it."""

from pathlib import Path

import numpy as np

from competitive_mixtures.data import Dataset, write_dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import RepresentationFolder
from competitive_mixtures.files.formats import read_tensors, write_json, write_tensors
from competitive_mixtures.method.device import choose_device, warm_up
from competitive_mixtures.method.representation import build_autoencoder, encode_images, train_autoencoder
from competitive_mixtures.method.run import Clock
from competitive_mixtures.method.scale import Scale
from competitive_mixtures.networks.autoencoder import Autoencoder
from competitive_mixtures.settings.schema import Experiment


def learn_representation(experiment: Experiment, dataset: Dataset, seed: int, out: Path) -> None:
    """Train the autoencoder, and write it and the latents of all images, as a data set of vectors with the same labels.

    Args:
        experiment: with a representation.
        dataset: images.
        seed: of the run.
        out: folder to write to.

    Raises:
        UserError: the experiment has no representation, or the data are no images.
    """
    settings = experiment.representation
    if settings is None:
        raise UserError("representation: found null, expected the block of an autoencoder")
    device, clock, folder = choose_device(experiment.device), Clock(), RepresentationFolder(out)
    warm_up(device, convolves=True)
    with clock.time("train"):
        autoencoder, training = train_autoencoder(settings, Scale().apply(dataset.train), seed, device)
    with clock.time("encode"):
        arrays = {split: encode_images(autoencoder, getattr(dataset, split)) for split in ("train", "test")}
    labels = {f"{split}_labels": getattr(dataset, f"{split}_labels") for split in ("train", "test")}
    arrays |= {name: np.asarray(column) for name, column in labels.items() if column is not None}
    write_tensors(folder.state, autoencoder.weights())
    costs = {"loss": float(training.losses[0]), "samples_seen": training.samples_seen, "compute": training.compute}
    write_json(folder.metrics, costs | {"seconds": clock.seconds})
    names = dataset.meta["label_names"]
    write_dataset(
        folder.path, dataset.name, arrays, settings.model_dump(mode="json"), names, {"image_shape": list(dataset.shape)}
    )


def read_representation(experiment: Experiment, dataset: Dataset, folder: Path, seed: int) -> Autoencoder | None:
    """The autoencoder that made the latents in a folder; None where the experiment has no representation.

    Args:
        experiment: the settings.
        dataset: the latents.
        folder: theirs.
        seed: of the run.

    Raises:
        UserError: the data are no latents, or were written with other settings.
    """
    if experiment.representation is None:
        return None
    if not isinstance(dataset.meta.get("image_shape"), list):
        raise UserError(
            f"{folder}: found the data set {dataset.name} itself, expected its latents (learn-representation)"
        )
    device = choose_device(experiment.device)
    autoencoder = build_autoencoder(experiment.representation, tuple(dataset.meta["image_shape"]), seed, device)
    autoencoder.load_weights(read_tensors(RepresentationFolder(folder).state))
    return autoencoder
