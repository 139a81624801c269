"""FID as the pipeline does it: the weights' record, the reference's cache, scores, or the reason why there are none."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from examples import CONV_VAE, make_experiment, make_images, play

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation import image_scores, inception_weights
from competitive_mixtures.evaluation.frechet import frechet_distance
from competitive_mixtures.evaluation.inception import extract_inception_features, load_inception
from competitive_mixtures.evaluation.inception_weights import WEIGHTS_SHA256, record_weights
from competitive_mixtures.files.formats import read_json
from competitive_mixtures.method.run import Run
from competitive_mixtures.pipeline.evaluate import evaluate

NUM_FEATURES = 64  # of an early layer, so that few images give a covariance
FID = {"fid", "kid", "precision", "recall"}


@pytest.fixture
def record(weights: Path, tmp_path: Path) -> Path:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    record_weights(tmp_path / "inception/weights.json", weights, digest)
    return tmp_path / "inception/weights.json"


def make_run(fid_features: int | None = NUM_FEATURES) -> Run:
    images = make_images(80, 70)
    meta = {"sha256": {"test.npy": "of the test images"}}
    dataset = Dataset(
        name="halves", kind="image", shape=images.shape, train=images.train, test=images.test, train_labels=None,
        test_labels=None, meta=meta,
    )  # fmt: skip
    sizes = {"num_samples": 70, "num_bandwidth_samples": 1, "fid_features": fid_features}
    return Run(make_experiment(components=[CONV_VAE], baselines=[], evaluation=sizes), dataset, 0)


def score(run: Run, folder: Path, record: Path) -> dict[str, dict[str, str]]:
    """The test scores of a played run, {model: {metric: value}}, as the table holds them."""
    play(run.experiment, run.dataset, folder, rounds=0)
    evaluate(run, folder, 0, folder / "evaluation", inception=record)
    found: dict[str, dict[str, str]] = {}
    with (folder / "evaluation/scores.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "test":
                found.setdefault(row["model"], {})[row["metric"]] = row["value"]
    return found


def test_fid_of_a_run(weights: Path, record: Path, tmp_path: Path) -> None:
    run = make_run()
    table = score(run, tmp_path, record)

    assert table.keys() == {"data", "competitive"}
    assert all(values.keys() == FID for values in table.values())
    samples = np.load(tmp_path / "evaluation/samples.npz")["competitive.-"][:70]
    network = load_inception(weights, NUM_FEATURES)
    expected = frechet_distance(
        *(extract_inception_features(network, images) for images in (samples, run.dataset.test))
    )
    assert float(table["competitive"]["fid"]) == pytest.approx(expected, rel=1e-6)
    assert float(table["data"]["fid"]) < float(table["competitive"]["fid"])
    assert float(table["data"]["precision"]) > 0.5


def test_the_reference_is_seen_once(record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, counts = make_run(), []

    def extract(network: torch.nn.Module, images: np.ndarray) -> np.ndarray:
        counts.append(len(images))
        return np.random.default_rng(len(counts)).normal(size=(len(images), NUM_FEATURES))

    monkeypatch.setattr(image_scores, "extract_inception_features", extract)
    score(run, tmp_path / "first", record)
    score(run, tmp_path / "second", record)

    assert len(counts) == 1 + 2 * 2  # the reference once, and two models in each evaluation
    assert len(list((record.parent / "features").iterdir())) == 1


def test_an_experiment_that_does_not_ask_has_no_fid(record: Path, tmp_path: Path) -> None:
    assert not any(FID & values.keys() for values in score(make_run(None), tmp_path, record).values())


def test_weights_that_cannot_be_had_leave_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INCEPTION_WEIGHTS", raising=False)
    monkeypatch.setattr(inception_weights, "fetch_weights", refuse)
    record_weights(tmp_path / "weights.json", None, WEIGHTS_SHA256)
    assert read_json(tmp_path / "weights.json") == {"not_run": "no network, no file"}

    table = score(make_run(), tmp_path, tmp_path / "weights.json")

    assert table["competitive"] == dict.fromkeys(FID, "not run: no network, no file")


def refuse(path: Path, sha256: str) -> Path:
    raise UserError("no network,\nno file")


def test_the_users_file_is_taken_by_parameter_or_environment(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    monkeypatch.setattr(inception_weights, "fetch_weights", refuse)
    monkeypatch.setenv("INCEPTION_WEIGHTS", str(weights))
    record_weights(tmp_path / "environment.json", None, digest)
    monkeypatch.setenv("INCEPTION_WEIGHTS", "elsewhere.pth")
    record_weights(tmp_path / "parameter.json", weights, digest)

    for name in ("environment", "parameter"):
        assert read_json(tmp_path / f"{name}.json") == {"path": str(weights), "sha256": digest}


def test_a_file_that_is_named_and_wrong_is_an_error_not_a_reason(weights: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.pth"
    short.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"short\.pth: found SHA-256 .*, expected 6726825d"):
        record_weights(tmp_path / "weights.json", short, WEIGHTS_SHA256)
    with pytest.raises(UserError, match=r"missing\.pth: Inception weights not found"):
        record_weights(tmp_path / "weights.json", tmp_path / "missing.pth", WEIGHTS_SHA256)
    assert not (tmp_path / "weights.json").exists()


def test_a_broken_file_in_the_place_of_the_fetched_one_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INCEPTION_WEIGHTS", raising=False)
    (tmp_path / Path(inception_weights.WEIGHTS_URL).name).write_bytes(b"cut short")
    with pytest.raises(UserError, match=r"6726825d\.pth: found SHA-256"):
        record_weights(tmp_path / "weights.json", None, WEIGHTS_SHA256)


def test_weights_that_changed_since_are_refused(record: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(record.read_text().replace('"sha256": "', '"sha256": "0')[:-1] + "\n")
    metadata = read_json(other)
    with pytest.raises(UserError, match=f"found SHA-256 {metadata['sha256'][1:]}, expected {metadata['sha256']}"):
        score(make_run(), tmp_path, other)
