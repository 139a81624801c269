# Names, and functions from a job's wildcards to what it needs.
import hashlib
import os
import re
import shutil
from pathlib import Path
from shlex import quote

from competitive_mixtures.data.spec import look_at
from competitive_mixtures.evaluation.inception_weights import WEIGHTS_URL
from competitive_mixtures.files.checksums import write_listing
from competitive_mixtures.files.folders import MAX_DIGITS, Project
from competitive_mixtures.report.claims.criteria import read_claims
from competitive_mixtures.settings.resolved_data import check_files

PACKAGE = Path("src/competitive_mixtures")
DOCUMENTS = [PACKAGE / "settings" / name for name in ("json_schema.py", "reference.py")]  # describe params.yaml
PROJECT = Project()
DATA, RESULTS, PAPER = PROJECT.data, PROJECT.results, PROJECT.paper
DATASET = DATA.processed("{dataset}")
CLASSIFIER = RESULTS.classifier("{dataset}")
FURTHER_CLASSIFIER = RESULTS.classifier("{dataset}", "{seed}")
SETTINGS = RESULTS.settings("{experiment}")
RUN = RESULTS.run("{experiment}", "{seed}")
ROUND = RUN.round("{round}")
BASELINE = RUN.baseline("{baseline}")
HAS_GPU = shutil.which("nvidia-smi") is not None
NOTHING = "(?!)"  # a pattern that matches nothing
NUMBER = rf"\d{{1,{MAX_DIGITS}}}"  # no longer than reports can read, and than Snakemake takes for a loop of rules


def code(step, *names):
    """A list of the package's modules that a step stands on, with their checksums: editing one runs the step again.

    One input in the place of a hundred, each of which Snakemake looks at several times for every job. The modules are
    named by the folder, or by the file where a step stands on a part of a folder only. What cannot change a number is
    left out: messages, progress, names and formats of files, the command line. A test compares all this with what the
    steps import.
    """
    paths = [PACKAGE / name for name in names]
    modules = "[!.]*.py"  # files that begin with a dot are an editor's own
    files = {file for path in paths for file in (path.rglob(modules) if path.is_dir() else [path])}
    try:
        write_listing(RESULTS.code(step), sorted(files.difference(DOCUMENTS)))
    except (UserError, OSError) as error:
        sys.exit(str(error))
    return RESULTS.code(step)


METHOD = ("data", "settings", "networks", "method", "pipeline/representation.py", "denormals.py", "seeding.py")


def inception_named():
    """The weights file that the user names and the key, if any."""
    named = {
        "params.yaml: inception.path": params.inception.path,
        "INCEPTION_WEIGHTS": os.environ.get("INCEPTION_WEIGHTS"),
    }
    return next(((key, path) for key, path in named.items() if path), None)


def inception_of(wildcards):
    """The weights file that the user names, which has to be there, or the fetched one where it is."""
    if (named := inception_named()) is None:
        fetched = DATA.inception.with_name(Path(WEIGHTS_URL).name)
        return [fetched] * fetched.is_file()
    key, path = named
    if set(path) & set("<>{}"):
        sys.exit(f"{key}: {path}: found one of < > {{ }}, which Snakemake takes for variables; rename the file")
    try:
        look_at(path, "the weights of pytorch-fid's Inception network")
    except UserError as error:
        sys.exit(f"{key}: {error}")
    return [path]


def tables_in(stage):
    """The files of a stage beside its state, which is kept for the last round only."""
    return [stage.assignments, stage.metrics, stage.samples]


# Several experiments at once


def reported():
    """The experiments that the report is about: all but those of the demo."""
    return [name for name in params.experiments if name not in params.suite("demo")]


def datasets_of(experiments):
    names = {params.dataset_of(run.experiment, run.seed) for run in runs_of(experiments)}
    return [DATA.processed(name).meta for name in sorted(names)]


def classifiers_of(experiments):
    return sorted({path for run in runs_of(experiments) for path in classifier_of_run(run.experiment, run.seed)})


def classifier_of_run(experiment, seed):
    """The classifier that scores a run's images; none where it has none."""
    name = params.experiments[experiment].dataset
    has_one = params.datasets[name].has_classifier
    return [RESULTS.classifier(name, params.draw_of(experiment, seed)).weights] * has_one


