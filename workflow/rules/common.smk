# Names and functions that several rules share.
import re
from pathlib import Path

PACKAGE = Path("src/competitive_mixtures")
DATA = "data/processed/{dataset}/meta.json"  # written last; holds the checksums of the arrays
CLASSIFIER = "results/classifiers/{dataset}/classifier.safetensors"
CONFIG = "results/{experiment}/config.json"
RUN = "results/{experiment}/seed-{seed}"
TABLES = ["assignments.parquet", "metrics.json", "samples.npy"]  # of a round, beside its state
NOTHING = "(?!)"  # a pattern that matches nothing


def code(*names):
    """The package's modules that a step stands on: editing one of them runs the step again.

    Only what decides numbers is named; parsing, printing and the writing of files are not.
    """
    paths = [PACKAGE / name for name in names]
    return sorted(str(file) for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path]))


def data_of(wildcards):
    return DATA.format(dataset=params.experiments[wildcards.experiment].dataset)


def datasets_of(experiments):
    return sorted({DATA.format(dataset=params.experiments[name].dataset) for name in experiments})


def last_round_of(wildcards):
    return f"{RUN}/rounds/{params.experiments[wildcards.experiment].rounds}".format(**wildcards)


def resource(name):
    """What an experiment's training jobs ask for, as a function of a job's wildcards."""
    return lambda wildcards: getattr(params.experiments[wildcards.experiment].resources, name)


def urgency(wildcards):
    """Jobs that take the GPU form the longest chains: they go first."""
    return 10 * resource("gpu")(wildcards)
