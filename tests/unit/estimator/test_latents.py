"""The estimator with a representation: images in, images out, and all that a fitted mixture can do between."""

import pickle

import numpy as np
import pytest
import torch
from examples import make_estimators_experiment, make_images
from scipy.special import logsumexp

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.errors import UserError
from competitive_mixtures.estimator.defaults import count_doublings
from competitive_mixtures.files.formats import read_metadata, read_tensors, write_tensors
from competitive_mixtures.method.representation import bound_images
from competitive_mixtures.method.scoring import score_by_importance
from competitive_mixtures.seeding import make_generator

pytestmark = pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")  # tiny fits are no good

IMAGES = make_images().train
LAYERS = {"kind": "mlp", "hidden": [16]}
SMALL = {"representation": {"encoder": LAYERS, "decoder": LAYERS, "latent_dim": 3, "steps": 40, "batch_size": 16}}


def small(settings=SMALL, **params):
    chosen = {
        "n_rounds": 2,
        "steps_per_round": 10,
        "random_state": 0,
        "representation": "autoencoder",
        "tol": 0.0,
    } | params
    return CompetitiveMixture(2, settings=settings, **chosen)


@pytest.fixture(scope="module")
def fitted():
    return small().fit(IMAGES)


def test_samples_are_images(fitted):
    samples, components = fitted.sample(5)
    assert (samples.shape, samples.dtype) == ((5, *IMAGES.shape[1:]), np.uint8)
    assert components.shape == (5,)


