"""The command line: one subcommand for each rule of the workflow; parsing and printing only."""

import gc
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from competitive_mixtures.errors import UserError, explain_missing

if TYPE_CHECKING:
    from competitive_mixtures.method.run import Run

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

ConfigPath = Annotated[Path, typer.Option("--config", help="results/settings/<experiment>.json")]
DatasetConfig = Annotated[Path, typer.Option("--config", help="data/settings/<dataset>.json")]
DataFolder = Annotated[Path, typer.Option("--data", help="data/processed/<dataset>, or the folder of its latents")]
Seed = Annotated[int, typer.Option(min=0, help="seed of the run")]
Out = Annotated[Path, typer.Option(help="folder to write to")]
Round = Annotated[int, typer.Option("--round", min=0, help="number of the round, t")]
Previous = Annotated[Path, typer.Option(help="folder of round t-1, or of the pretraining")]
Rounds = Annotated[int, typer.Option(min=1, help="rounds of the competition, T")]
Threads = Annotated[
    int, typer.Option(min=1, max=1024, help="CPU threads; results are the same bytes for the same number")
]

NO_MEMORY = re.compile(
    "can't allocate memory|out of memory|bad_alloc|Cannot allocate memory"
)  # PyTorch's RuntimeErrors
GARBAGE_THRESHOLD = 100_000  # new objects between two searches; Python's default is 700


def run_command() -> None:
    """Run a subcommand; a user's mistake ends with its message and exit status 1, without a traceback.

    What the imports leave is searched for garbage less often, and not again at the exit: a third of a job's start.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        build_command()()
    except UserError as error:
        complain(f"error: {error}")
        sys.exit(1)
    except Exception as error:
        if not (lack := name_lack(error)):
            raise
        complain(f"error: {lack}, then run again")
        sys.exit(1)
    finally:
        gc.freeze()


@cache
def build_command() -> Any:
    """All subcommands with their options, as Typer makes them of the functions below."""
    return typer.main.get_command(app)


def prepare_forks() -> None:
    """Read a round's words once: jobs forked from this process then find ready what Typer makes at the first time."""
    words = "--config . --data . --seed 0 --round 0 --previous . --out ."
    build_command().commands["train-round"].make_context("train-round", words.split())


def name_lack(error: Exception) -> str | None:
    """What the machine lacks and what to do, where an error says that it does, wherever that happens; else None."""
    if isinstance(error, ModuleNotFoundError):
        return explain_missing(error)
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MemoryError) or NO_MEMORY.search(reason):
        return f"not enough memory ({reason}); run fewer jobs at once, or take smaller networks and batches"
    return f"{reason}; free space, memory or permissions" if isinstance(error, OSError) else None


def complain(message: str) -> None:
    """Print to stderr; where that is a log on a full disk, to stdout, which Snakemake passes on.

    Bytes that are no UTF-8, as names of files may have them, are printed as escapes.
    """
    message = message.encode("utf-8", "backslashreplace").decode()
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        print(message, flush=True)


def open_run(config: Path, data: Path, seed: int, threads: int) -> "Run":
    """Read the settings and the data of a job and set the number of threads."""
    from competitive_mixtures.data import load_dataset
    from competitive_mixtures.method.device import choose_kernels
    from competitive_mixtures.method.run import Run, check_sizes
    from competitive_mixtures.pipeline.representation import read_representation
    from competitive_mixtures.settings.resolved import read_experiment

    choose_kernels(threads)
    experiment, dataset = read_experiment(config), load_dataset(data)
    check_sizes(experiment, dataset)
    return Run(experiment, dataset, seed, autoencoder=read_representation(experiment, dataset, data, seed))


@app.command()
def schema(root: Annotated[Path, typer.Option(help="folder to write to")] = Path()) -> None:
    """Write what describes params.yaml: params.schema.json for editors, docs/settings.md for readers."""
    from competitive_mixtures.files.formats import write_text_if_changed
    from competitive_mixtures.settings.reference import make_documents

    for path, text in make_documents().items():
        write_text_if_changed(root / path, text)


@app.command()
def download(config: DatasetConfig, out: Out) -> None:
    """Fetch a data set's raw files, verified by their checksums."""
    from competitive_mixtures import data
    from competitive_mixtures.settings.resolved_data import read_dataset

    data.download(read_dataset(config), out)


@app.command()
def prepare(
    config: DatasetConfig, raw: Annotated[Path, typer.Option(help="folder of the raw files")], out: Out
) -> None:
    """Turn raw files into arrays with meta.json."""
    from competitive_mixtures import data
    from competitive_mixtures.settings.resolved_data import read_dataset

    data.prepare(read_dataset(config), raw, out, out.name)


