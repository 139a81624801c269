# Names and functions that several rules share.
import json
import re
from pathlib import Path

from competitive_mixtures.state import write_text_if_changed

PACKAGE = Path("src/competitive_mixtures")
DATA = "data/processed/{dataset}/meta.json"  # written last; holds the checksums of the arrays
CLASSIFIER = "results/classifiers/{dataset}/classifier.safetensors"
CONFIG = "results/{experiment}/config.json"
RUN = "results/{experiment}/seed-{seed}"
TABLES = ["assignments.parquet", "metrics.json", "samples.npy"]  # of a round, beside its state
CLASSIFIED = {"idx"}  # kinds of data sets whose labels a classifier of images learns
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


def classifiers_of(experiments):
    names = {params.experiments[name].dataset for name in experiments}
    return [CLASSIFIER.format(dataset=name) for name in sorted(names) if params.datasets[name].kind in CLASSIFIED]


def last_round_of(wildcards):
    return f"{RUN}/rounds/{params.experiments[wildcards.experiment].rounds}".format(**wildcards)


def write_plans():
    """Write what decides an experiment's files as one file each, only where it changes: DVC compares these.

    DVC cannot see it in params.yaml, where experiments extend each other.
    """
    for name, experiment in params.experiments.items():
        plan = experiment.settings() | {"rounds": experiment.rounds, "seeds": params.seeds}
        write_text_if_changed(f"results/plan/{name}.json", json.dumps(plan, indent=1) + "\n")


def resource(name):
    """What an experiment's training jobs ask for, as a function of a job's wildcards."""
    return lambda wildcards: getattr(params.experiments[wildcards.experiment].resources, name)


def urgency(wildcards):
    """Jobs that take the GPU form the longest chains: they go first."""
    return 10 * resource("gpu")(wildcards)