def runs_of(experiments):
    """All seeds; of the demo one."""
    seeds = {name: params.seeds if name in reported() else 1 for name in experiments}
    return [RESULTS.run(name, seed) for name in experiments for seed in range(seeds[name])]


def scores_of(experiments):
    return [run.evaluation.scores for run in runs_of(experiments)]


def tables_of(experiments):
    return [RESULTS.summary_of(name).scores for name in experiments]


def rounds_of(experiments):
    """Options that name each experiment's last round: a run that was longer once has left more."""
    return [f"--rounds {name}={params.experiments[name].rounds}" for name in experiments]


def finished_runs():
    """The runs whose scores are there and younger than their settings, with the scores' checksums.

    The summary takes these in without asking for them, whatever their suite and seed: an ablation that nobody runs
    stays out of it, and a run that `verdict` added stays in it.
    """
    current = {}
    for name in reported():
        changed = RESULTS.settings(name).stat().st_mtime
        for run in RESULTS.list_runs(name):
            scores = run.evaluation.scores
            if scores.is_file() and scores.stat().st_mtime >= changed:
                current[str(run.path)] = hashlib.md5(scores.read_bytes()).hexdigest()
    return dict(sorted(current.items()))


def runs_of_claims(wildcards):
    """The scores of the runs that the criteria in paper/claims.yaml ask for at our settings, former ones included.

    Those at the authors' settings are `snakemake authors`, which takes most of a day of one core; experiments at paper
    scale need a GPU or a download. No criterion asks for the rivals: they are among `snakemake ablations`.
    """
    try:
        claims = read_claims(PAPER.claims)
    except UserError as error:
        sys.exit(str(error))
    seeds = {}
    criteria = [criterion for claim in claims for criterion in (claim, *claim.formers)]
    for part in (part for criterion in criteria for part in criterion.parts):
        for side in filter(None, (part.measure, part.against)):
            seeds[side.experiment] = max(part.seeds, seeds.get(side.experiment, 0))
    asked = [name for name in params.suite("default", "claims", "ablations") if name in seeds]
    return [RESULTS.run(name, seed).evaluation.scores for name in asked for seed in range(seeds[name])]


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
    source = params.list_datasets()[wildcards.dataset].requires
    return DATA.processed(source).meta if source else DATA.raw(wildcards.dataset).record


def own_of(wildcards):
    """What tells whether the user's own files changed; the files themselves may have any name, and are looked at here.

    An input that is missing is none to Snakemake where the output is there: it would take the output for current.
    """
    spec = params.list_datasets()[wildcards.dataset]
    try:
        check_files(wildcards.dataset, spec)
    except UserError as error:
        sys.exit(str(error))
    return [DATA.listing(wildcards.dataset)] * bool(spec.inputs)


def images_of(wildcards):
    """The data set as it was prepared."""
    return DATA.processed(params.dataset_of(wildcards.experiment, int(wildcards.seed))).meta


def classifier_of(wildcards):
    return classifier_of_run(wildcards.experiment, int(wildcards.seed))


def tuning_classifier_of(wildcards):
    """The classifier by which the baselines of images are tuned."""
    return classifier_of(wildcards) if experiment_of(wildcards).tuning else []


def data_of(wildcards):
    """What components model: the data set, or the latents of its images."""
    is_latent = experiment_of(wildcards).representation is not None
    return run_of(wildcards).representation.meta if is_latent else images_of(wildcards)


def run_of(wildcards):
    return RESULTS.run(wildcards.experiment, wildcards.seed)


def stage_before(wildcards):
    """What a round starts from: round 0 only scores what was pretrained."""
    return run_of(wildcards).before_round(int(wildcards.round))


def previous_of(wildcards):
    return stage_before(wildcards).state


def former_of(wildcards):
    """The tables of the round before: who held each point, and what all rounds have cost so far."""
    return [stage_before(wildcards).assignments, stage_before(wildcards).metrics]


def shards_of(wildcards):
    stage = run_of(wildcards).round(wildcards.round)
    return [stage.partial_round(shard) for shard in range(experiment_of(wildcards).shards)]


def last_round_of(wildcards):
    return run_of(wildcards).round(experiment_of(wildcards).rounds)


def baselines_of(wildcards):
    return [run_of(wildcards).baseline(name).state for name in experiment_of(wildcards).baselines]
