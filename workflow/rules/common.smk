# Names, and functions from a job's wildcards to what it needs.
import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from shlex import quote

from competitive_mixtures.evaluation.inception_weights import WEIGHTS_URL
from competitive_mixtures.report.claims.criteria import read_claims
from competitive_mixtures.pipeline.resolved import FILES
from competitive_mixtures.files import write_text_if_changed

PACKAGE = Path("src/competitive_mixtures")
DATA = "data/processed/{dataset}/meta.json"  # written last; holds the checksums of the arrays
CLASSIFIER = "results/classifiers/{dataset}/classifier.safetensors"
INCEPTION = "data/inception/weights.json"
CONFIG = "results/{experiment}/config.json"
RUN = "results/{experiment}/seed-{seed}"
ROUND = f"{RUN}/rounds/{{round}}"
SHARD = f"{ROUND}/shards/{{shard}}.safetensors"
BASELINE = f"{RUN}/baselines/{{baseline}}"
SCORES = f"{RUN}/evaluation/scores.csv"
TABLES = ["assignments.parquet", "metrics.json", "samples.npy"]  # of a round, beside its state
SUMMARY = ["summary.csv", "rounds.csv", "timing.csv", "metrics.json"]
HAS_GPU = shutil.which("nvidia-smi") is not None
NOTHING = "(?!)"  # a pattern that matches nothing


def write_plans():
    """Write what decides an experiment's files as one file each, only where it changes: DVC compares these.

    DVC cannot see it in params.yaml, where experiments extend each other.
    """
    for name, experiment in params.experiments.items():
        plan = experiment.settings() | {"rounds": experiment.rounds, "seeds": params.seeds}
        write_text_if_changed(f"results/plan/{name}.json", json.dumps(plan, indent=1) + "\n")


def code(*names):
    """The package's modules that a step stands on: editing one of them runs the step again.

    Only what decides numbers is named; parsing, printing and the writing of files are not.
    """
    paths = [PACKAGE / name for name in names]
    return sorted(str(file) for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path]))


def inception_files():
    """The weights file that the user names, if any, and the place of the fetched one."""
    named = params.inception.path or os.environ.get("INCEPTION_WEIGHTS")
    return [named] * bool(named) + [f"{Path(INCEPTION).parent}/{Path(WEIGHTS_URL).name}"]


# Several experiments at once


def datasets_of(experiments):
    return sorted({DATA.format(dataset=params.experiments[name].dataset) for name in experiments})


def classifiers_of(experiments):
    names = {params.experiments[name].dataset for name in experiments}
    return [CLASSIFIER.format(dataset=name) for name in sorted(names) if params.datasets[name].has_classifier]


def runs_of(experiments):
    """The folders of all seeds."""
    return expand(RUN, experiment=experiments, seed=range(params.seeds))


def scores_of(experiments):
    return expand(SCORES, experiment=experiments, seed=range(params.seeds))


def tables_of(experiments):
    return expand("results/tables/{experiment}/summary.csv", experiment=experiments)


def rounds_of(experiments):
    """Options that name each experiment's last round: a run that was longer once has left more."""
    return [f"--rounds {name}={params.experiments[name].rounds}" for name in experiments]


def finished_runs():
    """The runs whose scores are there and younger than their settings, with the scores' checksums.

    The summary takes these in without asking for them, whatever their suite and seed: an ablation that nobody runs
    stays out of it, and a run that `verdict` added stays in it.
    """
    current = {}
    for name in params.experiments:
        settings = Path(CONFIG.format(experiment=name))
        for path in settings.parent.glob("seed-*/evaluation/scores.csv"):
            if path.stat().st_mtime >= settings.stat().st_mtime:
                current[str(path.parents[1])] = hashlib.md5(path.read_bytes()).hexdigest()
    return dict(sorted(current.items()))


def runs_of_claims(wildcards):
    """The scores of every run that a criterion in paper/claims.yaml asks for; experiments at paper scale apart."""
    try:
        claims = read_claims(Path("paper/claims.yaml"))
    except UserError as error:
        sys.exit(str(error))
    seeds = {}
    for part in (part for claim in claims for part in claim.parts):
        for side in filter(None, (part.measure, part.against)):
            seeds[side.experiment] = max(part.seeds, seeds.get(side.experiment, 0))
    asked = [name for suite in ("default", "ablations") for name in params.suite(suite) if name in seeds]
    return [path for name in asked for path in expand(SCORES, experiment=name, seed=range(seeds[name]))]


def any_round(experiments):
    """A pattern of {experiment}: these."""
    return "|".join(map(re.escape, experiments)) or NOTHING


def last_round(experiments):
    """A pattern of {experiment}: these, in the path of their last round only."""
    ends = [(re.escape(name), params.experiments[name].rounds) for name in experiments]
    return "|".join(rf"{name}(?=/seed-\d+/rounds/{number}/)" for name, number in ends) or NOTHING


# One job


def experiment_of(wildcards):
    return params.experiments[wildcards.experiment]


def resource(name):
    """What an experiment's training jobs ask for, as a function of a job's wildcards.

    Their programs take `threads` from here too, not from Snakemake, where --cores can lower it: the same bytes need
    the same number of threads.
    """
    return lambda wildcards: getattr(experiment_of(wildcards).resources, name)


def gpus(wildcards):
    """The GPUs that a training job asks for; `auto` asks for one where this machine has one.

    Without a GPU, `--resources gpu=1` would only make the processor's cores train one after the other.
    """
    asked = experiment_of(wildcards).resources.gpu
    return int(HAS_GPU) if asked == "auto" else asked


def urgency(wildcards):
    """Experiments whose jobs may take longest form the longest chains: they go first."""
    return experiment_of(wildcards).resources.runtime


def raw_of(wildcards):
    """The record of a download, or the data set that this one is derived from."""
    source = params.datasets[wildcards.dataset].requires
    return DATA.format(dataset=source) if source else f"data/raw/{wildcards.dataset}/download.json"


def own_of(wildcards):
    """What a data set is read from of the user's own; of a folder the list of its files tells whether it changed."""
    spec = params.datasets[wildcards.dataset]
    return spec.inputs if spec.list_files() is None else FILES.format(**wildcards)


def data_of(wildcards):
    return DATA.format(dataset=experiment_of(wildcards).dataset)


def previous_of(wildcards):
    """The state that a round starts from: round 0 only scores what was pretrained."""
    number = int(wildcards.round)
    folder = f"rounds/{number - 1}" if number else "pretrain"
    return f"{RUN}/{folder}/state.safetensors".format(**wildcards)


def former_of(wildcards):
    """The tables of the round before: who held each point, and what all rounds have cost so far."""
    folder = Path(previous_of(wildcards)).parent
    return [f"{folder}/assignments.parquet", f"{folder}/metrics.json"]


def shards_of(wildcards):
    return [SHARD.format(shard=shard, **wildcards) for shard in range(experiment_of(wildcards).shards)]


def last_round_of(wildcards):
    return ROUND.format(round=experiment_of(wildcards).rounds, **wildcards)


def baselines_of(wildcards):
    names = experiment_of(wildcards).baselines
    return [f"{BASELINE}/state.safetensors".format(baseline=name, **wildcards) for name in names]
