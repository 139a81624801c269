"""Whatever the points are, whole competitions end in a valid mixture or in one error that a person can read."""

import tempfile
import traceback
from pathlib import Path

import numpy as np
import pytest
from examples import CONV, CONV_GAN, CONV_VAE, GAN, VAE, WASSERSTEIN, make_experiment, play
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.data import load_dataset
from competitive_mixtures.data.array import Spec, prepare
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import read_json, read_table
from competitive_mixtures.method.baselines import reshape_experiment, train_baseline
from competitive_mixtures.method.run import Run, check_sizes
from competitive_mixtures.pipeline.evaluate import evaluate

pytestmark = pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")  # tiny fits are no good

DTYPES = ["float64"] * 4 + ["float32", "float16", "longdouble", "int8", "int16", "int64", "uint8", "uint64", "bool"]
STEPS = {"pretraining_steps": 3, "steps_per_round": 3, "batch_size": 4}
SCORING = {"steps_per_round": 2, "batch_size": 4}
TINY = {"num_samples": 20, "num_bandwidth_samples": 10}


def lay_out(draw, shape):
    """Points of a kind that data can be of."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = random.normal(size=shape)
    layout = draw(st.sampled_from(["free", "equal", "duplicates", "constant column", "outlier", "two", "line"]))
    if layout == "equal":
        points[:] = points[:1]
    if layout == "duplicates":
        points = points[random.integers(max(1, len(points) // 3), size=len(points))]
    if layout == "constant column":
        points[:, :1] = 3.7
    if layout == "outlier":
        points[:1] *= 1e6
    if layout == "two":
        points = np.sign(points)
    if layout == "line":
        points = np.broadcast_to(points[(slice(None), *[slice(1)] * (points.ndim - 1))], shape).copy()
    return points


@st.composite
def vectors(draw):
    """Vectors of any scale around any centre, as any type, now and then with a number that is none."""
    points = lay_out(draw, (draw(st.integers(1, 24)), draw(st.integers(1, 4))))
    exponent = draw(st.sampled_from([0, 0, 0, 1, -3, -6, -12, -30, -40, -300, 3, 6, 12, 29, 31, 38, 300]))
    centre = draw(st.sampled_from([0, 0, 0, 1, -1e3, 1e6, 1e9, -1e12, 1e20]))
    points = points * 10.0**exponent + centre
    if draw(st.integers(0, 9)) == 0:
        points.flat[draw(st.integers(0, points.size - 1))] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    with np.errstate(all="ignore"):
        return points.astype(draw(st.sampled_from(DTYPES)))


@st.composite
def images(draw):
    """Images as floats or integers, some out of range, with too many channels or hardly any pixels."""
    channels, sides = draw(st.sampled_from([1, 1, 1, 3, 3, 3, 2])), st.sampled_from([8, 8, 8, 8, 4, 9, 5, 2, 1])
    points = lay_out(draw, (draw(st.integers(1, 14)), channels, draw(sides), draw(sides)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    low, high = draw(st.sampled_from([(0, 255 if dtype.kind in "ui" else 1)] * 6 + [(0.3, 0.3), (-1, 1), (0, 1e300)]))
    points = low + (high - low) * (points - points.min()) / (np.ptp(points) or 1.0)
    if draw(st.integers(0, 9)) == 0:
        points.flat[0] = np.nan
    with np.errstate(all="ignore"):
        return points.astype(dtype)


def draw_components(draw, k, image):
    """Blocks of one kind or two that add up to k."""
    vae, gan = (CONV_VAE, CONV_GAN) if image and draw(st.booleans()) else (VAE, GAN)
    learned = {"likelihood": {"kind": "gaussian", "variance": "learned", "samples": "draws"}}
    blocks = [vae, VAE | learned, gan, GAN | {"loss": WASSERSTEIN, "critic_steps": 2}]
    first, second = draw(st.sampled_from(blocks)), draw(st.sampled_from(blocks))
    count = draw(st.integers(1, k))
    return [first | {"count": count}] + [second | {"count": k - count}] * (count < k)


@st.composite
def changes(draw, k, image):
    """Settings of a tiny experiment."""
    components = draw_components(draw, k, image)
    only_vaes = all(block["kind"] == "vae" for block in components)
    kinds = ["discriminators", "discriminators", "classifier"] + ["bound", "soft_bound"] * only_vaes
    scoring = {"kind": draw(st.sampled_from(kinds)), "assignment": draw(st.sampled_from(["density", "posterior"]))}
    if not scoring["kind"].endswith("bound"):
        network = {"network": CONV} if image and draw(st.booleans()) else {}
        scoring |= SCORING | {"reset": draw(st.booleans())} | network
    settings = {
        "components": components,
        "training": STEPS | {"standardize": draw(st.sampled_from(["none", "data", "cells"]))},
        "scoring": scoring,
        "balancing": {"min_share": draw(st.sampled_from([0.0, 0.1, 1.0]))},
        "revival": draw(st.sampled_from([None, {"every": 1, "min_share": 0.5, "until": 2}])),
        "evaluation": TINY,
        "baselines": ["single", "bagging", "kmeans"] if len(components) == 1 else [],
        "shards": draw(st.sampled_from([1, 1, 2])) if scoring["kind"] == "discriminators" and k > 1 else 1,
    }
    make_experiment(**settings)  # sound in themselves: what is refused below is refused for the points
    return settings


def check_error(error):
    """Our own checks, or scikit-learn's of an array, said what is wrong in a few words."""
    where = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    assert isinstance(error, UserError) or where.match("sklearn/utils/*.py"), traceback.format_exc()
    assert 10 < len(str(error)) < 1000


