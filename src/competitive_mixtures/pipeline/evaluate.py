"""All scores of a run: the competition and its baselines, scored by equally many samples and the same points."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.evaluation.clustering import compare_partitions
from competitive_mixtures.evaluation.kernel_density import log_kernel_density
from competitive_mixtures.evaluation.likelihood import draft_log_likelihood, score_samples
from competitive_mixtures.evaluation.precision_recall import Manifold, estimate_manifold, precision_recall
from competitive_mixtures.files.folders import BaselineFolder, EvaluationFolder, RunFolder
from competitive_mixtures.files.formats import read_json, read_tensors, take_named
from competitive_mixtures.files.tables import read_assignments, write_model_samples, write_scores
from competitive_mixtures.method import baselines
from competitive_mixtures.method.batches import thin_out
from competitive_mixtures.method.gaussian_mixture import from_tensors
from competitive_mixtures.method.run import Run
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.seeding import derive_seed
from competitive_mixtures.settings.schema import PARTITIONING

NUM_KEPT = {"vector": 2000, "image": 100}  # samples of every model that are kept for the figures
COSTS = ("train_time_s", "samples_seen", "compute", "num_parameters")
CHOICES = ("rate", "num_steps", "held_out_gain")  # of a tuned baseline


@dataclass(frozen=True)
class Mixture:
    """A trained mixture as the scores see it.

    Attributes:
        model: "competitive", a baseline's name, or "data" for true samples.
        protocol: "paper", "equal_compute" or "-".
        samples: (n, *shape) in the data's units, in random order.
        components: (n,) int16, the component that drew each sample.
        metrics: what needs no samples, by name: costs, agreement of the partition with labels.
    """

    model: str
    protocol: str
    samples: np.ndarray
    components: np.ndarray
    metrics: Mapping[str, float]


def evaluate(
    run: Run,
    folder: Path,
    num_rounds: int,
    out: Path,
    *,
    images: Dataset | None = None,
    classifier: Path | None = None,
    inception: Path | None = None,
) -> None:
    """Score every model of a run and write `scores.csv` and `samples.npz`.

    Args:
        run: settings and data.
        folder: `results/experiments/<experiment>/seed-<s>`.
        num_rounds: T; round T holds the trained mixture.
        out: folder to write to.
        images: of which the run's data are latents; samples are then decoded, and images are what is scored.
        classifier: weights of the data set's classifier, for image data with labels.
        inception: record of the Inception network's weights, see `record_weights`, for experiments that ask for FID.
    """
    data = run.dataset if images is None else images
    scorer = VectorScorer(run) if data.kind == "vector" else ImageScorer(run, data, classifier, inception)
    rows: list[tuple[object, ...]] = []
    kept: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
    for mixture in draw_mixtures(run, data, RunFolder(folder), num_rounds):
        scores: dict[tuple[str, str], float | str] = {
            (metric, "train"): value for metric, value in mixture.metrics.items()
        }
        scores |= {(metric, "test"): value for metric, value in scorer(mixture).items()}
        rows += [(mixture.model, mixture.protocol, *key, value) for key, value in scores.items()]
        number = NUM_KEPT[data.kind]
        kept[mixture.model, mixture.protocol] = mixture.samples[:number], mixture.components[:number]
    write_model_samples(EvaluationFolder(out).samples, kept)
    write_scores(EvaluationFolder(out).scores, rows)


def draw_mixtures(run: Run, data: Dataset, folder: RunFolder, num_rounds: int) -> Iterator[Mixture]:
    """The true samples, the competition's mixture, and each baseline in both protocols."""
    yield draw_data(run, data)
    last = folder.round(num_rounds)
    record = read_json(last.metrics)
    components = run.build_components()
    components.load(take_named(read_tensors(last.state), "components."))
    metrics: dict[str, float] = {}
    if run.dataset.train_labels is not None:
        winner = read_assignments(last.assignments).component
        metrics |= compare_partitions(winner, np.asarray(run.dataset.train_labels))
    metrics |= {name: record[name] for name in ("objective", "objective_test") if record.get(name) is not None}
    metrics |= {"samples_seen": record["samples_seen"], "compute": record["compute"]}
    metrics |= {"compute_all": baselines.count_compute(record, "all")}
    metrics |= {"num_parameters": components.num_parameters, "train_time_s": sum_seconds(folder, num_rounds)}
    yield draw_mixture(run, components, record["weights"], "competitive", "-", metrics)
    for name in run.experiment.baselines:
        yield from draw_baseline(run, folder.baseline(name), name)


def draw_baseline(run: Run, folder: BaselineFolder, name: str) -> Iterator[Mixture]:
    """A baseline's mixture in each protocol; none scores points, so that its training is all of its compute."""
    other = run.with_experiment(baselines.reshape_experiment(run.experiment, name))
    tensors = read_tensors(folder.state)
    partition = tensors["assignment"].numpy()
    agreement = {}
    if run.dataset.train_labels is not None and name in PARTITIONING:
        agreement = compare_partitions(partition, np.asarray(run.dataset.train_labels))
    for protocol, record in read_json(folder.metrics)["protocols"].items():
        metrics = agreement | {cost: record[cost] for cost in COSTS} | {"compute_all": record["compute"]}
        if "looks" in record:
            metrics |= {choice: record[choice] for choice in CHOICES if record[choice] is not None}
        if name == "gaussian_mixture":
            settings = run.experiment.evaluation
            mixture = from_tensors(tensors)
            samples, chosen = mixture.sample(settings.num_drawn, run.shape, run.seed, "evaluate", name)
            yield Mixture(name, protocol, run.to_stored(samples), chosen, metrics)
            continue
        components = other.build_components()
        components.load_weights(take_named(tensors, f"{protocol}."))
        yield draw_mixture(other, components, record["weights"], name, protocol, metrics)