@app.command()
def train_classifier(data: DataFolder, out: Out, seed: Seed = 0, threads: Threads = 1) -> None:
    """Train the classifier whose features `frechet_classifier` compares."""
    import torch

    from competitive_mixtures.data import load_dataset
    from competitive_mixtures.pipeline.classifier import fit_classifier

    torch.set_num_threads(threads)
    fit_classifier(load_dataset(data), seed, out)


@app.command()
def find_inception(
    sha256: Annotated[str, typer.Option(help="expected checksum of the weights")],
    out: Annotated[Path, typer.Option(help="file to write: where the weights are, or why they cannot be had")],
    path: Annotated[str | None, typer.Option(help="of the weights; INCEPTION_WEIGHTS, or else fetched")] = None,
) -> None:
    """Find, or fetch, and verify the weights of pytorch-fid's Inception network."""
    from competitive_mixtures.evaluation.inception_weights import record_weights

    record_weights(out, path, sha256)


@app.command()
def learn_representation(config: ConfigPath, data: DataFolder, seed: Seed, out: Out, threads: Threads = 1) -> None:
    """Train the autoencoder that all components share, and write its latents."""
    from competitive_mixtures.data import load_dataset
    from competitive_mixtures.method.device import choose_kernels
    from competitive_mixtures.pipeline.representation import learn_representation as learn
    from competitive_mixtures.settings.resolved import read_experiment

    choose_kernels(threads)
    learn(read_experiment(config), load_dataset(data), seed, out)


@app.command()
def pretrain(config: ConfigPath, data: DataFolder, seed: Seed, out: Out, threads: Threads = 1) -> None:
    """Train every component on its part of the start: a uniform split, or as `training.init` says."""
    from competitive_mixtures.pipeline import jobs

    jobs.pretrain(open_run(config, data, seed, threads), out)


@app.command()
def train_round(
    config: ConfigPath,
    data: DataFolder,
    seed: Seed,
    number: Round,
    previous: Previous,
    out: Out,
    threads: Threads = 1,
) -> None:
    """One round: train on the cells, discriminate, score, and assign the points anew."""
    from competitive_mixtures.pipeline import jobs

    jobs.train_round(open_run(config, data, seed, threads), number, previous, out)


@app.command()
def train_shard(
    config: ConfigPath,
    data: DataFolder,
    seed: Seed,
    number: Round,
    previous: Previous,
    shard: Annotated[int, typer.Option(min=0, help="number of this shard, from 0")],
    shards: Annotated[int, typer.Option(min=1, help="shards of a round")],
    out: Annotated[Path, typer.Option(help="file to write")],
    threads: Threads = 1,
) -> None:
    """A shard of a round: train, discriminate and score some of the components."""
    from competitive_mixtures.pipeline import jobs

    jobs.train_shard(open_run(config, data, seed, threads), number, previous, shard, shards, out)


@app.command()
def reassign(
    config: ConfigPath,
    data: DataFolder,
    seed: Seed,
    number: Round,
    previous: Previous,
    out: Out,
    shards: Annotated[list[Path], typer.Argument(help="the files of all shards")],
    threads: Threads = 1,
) -> None:
    """Join the shards of a round and assign the points anew."""
    from competitive_mixtures.pipeline import jobs

    jobs.reassign(open_run(config, data, seed, threads), number, previous, shards, out)


@app.command()
def train_baseline(
    config: ConfigPath,
    data: DataFolder,
    seed: Seed,
    name: Annotated[str, typer.Option(help="single, single_wide, bagging, kmeans, ...")],
    competition: Annotated[Path, typer.Option(help="folder of the competition's last round")],
    rounds: Rounds,
    out: Out,
    classifier: Annotated[Path | None, typer.Option(help="folder of the data set's classifier, for tuning")] = None,
    threads: Threads = 1,
) -> None:
    """Train a baseline in the paper's protocol and at equal compute."""
    from competitive_mixtures.files.folders import ClassifierFolder
    from competitive_mixtures.method import baselines

    weights = None if classifier is None else ClassifierFolder(classifier).weights
    opened = open_run(config, data, seed, threads)
    baselines.train_baseline(opened, name, rounds, competition, out, classifier=weights)


