"""Where every file of a project lies: the one owner of the names below `data/`, `results/` and `paper/`.

Rules, jobs and the report ask here. A name that is given may be a wildcard, so that the same lines serve as the
patterns of the rules: `Results("results").run("{experiment}", "{seed}").round("{round}").state`.
"""

from pathlib import Path

from competitive_mixtures.errors import UserError, printable

METRICS = "metrics.json"
STATE = "state.safetensors"
MAX_DIGITS = 18  # of a seed


class Project:
    """A project.

    Attributes:
        params: every number of every experiment.
        stages: the experiments and own data that DVC has stages for.
        data: what is fetched and prepared.
        results: what is computed.
        paper: what is reported.
    """

    def __init__(self, root: Path | str = ".") -> None:
        self.root = Path(root)
        self.params = self.root / "params.yaml"
        self.stages = self.root / "stages.yaml"
        self.data = Data(self.root / "data")
        self.results = Results(self.root / "results")
        self.paper = Paper(self.root / "paper")


class Data:
    """The folder `data`.

    Attributes:
        inception: where the Inception network's weights are; the fetched ones lie beside it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.inception = self.path / "inception/weights.json"

    def settings(self, dataset: str) -> Path:
        """A data set's block of `params.yaml`."""
        return self.path / "settings" / f"{dataset}.json"

    def listing(self, dataset: str) -> Path:
        """What a data set's files of the user's own hold: a line each with name, bytes and SHA-256."""
        return self.path / "files" / f"{dataset}.jsonl"

    def hashed(self, dataset: str) -> Path:
        """When these files were last hashed, so that planning need not read them again; of this machine alone."""
        return self.path / "hashed" / f"{dataset}.json"

    def raw(self, dataset: str) -> "RawData":
        """What a data set is made from."""
        return RawData(self.path / "raw" / dataset)

    def processed(self, dataset: str) -> "ProcessedData":
        """A data set as arrays."""
        return ProcessedData(self.path / "processed" / dataset)


class RawData:
    """The files that a data set is made from, fetched or put there by the user.

    Attributes:
        path: `data/raw/<dataset>`.
        record: what was fetched; written last.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.record = self.path / "download.json"


class ProcessedData:
    """A data set as arrays; `data.format` reads and writes them.

    Attributes:
        path: `data/processed/<dataset>`.
        meta: shapes, types, checksums; written last.
        train_labels: missing where the data have none.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.meta = self.path / "meta.json"
        self.train_labels = self.path / "train_labels.npy"


class Results:
    """The folder `results`.

    Attributes:
        plan: which rounds and seeds of every experiment are asked for.
        summary: the tables of all runs.
        claims: the verdict on every claim.
        claim_parts: the comparisons that verdicts consist of.
        kept_runs: which runs were added to kept tables, and where they were made.
        pages: tables and animations as web pages.
        overview: what the report in the browser opens on.
        demo: what `snakemake demo` shows.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.plan = self.path / "plan.json"
        self.summary = SummaryFolder(self.path)
        self.claims = self.path / "claims.csv"
        self.claim_parts = self.path / "claim_parts.csv"
        self.kept_runs = self.path / "kept_runs.csv"
        self.pages = self.path / "pages"
        self.overview = self.pages / "overview.rst"
        self.demo = DemoFolder(self.path / "demo")

    def settings(self, experiment: str) -> Path:
        """What the results of an experiment depend on: its block of `params.yaml`, with `extends` resolved."""
        return self.path / "settings" / f"{experiment}.json"

    def code(self, step: str) -> Path:
        """The modules that a step stands on, with their checksums."""
        return self.path / "code" / f"{step}.txt"

    def experiment(self, name: str) -> Path:
        """The folder of an experiment's runs, below one that holds nothing else: no name collides with a file."""
        return self.path / "experiments" / name

    def run(self, experiment: str, seed: int | str) -> "RunFolder":
        """One seed of an experiment."""
        return RunFolder(self.experiment(experiment) / f"seed-{seed}")

    def list_runs(self, experiment: str) -> "list[RunFolder]":
        """The runs of an experiment that have begun, by seed."""
        folders = [RunFolder(path) for path in self.experiment(experiment).glob("seed-*") if path.is_dir()]
        return sorted(folders, key=lambda run: run.seed)

    def summary_of(self, experiment: str) -> "SummaryFolder":
        """The tables of one experiment's runs."""
        return SummaryFolder(self.path / "tables" / experiment)

    def classifier(self, dataset: str, seed: int | str = 0) -> "ClassifierFolder":
        """The classifier of a labelled image set, or another training of it, by its seed."""
        first = self.path / "classifiers" / dataset
        return ClassifierFolder(first / f"seed-{seed}" if seed else first)


