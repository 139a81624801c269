"""What the estimator is given: what can be read without doubt is read, and everything else is named with a remedy."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.data.array import to_points
from competitive_mixtures.errors import UserError
from competitive_mixtures.estimator.inputs import read_points

DIGITS = load_digits().images[:20] / 16  # (20, 8, 8)


def read(X):
    return read_points(CompetitiveMixture(), X)


@pytest.mark.parametrize(
    "make",
    [
        np.asarray,
        lambda images: images.astype(np.float32),
        torch.from_numpy,
        list,
        lambda images: images.tolist(),
        lambda images: images[:, None],
        lambda images: [image[None].tolist() for image in images],
    ],
)
def test_images_in_any_form_are_what_the_pipeline_stores(make):
    points, form = read(make(DIGITS))
    assert (form.kind, form.shape) == ("image", (1, 8, 8))
    assert np.array_equal(points, to_points("x", DIGITS))


@pytest.mark.parametrize("excess", [1e-7, 1e-4])
def test_a_rounding_out_of_range_is_clipped(excess):
    points, _ = read(DIGITS * (1 + 2 * excess) - excess)
    assert np.array_equal(points, to_points("x", DIGITS))


def test_images_that_torch_has_resized():
    large = torch.nn.functional.interpolate(torch.from_numpy(DIGITS)[:, None].float(), size=(16, 16), mode="bicubic")
    assert read(large.clamp(0, 1) * 1.0000001)[0].shape == (20, 1, 16, 16)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (DIGITS * 1.01, "X: float64 images from 0 to 1.01; expected 0 to 1"),
        (DIGITS * 255, "X: float64 images from 0 to 255; expected 0 to 1: divide them by 255"),
        (DIGITS.astype(str), r"X: values of type <U\d+; .*: convert them by astype\(float\)"),
        (DIGITS.astype(object), r"X: values of type object; .*: convert them by astype\(float\)"),
    ],
)
def test_a_message_says_what_is_wrong_and_what_to_do(X, message):
    with pytest.raises(UserError, match=message):
        read(X)


def test_numbers_in_a_frame_of_objects_are_numbers():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]}, dtype=object)
    assert read(frame)[0].tolist() == [[1, 0.5], [2, 1.5], [3, 2.5]]


@pytest.mark.parametrize(
    ("X", "named"),
    [
        (pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, 1.0]}), r"\(column 'b'\)"),
        (pd.DataFrame({"a": ["x", "y"], "b": [1.0, np.inf], "c": [1.0, 2.0]}), r"\(columns 'a', 'b'\)"),
        (np.array([[1.0, np.nan], [2.0, 1.0]]), r"\(column 1\)"),
        ([[1.0, 2.0, np.inf], [np.nan, 1.0, 1.0]], r"\(columns 0, 2\)"),
        (np.full((3, 9), np.nan), r"\(columns 0, 1, 2, 3, 4, 4 more\)"),
    ],
)
def test_columns_without_numbers_are_named(X, named):
    with pytest.raises(UserError, match=named) as raised:
        read(X)
    assert "HistGradientBoosting" not in str(raised.value)  # scikit-learn's advice on supervised learning


def test_ragged_lists_are_refused_in_words():
    with pytest.raises(ValueError, match="inhomogeneous"):
        read([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize("distance", [1e4, 1e6, 1e12])
def test_a_far_point_is_scored_like_any_other(distance):
    points = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0, 0], [9, 0]], 30, axis=0)
    model = CompetitiveMixture(2, n_rounds=1, steps_per_round=5, random_state=0).fit(points)
    asked = np.vstack([points[:3], [[distance, -distance]]])
    assert np.isfinite(model.score_samples(asked)).all()
    assert (model.predict(asked)[:3] == model.predict(points[:3])).all()
    np.testing.assert_allclose(model.predict_proba(asked).sum(1), 1, rtol=1e-5)


def test_a_far_point_ends_no_fit():
    points = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0, 0], [9, 0]], 30, axis=0)
    model = CompetitiveMixture(2, n_rounds=1, steps_per_round=5, random_state=0).fit(np.vstack([points, [[1e6, 1e6]]]))
    assert np.isfinite(model.score(points))


def test_a_data_frame_is_known_again_everywhere():
    """Its columns' names are checked wherever points come in, and arrays of our own making are not."""
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["u", "v"])
    model = CompetitiveMixture(2, n_rounds=1, steps_per_round=2, random_state=0, init="kmeans", warm_start=True)
    model.fit(frame)
    for use in (model.predict, model.predict_proba, model.score_samples, model.plot, model.fit):
        use(frame)
    model.plot()
    with pytest.raises(UserError, match="feature names"):
        model.fit(frame[["v", "u"]])