def test_predictions_are_the_last_rounds(fitted):
    np.testing.assert_array_equal(fitted.predict(IMAGES), fitted.labels_)
    shares = fitted.predict_proba(IMAGES)
    assert shares.shape == (len(IMAGES), 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_array_equal(shares.argmax(axis=1), fitted.labels_)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(fitted):
    again, other = small().fit(IMAGES), small(random_state=1).fit(IMAGES)
    np.testing.assert_array_equal(again.sample(5)[0], fitted.sample(5)[0])
    np.testing.assert_array_equal(again.labels_, fitted.labels_)
    assert (other.sample(5)[0] != fitted.sample(5)[0]).any()


def test_a_file_and_a_pickle_keep_all_of_it(fitted, tmp_path):
    fitted.save(tmp_path / "mixture.safetensors")
    for kept in (CompetitiveMixture.load(tmp_path / "mixture.safetensors"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(kept.predict(IMAGES), fitted.labels_)
        np.testing.assert_array_equal(kept.sample(5)[0], fitted.sample(5)[0])
        np.testing.assert_array_equal(kept.score_samples(IMAGES), fitted.score_samples(IMAGES))


def test_a_file_with_too_few_weights_is_refused(fitted, tmp_path):
    path = tmp_path / "mixture.safetensors"
    fitted.save(path)
    metadata, tensors = read_metadata(path), read_tensors(path)
    metadata["mixture"]["experiment"]["representation"]["encoder"]["hidden"] = [50_000, 50_000]
    write_tensors(path, tensors, metadata)
    with pytest.raises(UserError, match=r"at least [0-9]+ weights, the tensors hold"):
        CompetitiveMixture.load(path)


def test_the_density_is_a_bound_through_the_decoder(fitted):
    """Log p(x|z) - log q(z|x) + log p(z), the latter in the latents' own units."""
    mixture = fitted._mixture
    setup = mixture.setup
    bound = bound_images(setup.autoencoder, IMAGES, make_generator(0, "log density", "latents"))
    standardised = torch.from_numpy((bound.latents - setup.scale.mean) / np.float32(setup.scale.unit))
    components = score_by_importance(mixture.components, standardised, 64).double().numpy()
    density = logsumexp(components + np.log(fitted.weights_), axis=1) - 3 * np.log(setup.scale.unit)
    np.testing.assert_allclose(fitted.score_samples(IMAGES), bound.likelihood + density, rtol=1e-5)


def test_more_rounds_keep_the_representation(fitted):
    longer = small(warm_start=True).fit(IMAGES)
    before = {name: tensor.clone() for name, tensor in longer._mixture.setup.autoencoder.weights().items()}
    longer.set_params(n_rounds=1).fit(IMAGES)
    after = longer._mixture.setup.autoencoder.weights()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert longer.n_iter_ == 3


def test_more_rounds_with_another_representation_are_refused():
    longer = small(warm_start=True).fit(IMAGES)
    longer.set_params(settings={"representation": SMALL["representation"] | {"steps": 41}})
    with pytest.raises(UserError, match="the representation's settings have changed"):
        longer.fit(IMAGES)


def test_a_wrong_parameter_is_refused_before_the_autoencoder_is_trained(monkeypatch):
    monkeypatch.setattr("competitive_mixtures.estimator.estimator.learn_representation", None)
    with pytest.raises(UserError, match="n_init = 0"):
        small(n_init=0).fit(IMAGES)


def test_restarts_share_the_representation(fitted):
    restarted = small(n_init=2).fit(IMAGES)
    assert torch.equal(restarted._mixture.setup.autoencoder.deviation, fitted._mixture.setup.autoencoder.deviation)
    assert restarted.lower_bound_ >= fitted.lower_bound_


def test_gans_of_latents_have_no_density():
    gan = small(component="gan").fit(IMAGES)
    assert gan.sample(3)[0].shape == (3, *IMAGES.shape[1:])
    with pytest.raises(UserError, match="images of GANs have no density"):
        gan.score_samples(IMAGES)


@pytest.mark.parametrize(("representation", "points"), [("autoencoder", np.zeros((9, 2))), ("pca", IMAGES)])
def test_what_it_is_not_is_refused(representation, points):
    with pytest.raises(UserError, match="representation"):
        CompetitiveMixture(2, representation=representation).fit(points)


@pytest.mark.parametrize(("side", "kind"), [(28, "mlp"), (32, "mlp"), (33, "conv"), (64, "conv"), (50, "conv")])
def test_larger_images_go_through_convolutions(side, kind):
    experiment = make_estimators_experiment("image", (3, side, side), representation="autoencoder")
    encoder, decoder = experiment.representation.encoder, experiment.representation.decoder
    assert (encoder.kind, decoder.kind) == (kind, kind)
    if kind == "conv":
        assert side % 2 ** (len(decoder.channels) - 1) == 0


@pytest.mark.parametrize(("side", "most"), [(28, 8_000), (64, 5_000)])
def test_few_images_take_fewer_steps(side, most):
    steps, seen = [], []
    for num_points in (10, 1_000, 1_500, 10**6):
        settings = make_estimators_experiment("image", (1, side, side), num_points, representation="autoencoder")
        steps.append(settings.representation.steps)
        seen.append(settings.representation.steps * settings.representation.batch_size / num_points)
    assert (steps[0], steps[-1]) == (1_000, most)
    assert seen[1:3] == pytest.approx([200, 200], rel=1e-3)  # epochs


def test_the_training_of_an_autoencoder_is_told(capsys):
    short = {"representation": {"steps": 2, "batch_size": 4}}
    for verbose, told in ((True, True), (False, False)):
        CompetitiveMixture(2, representation="autoencoder", n_rounds=1, verbose=verbose, settings=short).fit(IMAGES)
        assert ("autoencoder 0: 2/2 steps" in capsys.readouterr().err) == told


@pytest.mark.parametrize("shape", [(3, 40, 4), (1, 64, 64), (1, 50, 34), (3, 3, 100)])
def test_convolutions_fit_images_of_any_sides(shape):
    images = np.random.default_rng(0).integers(0, 256, size=(12, *shape), dtype=np.uint8)
    mixture = small(settings={"representation": {"steps": 2, "batch_size": 4}}).fit(images)
    assert mixture.sample(2)[0].shape == (2, *shape)


def test_sides_are_doubled_as_far_as_they_are_whole():
    assert [count_doublings(*sides) for sides in [(64, 64), (48, 64), (33, 33), (218, 178)]] == [6, 4, 0, 1]
