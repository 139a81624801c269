"""Data sets: specifications, downloads, preparation and the format on disk; nothing here imports torch."""

from competitive_mixtures.data.format import Dataset, load_dataset, write_dataset
from competitive_mixtures.data.gaussians import log_density
from competitive_mixtures.data.registry import DatasetSpec, download, prepare
from competitive_mixtures.data.spec import Spec

__all__ = ["Dataset", "DatasetSpec", "Spec", "download", "load_dataset", "log_density", "prepare", "write_dataset"]
