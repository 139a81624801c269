"""Each image went through exactly the mechanism that its label says."""

import numpy as np
import pytest

from competitive_mixtures.data import load_dataset, write_dataset
from competitive_mixtures.data.mechanisms import NAMES, Spec, apply_mechanism, prepare
from competitive_mixtures.errors import UserError

SPEC = Spec(kind="mechanisms", source="digits", shift=2, noise=0.2, seed=0)
SHIFTS = {
    "up": (-2, 0),
    "up right": (-2, 2),
    "right": (0, 2),
    "down right": (2, 2),
    "down": (2, 0),
    "down left": (2, -2),
    "left": (0, -2),
    "up left": (-2, -2),
}


@pytest.fixture
def source(tmp_path):
    images = np.random.default_rng(0).integers(1, 256, (203, 1, 9, 8), dtype=np.uint8)
    labels = np.arange(203) % 4
    arrays = {"train": images, "test": images[:40], "train_labels": labels, "test_labels": labels[:40]}
    write_dataset(tmp_path / "digits", "digits", arrays, {}, list("abcd"))
    return tmp_path / "digits"


def make(source, out, **changes):
    prepare(SPEC.model_copy(update=changes), source, out, "mechanisms")
    return load_dataset(out, verify=True)


def test_every_image_shows_its_mechanism(source, tmp_path):
    dataset, images = make(source, tmp_path / "out"), load_dataset(source).train
    assert dataset.meta["label_names"] == NAMES
    for image, original, label in zip(dataset.train, images, dataset.train_labels, strict=True):
        name = NAMES[label]
        if name == "contrast inversion":
            assert np.array_equal(image, 255 - original)
        elif name == "noise":
            assert 0 < np.abs(image.astype(int) - original).mean() < 255 * 0.3
        else:
            moved = np.roll(original, SHIFTS[name], axis=(1, 2))  # what leaves on one side comes back on the other ...
            inside = np.roll(np.ones_like(original), SHIFTS[name], axis=(1, 2)) == 1
            for axis, shift in enumerate(SHIFTS[name], start=1):  # ... so that part is blackened by hand
                edge = [slice(None)] * 3
                edge[axis] = slice(0, shift) if shift > 0 else slice(shift or 9, None)
                inside[tuple(edge)] = False
            assert np.array_equal(image, np.where(inside, moved, 0))


def test_mechanisms_are_equally_frequent_and_independent_of_the_digit(source, tmp_path):
    dataset = make(source, tmp_path / "out")
    counts = np.bincount(dataset.train_labels, minlength=10)
    assert counts.max() - counts.min() <= 1
    digits = np.load(tmp_path / "out" / "train_source_labels.npy")
    assert np.array_equal(digits, load_dataset(source).train_labels)
    assert dataset.meta["source_label_names"] == list("abcd")
    assert all(len(np.unique(digits[dataset.train_labels == label])) >= 3 for label in range(10))


def test_the_noise_has_the_given_strength():
    grey = np.full((50, 1, 20, 20), 128, np.uint8)
    noisy = apply_mechanism(grey, "noise", SPEC.model_copy(update={"noise": 0.1}), np.random.default_rng(0))
    assert noisy.std() == pytest.approx(25.5, rel=0.03)
    assert noisy.mean() == pytest.approx(128, abs=1)


def test_the_seed_decides(source, tmp_path):
    first, again, other = (make(source, tmp_path / name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert np.array_equal(first.train, again.train)
    assert not np.array_equal(first.train_labels, other.train_labels)


def test_a_source_without_labels(source, tmp_path):
    images = load_dataset(source).train
    write_dataset(tmp_path / "plain", "plain", {"train": np.array(images), "test": np.array(images[:5])}, {})
    dataset = make(tmp_path / "plain", tmp_path / "out")
    assert dataset.meta["source_label_names"] is None
    assert not (tmp_path / "out" / "train_source_labels.npy").exists()


def test_an_altered_source_is_refused(source, tmp_path):
    images = np.array(load_dataset(source).train)
    images[0, 0, 0, 0] ^= 1
    np.save(source / "train.npy", images)
    with pytest.raises(UserError, match=r"train\.npy: SHA-256"):
        make(source, tmp_path / "out")


def test_vectors_and_long_shifts_are_refused(source, tmp_path):
    vectors = np.zeros((5, 2), np.float32)
    write_dataset(tmp_path / "vectors", "vectors", {"train": vectors, "test": vectors}, {})
    with pytest.raises(UserError, match="a data set of vectors; `source` must name one of images"):
        make(tmp_path / "vectors", tmp_path / "out")
    with pytest.raises(UserError, match="`shift` = 8 must be smaller"):
        make(source, tmp_path / "out", shift=8)


def test_it_requires_its_source():
    assert SPEC.requires == "digits"
    assert SPEC.inputs == ()