@pytest.mark.filterwarnings("ignore:CompetitiveMixture. X holds images:UserWarning")
@given(st.data())
def test_the_estimator(data):
    image = data.draw(st.booleans())
    points = data.draw(images() if image else vectors())
    k = data.draw(st.integers(1, min(5, len(points) + 1)))
    settings = data.draw(changes(k, image))
    mixture = CompetitiveMixture(k, n_rounds=2, tol=0, random_state=0, settings=settings)
    try:
        labels = mixture.fit_predict(points)
        scored = not image or all(block["kind"] == "vae" for block in settings["components"])
        density = mixture.score_samples(points) if scored else np.zeros(len(points))
        samples, components = mixture.sample(7)
    except ValueError as error:
        check_error(error)
        return
    assert mixture.weights_.shape == (k,)
    assert (mixture.weights_ >= 0).all()
    assert np.isclose(mixture.weights_.sum(), 1)
    assert labels.shape == (len(points),)
    assert set(labels) | set(components) <= set(range(k))
    assert np.array_equal(mixture.predict(points), labels)
    assert samples.shape == (7, *points.shape[1:])
    assert np.isfinite(samples).all()
    assert density.shape == (len(points),)
    assert np.isfinite(density).all()
    assert len(mixture.history_) == 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # k-means of few distinct points
@given(st.data())
def test_the_pipeline(data):
    """From the user's file over the data set and the jobs of all rounds, in shards, to the scores."""
    image = data.draw(st.booleans())
    points = data.draw(images() if image else vectors())
    settings = data.draw(changes(data.draw(st.integers(1, 5)), image))
    labels = data.draw(st.sampled_from([None, "same", "words"]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arrays = {"x": points} | ({} if labels is None else {"y": np.arange(len(points)) % 2})
        np.savez(folder / "x.npz", **arrays | ({"y": arrays["y"].astype(str)} if labels == "words" else {}))
        try:
            prepare(Spec(kind="array", path=str(folder / "x.npz"), test_fraction=0.4), folder, folder / "data", "own")
            dataset = load_dataset(folder / "data", verify=True)
            experiment = make_experiment(**settings)
            check_sizes(experiment, dataset)
            last = play(experiment, dataset, folder)
            for baseline in experiment.baselines:
                run = Run(reshape_experiment(experiment, baseline), dataset, 0)
                train_baseline(run, baseline, 2, last, folder / "baselines" / baseline)
            evaluate(Run(experiment, dataset, 0), folder, 2, folder / "evaluation")
        except UserError as error:
            check_error(error)
            return
        table, record = read_table(last / "assignments.parquet"), read_json(last / "metrics.json")
        assert len(table["component"]) == len(dataset.train)
        assert set(table["component"]) <= set(range(experiment.num_components))
        assert np.isclose(sum(record["weights"]), 1)
        assert np.isfinite(np.load(last / "samples.npy")).all()
        rows = (folder / "evaluation/scores.csv").read_text().splitlines()[1:]
        assert np.isfinite([float(row.rsplit(",", 1)[1]) for row in rows]).all()