@app.command()
def evaluate(
    config: ConfigPath,
    data: DataFolder,
    seed: Seed,
    rounds: Rounds,
    run: Annotated[Path, typer.Option(help="results/experiments/<experiment>/seed-<s>")],
    out: Out,
    images: Annotated[Path | None, typer.Option(help="data/processed/<dataset>, where --data has its latents")] = None,
    classifier: Annotated[Path | None, typer.Option(help="folder of the data set's classifier")] = None,
    inception: Annotated[Path | None, typer.Option(help="record of the Inception network's weights, for FID")] = None,
    threads: Threads = 1,
) -> None:
    """Score the competition and its baselines."""
    from competitive_mixtures.data import load_dataset
    from competitive_mixtures.files.folders import ClassifierFolder
    from competitive_mixtures.pipeline.evaluate import evaluate as evaluate_run

    weights = None if classifier is None else ClassifierFolder(classifier).weights
    scored = None if images is None else load_dataset(images)
    opened = open_run(config, data, seed, threads)
    evaluate_run(opened, run, rounds, out, images=scored, classifier=weights, inception=inception)


def parse_limit(entry: str) -> tuple[str, int]:
    """`<experiment>=<T>` as a pair."""
    name, _, last = entry.rpartition("=")
    if not name or not last.isdecimal() or len(last) > 9:
        raise UserError(f"--rounds {entry}: expected <experiment>=<last round>, say --rounds mnist=12")
    return name, int(last)


@app.command()
def summarize(
    runs: Annotated[list[Path], typer.Argument(help="folders results/experiments/<experiment>/seed-<s>")],
    out: Out = Path("results"),
    rounds: Annotated[list[str], typer.Option(help="<experiment>=<T>: its last round")] = [],  # noqa: B006
) -> None:
    """Collect all runs in summary.csv, rounds.csv, timing.csv and metrics.json."""
    from competitive_mixtures.report.summary import summarize as summarize_runs

    summarize_runs(runs, out, rounds=dict(map(parse_limit, rounds)))


@app.command()
def write_tables(out: Out = Path("paper/tables")) -> None:
    """Write the paper's tables from the summary."""
    from competitive_mixtures.report.tables.write import write_tables as write

    write(Path(), out)


@app.command()
def plot_figures(out: Out = Path("paper/figures")) -> None:
    """Draw every figure of the default experiments."""
    from competitive_mixtures.report.figures.draw import plot_all

    plot_all(Path(), out)


@app.command()
def write_pages(out: Out = Path("results/pages")) -> None:
    """Write tables and animations as web pages for the report in the browser."""
    from competitive_mixtures.report.pages import write_pages as write

    write(Path(), out)


@app.command()
def assess_claims(
    claims: Annotated[Path, typer.Option(help="criteria")] = Path("paper/claims.yaml"),
    out: Annotated[Path, typer.Option(help="file to write")] = Path("results/claims.csv"),
) -> None:
    """Hold the results against the criteria that were fixed before."""
    from competitive_mixtures.report.claims.verdicts import assess_claims as assess

    assess(claims, Path("results"), out)


@app.command()
def write_demo(
    experiment: Annotated[str, typer.Option(help="name of the experiment; its seed 0 is shown")],
    rounds: Rounds,
    out: Out = Path("results/demo"),
) -> None:
    """Draw the demo's figure and compile its page."""
    from competitive_mixtures.files.folders import DemoFolder
    from competitive_mixtures.report.demo import compile_demo
    from competitive_mixtures.report.figures.draw import plot_demo

    plot_demo(Path(), experiment, rounds, DemoFolder(out).figure)
    compile_demo(Path(), experiment, rounds, out)


@app.command()
def compile_paper() -> None:
    """Compile paper/paper.pdf from the result files."""
    from competitive_mixtures.report.compile import compile_paper as compile_

    print(compile_(Path()), file=sys.stderr)


@app.command()
def keep_runs(
    runs: Annotated[
        list[Path], typer.Argument(help="folders results/experiments/<experiment>/seed-<s>, finished or not")
    ],
    kept: Annotated[Path, typer.Option(help="folder of the kept tables")] = Path("paper/verdict"),
) -> None:
    """Add runs to the kept tables, with the commit that made them; rows of the same runs are replaced.

    Of an unfinished run the rounds so far. `rebuild-report` then makes verdicts, figures and documents anew.
    """
    from competitive_mixtures.pipeline.keep_runs import keep_runs as keep

    for row in keep(Path(), runs, kept):
        print("{experiment}, seed {seed}: {rounds} of {rounds_asked} rounds, commit {commit}".format(**row))


@app.command()
def rebuild_report(
    kept: Annotated[Path, typer.Option(help="folder of the kept tables")] = Path("paper/verdict"),
    out: Annotated[Path | None, typer.Option(help="folder to write to; by default that of the tables")] = None,
) -> None:
    """Assess the claims, draw and compile the report from kept tables, without the files of the runs.

    With the tables' own folder as the output, the numbers in README and docs are filled in as well.
    """
    from competitive_mixtures.pipeline.rebuild import rebuild_report as rebuild

    rebuild(Path(), kept, out or kept, documents=out is None)
