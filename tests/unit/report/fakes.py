"""A small project with made-up results in the real formats: all that the report reads, without any training."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.files.formats import write_array, write_json, write_table
from competitive_mixtures.report.plan import Planned

ROOT = Path(__file__).parents[3]  # of the project itself
SYNTHETIC_MEANS = {
    "synthetic-3": np.array([[-10.0, 2.0], [4.0, 9.0], [8.0, -9.0]]),
    "synthetic-9": np.array([[x, y] for x in (-10.0, 0.0, 10.0) for y in (-10.0, 0.0, 10.0)]),
}
BOUND = -4.565
BASELINES = ("single", "single_wide", "bagging", "kmeans")


def write_project(root: Path, *, seeds: int = 3, rounds: int = 4, points: int = 600) -> Path:
    """Write data and results of three default experiments."""
    rng = np.random.default_rng(0)
    for name, means in SYNTHETIC_MEANS.items():
        write_vectors(root, name, means, points, rng)
    write_images(root, "mnist", points, rng)
    for name, count in (("synthetic-3", 3), ("synthetic-9", 9), ("mnist", 10)):
        write_experiment(root, name, count, seeds, rounds)
    return root


def write_vectors(root: Path, name: str, means: np.ndarray, points: int, rng: np.random.Generator) -> None:
    arrays = {}
    for split in ("train", "test"):
        label = rng.integers(0, len(means), points)
        flat = means[label] + rng.normal(size=(points, 2)) * 0.9
        flat[:, 1] += 0.04 * flat[:, 0] ** 2 - 4
        arrays |= {split: flat.astype(np.float32), f"{split}_labels": label}
    names = [f"mode {j}" for j in range(len(means))]
    folder = root / "data/processed" / name
    write_dataset(folder, name, arrays, {"kind": "gaussians"}, names, {"log_likelihood_bound": BOUND})


def write_images(root: Path, name: str, points: int, rng: np.random.Generator) -> None:
    templates = np.kron(rng.random((10, 1, 4, 4)) > 0.5, np.ones((1, 1, 2, 2)))
    arrays = {}
    for split in ("train", "test"):
        label = rng.integers(0, 10, points)
        noise = rng.normal(size=(points, 1, 8, 8)) * 30
        arrays |= {split: np.clip(220 * templates[label] + noise, 0, 255).astype(np.uint8), f"{split}_labels": label}
    write_dataset(root / "data/processed" / name, name, arrays, {"kind": "mnist"}, [str(d) for d in range(10)])


def make_plan(seeds: int = 3, rounds: int = 4) -> list[Planned]:
    """The plan of the made-up results; one lacks runs, one has the authors' settings, one has no data, one varies."""

    def planned(name: str, suite: str, dataset: str, kind: str, count: int, **changes: float) -> Planned:
        settings = {"dataset": dataset, "components": [{"kind": "vae", "count": count}], "batch_size": 256}
        settings |= changes | {"rounds": rounds}
        return Planned(name, suite, dataset, kind, ("vae",), count, rounds, seeds, BASELINES, settings)

    base = planned("synthetic-9", "default", "synthetic-9", "vector", 9)

    return [
        planned("synthetic-3", "default", "synthetic-3", "vector", 3),
        planned("synthetic-6", "default", "synthetic-6", "vector", 5),
        base,
        planned("mnist", "default", "mnist", "image", 10),
        planned("synthetic-3-paper", "authors", "synthetic-3", "vector", 3, batch_size=32),
        planned("celeba-vae", "paper_scale", "celeba", "image", 10),
        replace(
            base,
            name="synthetic-9-no-pretraining",
            suite="ablations",
            extends="synthetic-9",
            settings=base.settings | {"pretraining_steps": 0},
        ),
    ]


def copy_paper(root: Path) -> None:
    """The paper's sources, with a reason for the only departure of the made-up plan."""
    ignored = shutil.ignore_patterns("*.pdf", "figures", "tables", "verdict")
    shutil.copytree(ROOT / "paper", root / "paper", ignore=ignored, dirs_exist_ok=True)
    (root / "paper/deviations.yaml").write_text("batch_size: larger batches are faster\n")


def write_experiment(root: Path, name: str, count: int, seeds: int, rounds: int) -> None:
    folder = root / "results/experiments" / name
    dataset = name.removesuffix("-gan")
    train, label = (np.load(root / "data/processed" / dataset / f"{f}.npy") for f in ("train", "train_labels"))
    for seed in range(seeds):
        write_run(folder / f"seed-{seed}", train, label, count, rounds, np.random.default_rng([seed, count]))