def draw_mixture(
    run: Run,
    components: Ensemble[ComponentStack],
    weights: list[float],
    model: str,
    protocol: str,
    metrics: Mapping[str, float],
) -> Mixture:
    """Draw a mixture's samples, as many as the scores need."""
    total = run.experiment.evaluation.num_drawn
    samples, chosen = run.draw_mixture(components, weights, total, "evaluate", model, protocol)
    return Mixture(model, protocol, samples, chosen, metrics)


def draw_data(run: Run, data: Dataset) -> Mixture:
    """True samples in the place of a model's: what a perfect model would score. They are training points."""
    settings = run.experiment.evaluation
    total = min(settings.num_drawn, len(data.train))
    random = np.random.default_rng(derive_seed(run.seed, "evaluate", "data"))
    rows = random.choice(len(data.train), size=total, replace=False)
    labels = data.train_labels
    components = np.zeros(total, np.int16) if labels is None else np.asarray(labels)[rows].astype(np.int16)
    known = {"log_likelihood_bound": "negative_entropy", "log_likelihood_test": "log_density"}
    metrics = {metric: data.meta[key] for key, metric in known.items() if key in data.meta}
    return Mixture("data", "-", np.asarray(data.train)[rows], components, metrics)


class VectorScorer:
    """Log-likelihood and coverage under the samples' kernel density, precision and recall, on the test points.

    Args:
        run: settings and data.
    """

    def __init__(self, run: Run) -> None:
        self.settings, self.points = run.experiment.evaluation, np.asarray(run.dataset.test)
        self.manifolds: dict[int, Manifold] = {}

    def __call__(self, mixture: Mixture) -> dict[str, float]:
        """Scores of a mixture, by name."""
        settings, points = self.settings, self.points
        # true samples may be fewer than a model's: they are split alike
        size = len(mixture.samples) * settings.num_samples // settings.num_drawn
        samples, held_out = np.split(mixture.samples, [size])
        density = score_samples(samples, held_out, points)
        size = min(len(samples), len(points))
        precision, recall = precision_recall(
            self.find_manifold(size), estimate_manifold(samples[:size], settings.num_neighbors)
        )
        scores = {
            "log_likelihood": density.log_likelihood,
            "coverage": density.coverage,
            "precision": precision,
            "recall": recall,
        }
        if mixture.model == "competitive":
            scores["log_likelihood_draft"] = score_by_draft(mixture, len(samples), density.bandwidth, points)
        return scores

    def find_manifold(self, size: int) -> Manifold:
        """The manifold of so many test points: one for all mixtures, unless true samples are fewer."""
        if size not in self.manifolds:
            self.manifolds[size] = estimate_manifold(thin_out(self.points, size), self.settings.num_neighbors)
        return self.manifolds[size]


def score_by_draft(mixture: Mixture, num_samples: int, bandwidth: float, points: np.ndarray) -> float:
    """What the draft's column would say of a mixture: each component on its own cell, log alpha left out.

    A test point's cell is that of the component with the largest alpha_j p_gj(x), under the same kernel density as the
    mixture's own score; the draft's densities come from annealed importance sampling.
    """
    samples, owners = mixture.samples[:num_samples], mixture.components[:num_samples]
    members = [samples[owners == j] for j in np.unique(owners)]
    weights = np.array([len(part) for part in members]) / num_samples
    densities = np.stack([log_kernel_density(points, part, np.array([bandwidth]))[0] for part in members])
    cells = (densities + np.log(weights)[:, None]).argmax(axis=0)
    return draft_log_likelihood(densities, cells, weights)


class ImageScorer:
    """Scores of generated images by a classifier's features and by those of the Inception network.

    Args:
        run: settings.
        data: its test images are the reference.
        classifier: weights of the data set's classifier, or None.
        inception: record of the Inception network's weights, or None.
    """

    def __init__(self, run: Run, data: Dataset, classifier: Path | None, inception: Path | None) -> None:
        from competitive_mixtures.evaluation.image_scores import ClassifierScorer, InceptionScorer

        settings = run.experiment.evaluation
        reference = thin_out(np.asarray(data.test), settings.num_samples)
        self.size = len(reference)
        self.scorers: list[Callable[[np.ndarray], dict[str, float | str]]] = []
        if inception is not None and settings.fid_features is not None:
            features, neighbors = settings.fid_features, settings.num_neighbors
            self.scorers.append(InceptionScorer(inception, features, reference, neighbors, device=str(run.device)))
        if classifier is not None:  # after the other: precision and recall are those of its features
            self.scorers.append(ClassifierScorer(classifier, reference, settings.num_neighbors))

    def __call__(self, mixture: Mixture) -> dict[str, float | str]:
        """Scores of a mixture at as many samples as there are reference images."""
        images = mixture.samples[: self.size]
        return {metric: value for scorer in self.scorers for metric, value in scorer(images).items()}


def sum_seconds(folder: RunFolder, num_rounds: int) -> float:
    """Seconds that the pretraining and all rounds spent on training, discriminating, scoring and assigning."""
    stages = [folder.pretraining, *(folder.round(t) for t in range(num_rounds + 1))]
    records: list[dict[str, float]] = [read_json(stage.metrics)["seconds"] for stage in stages]
    return sum(seconds for record in records for phase, seconds in record.items() if phase not in ("load", "write"))