class RunFolder:
    """One seed of one experiment.

    Attributes:
        path: `results/experiments/<experiment>/seed-<s>`.
        experiment: the experiment's name.
        representation: the latents that the components model, where they do not model the data themselves.
        pretraining: what round 0 starts from.
        evaluation: the scores of the competition and of its baselines.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.experiment = self.path.parent.name
        self.representation = RepresentationFolder(self.path / "representation")
        self.pretraining = StageFolder(self.path / "pretrain")
        self.evaluation = EvaluationFolder(self.path / "evaluation")

    @property
    def seed(self) -> int:
        """The run's seed.

        Raises:
            UserError: the folder is not one of a run.
        """
        number = self.path.name.removeprefix("seed-")
        if not number.isdecimal() or not self.path.name.startswith("seed-") or len(number) > MAX_DIGITS:
            raise UserError(
                f"{printable(self.path)}: expected a run's folder, results/experiments/<experiment>/seed-<number>"
            )
        return int(number)

    @property
    def results(self) -> Results:
        """All results, which the run is among."""
        return Results(self.path.parents[2])

    def round(self, number: int | str) -> "StageFolder":
        """Round t."""
        return StageFolder(self.path / "rounds" / str(number))

    def before_round(self, number: int) -> "StageFolder":
        """What round t starts from: round t-1, or the pretraining."""
        return self.round(number - 1) if number else self.pretraining

    def list_rounds(self) -> list[int]:
        """The finished rounds, in order."""
        return sorted(int(path.parent.name) for path in self.path.glob(f"rounds/*/{METRICS}"))

    def baseline(self, name: str) -> "BaselineFolder":
        """A baseline in both protocols."""
        return BaselineFolder(self.path / "baselines" / name)

    def list_baselines(self) -> list[str]:
        """The finished baselines, by name."""
        return sorted(path.parent.name for path in self.path.glob(f"baselines/*/{METRICS}"))


class RepresentationFolder(ProcessedData):
    """The latents of a data set's images, a data set of vectors, and the network behind them.

    Attributes:
        state: the autoencoder.
        metrics: what its training cost.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self.state = self.path / STATE
        self.metrics = self.path / METRICS


class StageFolder:
    """What the pretraining, or a round, leaves.

    Attributes:
        state: all networks; deleted once the next round has them, and kept of the last.
        assignments: who won each point, see `tables.AssignmentTable`.
        samples: samples of every component, (k, n, d) float32 or (k, n, c, h, w) uint8.
        metrics: the stage's numbers; written last.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.state = self.path / STATE
        self.assignments = self.path / "assignments.parquet"
        self.samples = self.path / "samples.npy"
        self.metrics = self.path / METRICS

    def partial_round(self, shard: int | str) -> Path:
        """One shard's part of a round."""
        return self.path / "shards" / f"{shard}.safetensors"


class BaselineFolder:
    """What the training of a baseline leaves.

    Attributes:
        state: the partition, and the networks in each protocol.
        metrics: costs, by protocol; written last.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.state = self.path / STATE
        self.metrics = self.path / METRICS


class EvaluationFolder:
    """What the evaluation of a run leaves.

    Attributes:
        samples: some samples of every model, see `tables.write_model_samples`.
        scores: every score of every model, see `tables.write_scores`; written last.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.samples = self.path / "samples.npz"
        self.scores = self.path / "scores.csv"


class ClassifierFolder:
    """What the training of a classifier leaves.

    Attributes:
        path: `results/classifiers/<dataset>`.
        weights: the network.
        metrics: its accuracy and checksum; written last.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.weights = self.path / "classifier.safetensors"
        self.metrics = self.path / METRICS


class SummaryFolder:
    """The tables of several runs.

    Attributes:
        path: `results` for all runs, `results/tables/<experiment>` for those of one experiment.
        scores: every score of every run.
        rounds: the numbers of every round.
        timing: seconds by phase.
        metrics: means over seeds, which DVC compares.
        files: all four.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.scores = self.path / "summary.csv"
        self.rounds = self.path / "rounds.csv"
        self.timing = self.path / "timing.csv"
        self.metrics = self.path / METRICS
        self.files = (self.scores, self.rounds, self.timing, self.metrics)


class DemoFolder:
    """What the demo leaves beside the files of its run.

    Attributes:
        path: `results/demo`.
        figure: who won each point, by round.
        pdf: the report of one page.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.figure = self.path / "partition.png"
        self.pdf = self.path / "demo.pdf"


class Paper:
    """The folder `paper`, in git but for what is made.

    Attributes:
        source, demo: the text of the report, and that of the demo's page, in Typst.
        claims: the criteria.
        reported, authors_code, deviations: the draft's numbers, those of the authors' code, and why settings differ.
        partitions: which partition each method finds on data whose parts are known, by `benchmarks/partitions.py`.
        tables, figures, pdf: made.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.source = self.path / "paper.typ"
        self.demo = self.path / "demo.typ"
        self.claims = self.path / "claims.yaml"
        self.reported = self.path / "reported.csv"
        self.authors_code = self.path / "authors_code.csv"
        self.deviations = self.path / "deviations.yaml"
        self.partitions = self.path / "partitions.csv"
        self.tables = self.path / "tables"
        self.figures = self.path / "figures"
        self.pdf = self.path / "paper.pdf"