def write_run(
    run: Path, train: np.ndarray, label: np.ndarray, count: int, rounds: int, rng: np.random.Generator
) -> None:
    """One seed: a partition that drifts from random to the labels, and scores to match."""
    write_json(run / "pretrain/metrics.json", {"seconds": {"load": 0.1, "train": 4.0, "write": 0.1}})
    component = rng.integers(0, count, len(train))
    for number in range(rounds + 1):
        previous, settled = component, rng.random(len(train)) < number / rounds
        component = np.where(settled, label % count, component)
        folder = run / "rounds" / str(number)
        columns = {"index": np.arange(len(train), dtype=np.int32), "component": component.astype(np.int16)}
        columns |= {"previous": previous.astype(np.int16), "margin": rng.random(len(train), dtype=np.float32)}
        write_table(folder / "assignments.parquet", columns | {"label": label.astype(np.int16)})
        counts = np.bincount(component, minlength=count)
        changed = float((component != previous).mean())
        write_json(folder / "metrics.json", round_metrics(number, rounds, counts, changed, rng))
        size = 16 if train.ndim == 4 else 128
        write_array(folder / "samples.npy", np.stack([draw(train, component == j, size, rng) for j in range(count)]))
    write_baselines(run)
    write_evaluation(run / "evaluation", train, rng)


def draw(train: np.ndarray, mask: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    pool = np.flatnonzero(mask)
    return train[rng.choice(pool if len(pool) else len(train), number)]


def round_metrics(number: int, rounds: int, counts: np.ndarray, changed: float, rng: np.random.Generator) -> dict:
    progress = number / rounds
    noise = rng.normal(size=4) * 0.02
    return {
        "round": number,
        "counts": counts.tolist(),
        "weights": (counts / counts.sum()).tolist(),
        "share_changed": changed,
        "margin_quantiles": {"0.05": 0.1, "0.25": 0.5, "0.5": 1.0 + progress, "0.75": 2.0, "0.95": 4.0},
        "objective": 1.0 - 0.8 * progress + noise[0],
        "objective_test": 1.1 - 0.8 * progress + noise[1],
        "purity": min(1.0, 0.4 + 0.6 * progress),
        "nmi": min(1.0, 0.05 + 0.9 * progress + noise[3]),
        "ari": 0.9 * progress,
        "accuracy": 0.3 + 0.6 * progress,
        "seconds": {"load": 0.1, "train": 2.0, "discriminate": 1.0, "score": 0.5, "assign": 0.1, "write": 0.05},
        "samples_seen": 1000 * (number + 1),
        "compute": 500_000 * (number + 1),
        "component_loss": [1.0] * len(counts),
        "discriminator_loss": [0.6] * len(counts),
        "revived": [[0, 1]] if number == 1 else [],
    }


def write_baselines(run: Path) -> None:
    for name in BASELINES:
        cost = {"train_time_s": 3.0, "samples_seen": 10, "compute": 5, "num_parameters": 50}
        protocols = {"paper": cost, "equal_compute": cost}
        metrics = {"protocols": protocols, "seconds": {"load": 0.5, "train": 6.0}}
        write_json(run / "baselines" / name / "metrics.json", metrics)


def write_evaluation(folder: Path, train: np.ndarray, rng: np.random.Generator) -> None:
    protocols = ("paper", "equal_compute")
    models = [("competitive", "-"), *((name, protocol) for name in BASELINES for protocol in protocols)]
    rows, samples = [], {}
    for place, (model, protocol) in enumerate(models):
        rows += model_scores(model, protocol, place, train.ndim == 4, rng)
        samples[f"{model}.{protocol}"] = train[rng.choice(len(train), 600)]
        samples[f"{model}.{protocol}.component"] = np.zeros(600, np.int16)
    metric = "frechet_classifier" if train.ndim == 4 else "log_likelihood"
    rows.append(("data", "-", metric, "test", 3.3 if train.ndim == 4 else -4.62))
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "samples.npz", **samples)
    with (folder / "scores.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("model", "protocol", "metric", "split", "value"), *rows])


def model_scores(model: str, protocol: str, place: int, image: bool, rng: np.random.Generator) -> list[tuple]:
    noise = rng.normal() * 0.05
    scores = {"coverage": 0.9, "log_likelihood": -4.7 - 0.15 * place + noise}
    if image:
        scores = {"precision": 0.7 + 0.02 * place, "recall": 0.6 - 0.03 * place}
        scores |= {"frechet_classifier": 90 + 10 * (place + noise)}
    on_train = {"train_time_s": 40 + place + noise, "samples_seen": 1e5 * (1 + place), "compute": 1e9 * (1 + place)}
    on_train |= {"num_parameters": 1000 * (1 + place)}
    if model in ("competitive", "kmeans"):
        on_train |= {"purity": 0.99 + 0.1 * noise, "nmi": 0.95 + noise, "ari": 0.9 + noise, "accuracy": 0.9 + noise}
    rows = {(name, "train"): value for name, value in on_train.items()}
    rows |= {(name, "test"): value for name, value in scores.items()}
    return [(model, protocol, *key, repr(float(value))) for key, value in rows.items()]
