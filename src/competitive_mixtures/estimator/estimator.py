"""`CompetitiveMixture`: the competition as a scikit-learn estimator, all of it in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.utils.validation import check_is_fitted

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.estimator.defaults import make_experiment
from competitive_mixtures.estimator.fitting import (
    Competition,
    learn_representation,
    open_run,
    pick_by_agreement,
    play_rounds,
    pretrain,
    resume,
    tabulate,
    warn_of_idle_components,
)
from competitive_mixtures.estimator.inputs import Form, read_points, warn_of_dark_images
from competitive_mixtures.estimator.parameters import (
    check_count,
    check_counts,
    check_last_round,
    check_path,
    check_room,
    check_share,
    check_switch,
    choose_seed,
    count_threads,
    read_start,
    to_plain,
)
from competitive_mixtures.estimator.storage import read_estimator, write_estimator
from competitive_mixtures.estimator.trained_mixture import TrainedMixture
from competitive_mixtures.method.pytorch_settings import borrow_pytorch
from competitive_mixtures.progress import hide_progress
from competitive_mixtures.seeding import derive_seed
from competitive_mixtures.settings.schema import Experiment

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


FEATURES = ("n_features_in_", "feature_names_in_")  # what scikit-learn notes of X


class CompetitiveMixture(DensityMixin, BaseEstimator):
    """A mixture of k deep generative models that compete for the points.

    Every round each model trains on the points that it won, k discriminators estimate which model could have produced
    each point, and the points are assigned anew, until each model stands for one mechanism behind the data.

    Args:
        n_components: k, an upper bound, at most the number of points: the start "gaussians" gives up components where
            fewer parts lie apart.
        component: "vae" or "gan"; `settings` can mix them.
        method: "ours" (for VAEs of vectors a start from Gaussians, early stopping, and discriminators that start from
            the components' densities; for VAEs of images a start from k-means, and evidence bounds in place of
            discriminators; for others less of it, see docs/method.md), or "plain", the paper's method at our settings:
            a uniform split, one discriminator a component that starts anew each round, and points in common units.
        n_rounds: rounds of the competition.
        steps_per_round: optimisation steps of every component in a round.
        tol: the competition stops early after a round in which fewer than this share of the points changed their
            component, or, where points are held out, after three rounds that made these no likelier, which are taken
            back; 0 plays all rounds.
        n_init: competitions from different random numbers; the one whose partition agrees best with the others' is kept
            (mean adjusted Rand index; the first of equals, so three are the least that help). No other score picked
            better partitions without labels, see docs/partitions.md. The first has the seed `random_state`, and so has
            the representation, which all share.
        representation: None, or "autoencoder": one autoencoder is trained on the images first, the components model its
            latents and compete there, and samples are decoded. For 5,000 images of 28 x 28 pixels or more that takes a
            minute or two of one core, for fewer less. Its layers and steps are in `settings`, under the key
            `representation`. Images of at most 32 pixels go through fully connected layers, larger ones through
            convolutions.
        init: the partition that components are pretrained on: "uniform" (the paper's random split), "kmeans",
            "gaussians" (a mixture of as many Gaussians as the data ask for, joined to at most k parts, without columns
            of codes; where half of the columns are codes, or mostly one value, k-means' clusters), or the component of
            each point, (n,) integers from 0 to k - 1. None: "gaussians" for vectors and latents, "kmeans" for images;
            "uniform" where the method is plain.
        hidden_layer_sizes: units of the hidden layers of a component's networks (a decoder has them in the same order);
            None: (50, 50) for vectors, (128,) for images.
        random_state: an integer gives the same model and the same samples each time; see scikit-learn's glossary.
        warm_start: whether `fit` goes on from the last fit for `n_rounds` more rounds, on the same points or others,
            instead of starting anew; at least the first of them is kept.
        device: "cpu", "cuda", or "auto": for images a GPU where there is one, for vectors the CPU.
        n_jobs: CPU threads, -1 for one each core, None for one; more pay only for large networks on an idle machine.
            Small ones can take ten times as long on a busy one. Fits in several Python threads take turns.
        verbose: whether `fit` tells of the start and the pretraining on the standard error, and shows a progress bar of
            the rounds, or where there is no terminal a line for each and every ten seconds of an autoencoder's
            training.
        settings: anything else: a mapping that is laid over an experiment of `params.yaml`, key by key and checked like
            it, say {"components": {"latent_dim": 2}, "scoring": {"kind": "bound"}, "revival": None}. A list of
            `components` replaces the only block; their counts must add up to n_components.

    Attributes:
        n_components_: components with points. At most `n_components`: the start "gaussians" gives up what overlaps
            another part as halves of one part do, or has no valley of density to it.
        weights_: (k,) float64, the share of the training points that each component won.
        labels_: (n,) int64, the component that won each training point. Where bounds score, these and `weights_` are
            told after the last round by draws that are the same for all points, see `predict_proba`; a round's own
            draws give one or two points of a hundred to others, which `history_` counts.
        converged_: whether at most one point in a thousand changed its component in the last round, or the fit went
            back to a round that later ones did not improve on, see `tol`.
        n_iter_: rounds played and not taken back, round 0 not counted: 0 where none improved on the pretraining.
        lower_bound_: minus the last round's `objective`: a lower bound, as the discriminators estimate it, of the mean
            log-likelihood plus the data's entropy, in nats, so 0 is perfect. Where likelihood bounds score the points,
            mean of log alpha_c(x) + b_c(x) over the training points, a lower bound of the log-likelihood itself.
        history_: a data frame with a row for each round that was kept, from 0, the scoring of the pretrained ones, on:
            `share_changed` of the points, `objective` in nats (an estimate of sum_j alpha_j KL(P_d^j || P_gj); NaN
            where bounds score), median `margin` of the best two log-scores, `revived` components, the running sums
            `samples_seen` and `compute` (samples times parameters), `time_s` (of the rounds, without start and
            pretraining), and each `weight_<j>`.
        n_features_in_: d, or c * h * w.
        feature_names_in_: names of the columns, where X has such.
        seed_: of the run; the pipeline gives the same result for the same seed, settings and points.

    Raises:
        ValueError: a parameter or X is not as it must be; the message says where.

    Warns:
        ConvergenceWarning: a component won no point, or models what another one models; or the start found fewer parts
            than `n_components`, as `n_components_` then says.
        UserWarning: images that are all dark, as those are whose white is another number than 255 or 1.

    References:
        Locatello et al., "Competitive Training of Mixtures of Independent Deep Generative Models", arXiv 1804.11130.

    Examples:
        >>> import numpy as np
        >>> from competitive_mixtures import CompetitiveMixture
        >>> X = np.random.default_rng(0).normal(size=(200, 2)) + 8 * np.arange(200)[:, None] // 100
        >>> mixture = CompetitiveMixture(2, n_rounds=3, random_state=0).fit(X)
        >>> samples, components = mixture.sample(5)
        >>> samples.shape, components.shape
        ((5, 2), (5,))
    """

    n_components_: int
    weights_: np.ndarray
    labels_: np.ndarray
    converged_: bool
    n_iter_: int
    lower_bound_: float
    history_: "pd.DataFrame"
    n_features_in_: int
    seed_: int
    _form: Form
    _mixture: TrainedMixture
    _records: list[dict[str, Any]]

    def __init__(
        self,
        n_components: int = 10,
        *,
        component: str = "vae",
        method: str = "ours",
        n_rounds: int = 14,
        steps_per_round: int = 200,
        tol: float = 1e-3,
        n_init: int = 1,
        representation: str | None = None,
        init: str | Sequence[int] | None = None,
        hidden_layer_sizes: Sequence[int] | None = None,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        device: str = "auto",
        n_jobs: int | None = None,
        verbose: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.n_components = n_components
        self.component = component
        self.method = method
        self.n_rounds = n_rounds
        self.steps_per_round = steps_per_round
        self.tol = tol
        self.n_init = n_init
        self.representation = representation
        self.init = init
        self.hidden_layer_sizes = hidden_layer_sizes
        self.random_state = random_state
        self.warm_start = warm_start
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.settings = settings

    def fit(self, X: Any, y: Any = None) -> Self:
        """Play the competition for the points; where it fails or is interrupted, what was fitted before stays.

        Args:
            X: (n, d) numbers, n >= k: the networks see them less their mean and over one common standard deviation, so
                columns of different units want a `StandardScaler` before. They compute in float32; float64 points that
                it would round to the same numbers are centred first. Or images (n, h, w) or (n, c, h, w), c = 1 or 3,
                integers from 0 to 255 or floats from 0 to 1, rounded to 256 levels. NumPy arrays, data frames or
                tensors.
            y: ignored.

        Raises:
            ValueError: X or a parameter is not as it must be.
            TrainingDivergedError: a ValueError too; a learning rate is too high for these data.
        """
        goes_on = check_switch("warm_start", self.warm_start) and hasattr(self, "_mixture")
        checked = clone(self)  # notes the features that X has; all that a fit leaves is kept at its end
        if goes_on:
            vars(checked).update({name: getattr(self, name) for name in FEATURES if hasattr(self, name)})
        points, form = read_points(checked, X, form=self._form if goes_on else None)
        warn_of_dark_images(points, form)
        init, parts = read_start(self.init, len(points), check_count("n_components", self.n_components))
        experiment = self._make_experiment(form, len(points), init)
        check_last_round(experiment.scoring, self.n_rounds, self._records[-1]["round"] if goes_on else 0)
        with borrow_pytorch(count_threads(self.n_jobs)), hide_progress():
            best = self._go_on(experiment, points, form) if goes_on else self._start(experiment, points, form, parts)
        if not goes_on:
            for name in FEATURES:
                self.__dict__.pop(name, None)
                if hasattr(checked, name):
                    setattr(self, name, getattr(checked, name))
        self._form = form
        self._keep(best)
        warn_of_idle_components(best, points, goes_on=goes_on)
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit to X and return `labels_`, (n,) int64."""
        return self.fit(X).labels_

    def predict(self, X: Any) -> np.ndarray:
        """The component with the largest log-score of each point, log r_j(x) - log Z_j of the last round, (n,) int64.

        Z_j is that of the training points, so that these are given their `labels_`.
        """
        points = self._read(X)
        with borrow_pytorch(count_threads(self.n_jobs)):
            return self._mixture.assign(points)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The softmax of the log-scores that `predict` takes the largest of, (n, k) float64.

        These are the responsibilities of the mixture; where the method is plain, whose assignment leaves the weights
        out, of a mixture with equal weights. They are as good as the scores are calibrated: discriminators that know
        nothing of the components saturate far from the data, and the bounds of VAEs say little there: outliers are told
        by `score_samples`.

        The last digits depend on the points that are scored together: the networks add in float32, in an order that
        follows from how many there are. Where bounds score, as of images by default, they take eight draws that are the
        same for all points, as `labels_` do, so that a point's place in X does not matter; during a fit a round takes
        one draw of each point's own.
        """
        points = self._read(X)
        with borrow_pytorch(count_threads(self.n_jobs)):
            return self._mixture.responsibilities(points)

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw from the mixture: component j with probability `weights_[j]`, then a sample of it.

        An integer `random_state` gives the same samples each time, as in scikit-learn's mixtures.

        Returns:
            `(n_samples, *shape)` in random order, in the floating-point type that `fit` was given or else in float64
            (float16 vectors too; uint8 for images of integers), and (n_samples,) int64, the component of each.
        """
        check_is_fitted(self)
        number = check_count("n_samples", n_samples)
        check_room(number, self._form.shape)
        fixed = isinstance(self.random_state, int | np.integer)
        stream = 0 if fixed else choose_seed(self.random_state)
        with borrow_pytorch(count_threads(self.n_jobs)):
            samples, components = self._mixture.sample(number, "sample", stream)
        return self._form.restore(samples), components.astype(np.int64)

    def score_samples(self, X: Any) -> np.ndarray:
        """Log-density of the mixture at each point, (n,) float64 in nats, log alpha_j included.

        Neither a VAE nor a GAN has a density that can be computed. For VAEs this is log sum_j alpha_j exp(b_j(x)) with
        b_j the importance-weighted bound of VAE j with 64 draws of its latents (Burda et al., 2016), a lower bound but
        beyond 1e9 standard deviations, where every point counts as one at that distance; in the units of X, and for
        images in nats of the decoder's likelihood of intensities in [0, 1]. For vectors of GANs it is a Gaussian kernel
        density on `evaluation.num_samples` samples (500 k by default): too low in narrow modes and in many dimensions,
        and meant for comparing models by equally many samples. Images of GANs are refused.

        With a representation the bound goes through its decoder, log p(x|z) + log sum_j alpha_j exp(b_j(z)) - log
        q(z|x) at one draw z from a Gaussian q around the latents of x, and is in the same nats.
        """
        points = self._read(X)
        with borrow_pytorch(count_threads(self.n_jobs)):
            return self._mixture.log_density(points)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of `score_samples`, in nats a point."""
        return float(self.score_samples(X).mean())

    def plot(self, X: Any = None, *, ax: "Axes | None" = None, n_samples: int = 1000) -> "Axes":
        """Draw the mixture: vectors as points and samples in the colours of their components, images as sample sheets.

        Args:
            X: vectors to draw with the component that `predict` gives each; None draws samples alone, as for images.
            ax: where to draw; None makes a figure.
            n_samples: of the mixture; of images, 10 a component are shown.

        Returns:
            `ax`.

        Raises:
            ImportError: Matplotlib is not installed.
        """
        from competitive_mixtures.estimator.plots import COLUMNS, plot_images, plot_vectors

        check_is_fitted(self)
        if self._form.kind == "image":
            with borrow_pytorch(count_threads(self.n_jobs)):
                images = self._mixture.sample_each(COLUMNS, "plot")
            return plot_images(images, self.weights_, ax)
        points = None if X is None else (self._form.restore(self._read(X)), self.predict(X))
        return plot_vectors(self, points, ax, check_count("n_samples", n_samples))

    def save(self, path: Path | str) -> None:
        """Write the fitted estimator to one safetensors file with JSON in its header, without pickle.

        Raises:
            UserError: the file cannot be written, or a parameter is neither number nor word.
        """
        check_is_fitted(self)
        with borrow_pytorch(count_threads(self.n_jobs)):
            write_estimator(self, check_path(path))

    @classmethod
    def load(cls, path: Path | str) -> "CompetitiveMixture":
        """Read what `save` wrote.

        Raises:
            UserError: the file is missing, broken or holds something else.
        """
        with borrow_pytorch(count_threads(None)):
            return read_estimator(cls, check_path(path))

    def _make_experiment(self, form: Form, num_points: int, init: str | None) -> Experiment:
        k, _, num_steps = (
            check_count(name, getattr(self, name)) for name in ("n_components", "n_rounds", "steps_per_round")
        )
        if k > num_points:
            raise UserError(
                f"X: n_samples = {num_points}: expected at least n_components = {k} points; lower n_components"
            )
        return make_experiment(
            form.kind,
            form.shape,
            num_points,
            method=self.method,
            init=init,
            representation=self.representation,
            n_components=k,
            component=self.component,
            steps_per_round=num_steps,
            hidden_layer_sizes=check_counts("hidden_layer_sizes", self.hidden_layer_sizes),
            device=self.device,
            settings=None if self.settings is None else to_plain("settings", self.settings),
        )

    def _start(self, experiment: Experiment, points: np.ndarray, form: Form, parts: np.ndarray | None) -> Competition:
        """The most typical of `n_init` competitions, stage by stage as the pipeline's jobs play them."""
        seed, num_rounds, tol = choose_seed(self.random_state), self.n_rounds, check_share("tol", self.tol)
        verbose, num_restarts = check_switch("verbose", self.verbose), check_count("n_init", self.n_init)
        dataset = make_dataset(points, form)
        autoencoder = learn_representation(experiment, dataset, seed, verbose)
        played = []
        for number in range(num_restarts):
            own = seed if number == 0 else derive_seed(seed, "restart", number) % 2**31
            run = open_run(experiment, dataset, own, autoencoder)
            played.append(play_rounds(run, pretrain(run, parts, verbose), num_rounds, tol, verbose))
        return pick_by_agreement(played)

    def _go_on(self, experiment: Experiment, points: np.ndarray, form: Form) -> Competition:
        """`n_rounds` more rounds of the competition that was fitted last."""
        before = self._mixture.setup
        if experiment.components != before.experiment.components:
            raise UserError(
                "CompetitiveMixture: warm_start = True: the components' number or settings have changed since the last "
                "fit; expected the same, or warm_start = False"
            )
        if experiment.representation != before.experiment.representation:
            raise UserError(
                "CompetitiveMixture: warm_start = True: the representation's settings have changed since the last fit; "
                "expected the same, or warm_start = False"
            )
        run = open_run(experiment, make_dataset(points, form), before.seed, before.autoencoder, scale=before.scale)
        start = resume(self._mixture, points, self._records[-1])
        played = play_rounds(
            run, start, self.n_rounds, check_share("tol", self.tol), check_switch("verbose", self.verbose)
        )
        return replace(played, records=[*self._records, *played.records])

    def _keep(self, competition: Competition) -> None:
        self._note(competition.mixture, competition.labels, competition.records)
        self.converged_, self.lower_bound_ = competition.converged, competition.lower_bound
        self.n_iter_ = competition.records[-1]["round"]

    def _note(self, mixture: TrainedMixture, labels: np.ndarray, records: list[dict[str, Any]]) -> None:
        self._mixture, self._records = mixture, records
        self.n_components_ = int((mixture.weights > 0).sum())
        self.seed_, self.weights_, self.labels_ = mixture.setup.seed, mixture.weights, labels.astype(np.int64)
        self.history_ = tabulate(records)

    def _read(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        points, form = read_points(self, X, form=self._form)
        if len(points) > 1:  # a single image may well be dark
            warn_of_dark_images(points, form, stacklevel=4)
        return points

    def __sklearn_is_fitted__(self) -> bool:
        """Whether a fit came to its end; scikit-learn asks."""
        return hasattr(self, "_mixture")


def make_dataset(points: np.ndarray, form: Form) -> Dataset:
    """Points as a data set without labels and test points."""
    return Dataset("X", form.kind, form.shape, points, points[:0], None, None, {})
