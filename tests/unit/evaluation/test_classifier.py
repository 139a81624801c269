"""The classifier learns, repeats itself, survives a file and leaves the global random state alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from competitive_mixtures.data.spec import NUM_CLASSIFIER_FEATURES
from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.classifier import (
    Classifier,
    extract_features,
    load_classifier,
    predict_probabilities,
    save_classifier,
    train_classifier,
)


def draw_bars(seed: int, num_images: int, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright horizontal (label 0), vertical (1) or diagonal (2) bar."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=num_images)
    images = rng.integers(0, 80, size=(num_images, *shape))
    side = min(shape[1:])
    for image, label in zip(images, labels, strict=True):
        place = rng.integers(side)
        along = np.arange(side)
        rows, columns = [(place, along), (along, place), (along, along)][label]
        image[:, rows, columns] = 255
    return images.astype(np.uint8), labels


@pytest.fixture(scope="module")
def trained() -> Classifier:
    return train_classifier(*draw_bars(0, 400, (1, 12, 12)), seed=0, num_steps=40)


def test_learns_to_tell_bars_apart(trained: Classifier) -> None:
    images, labels = draw_bars(1, 200, (1, 12, 12))

    probabilities = predict_probabilities(trained, images)

    assert (probabilities.argmax(axis=1) == labels).mean() > 0.95
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 17), (1, 28, 28), (3, 64, 64)])
def test_takes_images_of_any_size(shape: tuple[int, int, int]) -> None:
    images, labels = draw_bars(2, 6, shape)

    features = extract_features(train_classifier(images, labels, seed=0, num_steps=2), images)

    assert features.shape == (6, NUM_CLASSIFIER_FEATURES)
    assert features.dtype == np.float32
    assert (features >= 0).all()


def test_the_seed_decides_the_weights_and_the_global_state_is_left_alone() -> None:
    images, labels = draw_bars(3, 50, (1, 8, 8))
    state = torch.get_rng_state()

    first, again, other = (train_classifier(images, labels, seed=seed, num_steps=5) for seed in (4, 4, 5))

    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.logits.weight, other.logits.weight)


def test_features_of_an_image_do_not_depend_on_its_batch(trained: Classifier) -> None:
    images, _ = draw_bars(4, 1100, (1, 12, 12))

    alone = np.concatenate([extract_features(trained, images[i : i + 1]) for i in (0, 700, 1099)])

    np.testing.assert_allclose(extract_features(trained, images)[[0, 700, 1099]], alone, rtol=1e-4, atol=1e-5)


def test_a_saved_classifier_is_the_same_and_has_the_same_checksum(trained: Classifier, tmp_path: Path) -> None:
    images, _ = draw_bars(5, 20, (1, 12, 12))

    checksum = save_classifier(trained, tmp_path / "classifier.safetensors")
    loaded = load_classifier(tmp_path / "classifier.safetensors")

    np.testing.assert_array_equal(extract_features(loaded, images), extract_features(trained, images))
    assert save_classifier(loaded, tmp_path / "again.safetensors") == checksum


def test_other_tensors_and_broken_files_are_refused_by_name(trained: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "classifier.safetensors"
    save_classifier(trained, path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"classifier\.safetensors: expected a safetensors file"):
        load_classifier(path)
    with pytest.raises(UserError, match=r"missing\.safetensors: not found"):
        load_classifier(tmp_path / "missing.safetensors")

    from competitive_mixtures.files.formats import write_tensors

    write_tensors(path, {"encoder": torch.zeros(3)})
    with pytest.raises(UserError, match=r"classifier\.safetensors: expected the weights of a classifier"):
        load_classifier(path)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((4, 1, 8, 8), dtype=np.float32), np.zeros(4, dtype=int), "images: found float32"),
        (np.zeros((4, 1, 7, 8), dtype=np.uint8), np.zeros(4, dtype=int), "at least 8 pixels"),
        (np.zeros((1, 1, 8, 8), dtype=np.uint8), np.zeros(1, dtype=int), "N >= 2"),
        (np.zeros((4, 1, 8, 8), dtype=np.uint8), np.zeros(3, dtype=int), "labels: found shape"),
        (np.zeros((4, 1, 8, 8), dtype=np.uint8), np.array([0, 1, -1, 0]), "non-negative label"),
    ],
)
def test_bad_input_is_refused_by_name(images: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=message):
        train_classifier(images, labels, seed=0, num_steps=1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_trains_on_a_gpu_to_features_like_those_of_the_cpu() -> None:
    images, labels = draw_bars(6, 400, (1, 12, 12))

    classifier = train_classifier(images, labels, seed=0, num_steps=40, device="cuda")

    features = extract_features(classifier, images)
    np.testing.assert_allclose(extract_features(classifier.cpu(), images), features, rtol=1e-2, atol=1e-2)
