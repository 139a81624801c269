"""Avatars: seeded, in the styles that their labels say, before backgrounds that do not tell the style."""

import sys

import numpy as np
import pytest

from competitive_mixtures.data import load_dataset
from competitive_mixtures.data.avatars import BACKGROUNDS, Spec, prepare
from competitive_mixtures.errors import UserError

STYLES = ["lorelei", "pixel-art", "moods"]
SPEC = Spec(kind="avatars", styles=STYLES, size=16, num_train=60, num_test=12, seed=0)


def make(out, **changes):
    pytest.importorskip("dicebear")
    pytest.importorskip("resvg_py")
    prepare(SPEC.model_copy(update=changes), out, out, "avatars")
    return load_dataset(out, verify=True)


def test_colour_images_in_equally_many_of_each_style(tmp_path):
    dataset = make(tmp_path)
    assert dataset.shape == (3, 16, 16)
    assert dataset.meta["label_names"] == STYLES
    assert np.bincount(dataset.train_labels).tolist() == [20, 20, 20]
    assert np.bincount(dataset.test_labels).tolist() == [4, 4, 4]
    assert dataset.meta["packages"].keys() == {"dicebear-core", "dicebear-styles", "resvg-py"}


def test_no_two_are_the_same(tmp_path):
    dataset = make(tmp_path)
    assert len(np.unique(np.concatenate([dataset.train, dataset.test]), axis=0)) == 72


def test_the_seed_says_all(tmp_path):
    first, again, other = make(tmp_path / "a"), make(tmp_path / "b"), make(tmp_path / "c", seed=1)
    np.testing.assert_array_equal(first.train, again.train)
    np.testing.assert_array_equal(first.train_labels, again.train_labels)
    assert not np.array_equal(first.train, other.train)


def test_the_label_is_the_style(tmp_path):
    """Lorelei is drawn in black and white alone: before any background, its faces are without colour."""
    dataset = make(tmp_path)
    centre = dataset.train[:, :, 7:11, 6:10].astype(int)
    colourless = (centre.max(axis=1) - centre.min(axis=1)).mean(axis=(1, 2)) < 12
    agreement = colourless == (dataset.train_labels == 0)
    assert agreement.mean() > 0.85


def test_every_style_has_every_background(tmp_path):
    dataset = make(tmp_path, num_train=180)
    known = {tuple(bytes.fromhex(colour[1:])) for colour in BACKGROUNDS}
    for label in range(3):
        corners = {tuple(image[:, 0, 0]) for image in dataset.train[dataset.train_labels == label]}
        assert corners >= known


@pytest.mark.parametrize(("style", "message"), [("nobody", "expected some of .*lorelei"), ("micah", "CC BY 4.0")])
def test_a_style_that_is_unknown_or_not_free_is_refused(tmp_path, style, message):
    with pytest.raises(UserError, match=message):
        make(tmp_path, styles=[style])


def test_without_the_packages_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dicebear", None)
    with pytest.raises(UserError, match=r"pip install 'competitive-mixtures\[avatars\]'"):
        prepare(SPEC, tmp_path, tmp_path, "avatars")
