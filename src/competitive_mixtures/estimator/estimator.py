"""`CompetitiveMixture`: the competition as a scikit-learn estimator, all of it in memory."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.estimator.defaults import make_experiment
from competitive_mixtures.estimator.inputs import Form, check_count, check_counts, choose_seed, read_points, to_plain
from competitive_mixtures.estimator.trained import TrainedMixture
from competitive_mixtures.files import read_metadata, read_tensors, write_tensors
from competitive_mixtures.method import rounds
from competitive_mixtures.method.run import Run
from competitive_mixtures.networks.kernels.threads import use_threads
from competitive_mixtures.progress import hide_progress

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "competitive-mixture-3"  # of a saved estimator


class CompetitiveMixture(DensityMixin, BaseEstimator):
    """A mixture of k deep generative models that compete for the points.

    Every round each model trains on the points that it won, k discriminators judge which model could have produced
    each point, and the points are assigned anew, until each model stands for one mechanism behind the data.

    Args:
        n_components: k, at most the number of points.
        component: "vae" or "gan"; `settings` can mix them.
        n_rounds: rounds of the competition.
        steps_per_round: optimisation steps of every component in a round.
        hidden_layer_sizes: units of the hidden layers of a component's networks (a decoder has them in the same order);
            None: (50, 50) for vectors, (128,) for images.
        random_state: an integer gives the same model and the same samples each time; see scikit-learn's glossary.
        device: "cpu", "cuda", or "auto": for images a GPU where there is one, for vectors the CPU.
        n_jobs: CPU threads; more than one pays only for large networks on an idle machine.
        verbose: whether to print a line for each round on the standard error.
        settings: anything else: a mapping that is laid over an experiment of `params.yaml`, key by key and checked like
            it, say {"components": {"latent_dim": 2}, "scoring": {"kind": "bound"}, "revival": None}. A list of
            `components` replaces the only block; their counts must add up to n_components.

    Attributes:
        weights_: (k,) float64, the share of the training points that each component won.
        labels_: (n,) int64, the component that won each training point.
        history_: a data frame with a row for each round from 0, the partial_round of the pretrained components, on:
            `share_changed` of the points, `objective` in nats (an estimate of sum_j alpha_j KL(P_d^j || P_gj); NaN
            where bounds score), median `margin` of the best two log-scores, `revived` components, the running sums
            `samples_seen` and `compute` (samples times parameters), `time_s`, and each `weight_<j>`.
        n_features_in_: d, or c * h * w.
        feature_names_in_: names of the columns, where X has such.
        seed_: of the run; the pipeline gives the same result for the same seed, settings and points.

    Raises:
        ValueError: a parameter or X is not as it must be; the message says where.

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

    weights_: np.ndarray
    labels_: np.ndarray
    history_: "pd.DataFrame"
    n_features_in_: int
    seed_: int

    def __init__(
        self,
        n_components: int = 10,
        *,
        component: str = "vae",
        n_rounds: int = 14,
        steps_per_round: int = 200,
        hidden_layer_sizes: Sequence[int] | None = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        n_jobs: int = 1,
        verbose: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.n_components = n_components
        self.component = component
        self.n_rounds = n_rounds
        self.steps_per_round = steps_per_round
        self.hidden_layer_sizes = hidden_layer_sizes
        self.random_state = random_state
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.settings = settings

    def fit(self, X: Any, y: Any = None) -> Self:
        """Play the competition for the points.

        Args:
            X: (n, d) numbers, n >= k: the networks see them less their mean and over one common standard deviation, so
                columns of different units want a `StandardScaler` before. They compute in float32; float64 points that
                it would round to the same numbers are centred first. Or images (n, c, h, w), c = 1 or 3, integers
                from 0 to 255 or floats from 0 to 1, rounded to 256 levels. NumPy arrays, data frames or tensors.
            y: ignored.

        Raises:
            ValueError: X or a parameter is not as it must be.
            TrainingDivergedError: a ValueError too; a learning rate is too high for these data.
        """
        points, form = read_points(self, X)
        k, num_rounds, num_steps = (
            check_count(name, getattr(self, name)) for name in ("n_components", "n_rounds", "steps_per_round")
        )
        if k > len(points):
            raise UserError(
                f"n_samples = {len(points)}: expected at least n_components = {k} points; lower n_components"
            )
        experiment = make_experiment(
            form.kind,
            n_components=k,
            component=self.component,
            n_rounds=num_rounds,
            steps_per_round=num_steps,
            hidden_layer_sizes=check_counts("hidden_layer_sizes", self.hidden_layer_sizes),
            device=self.device,
            settings=self.settings,
        )
        self.seed_ = choose_seed(self.random_state)
        dataset = Dataset("X", form.kind, form.shape, points, points[:0], None, None, {})
        with self._limit_threads(), hide_progress():
            self._compete(Run(experiment, dataset, self.seed_), num_rounds)
        self._form = form
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit to X and give `labels_`, (n,) int64."""
        return self.fit(X).labels_

    def predict(self, X: Any) -> np.ndarray:
        """The component that wins each point by the last round's scores, log r_j(x) - log Z_j, (n,) int64.

        Z_j is that of the training points, so that these are given their `labels_`.
        """
        points = self._read(X)
        with self._limit_threads():
            return self._mixture.assign(points)

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw from the mixture: component j with probability `weights_[j]`, then a sample of it.

        An integer `random_state` gives the same samples each time, as in scikit-learn's mixtures.

        Returns:
            (n_samples, *shape) in random order, in the floating-point type that `fit` was given or else in float64
            (float16 vectors too; uint8 for images of integers), and (n_samples,) int64, the component of each.
        """
        check_is_fitted(self)
        number = check_count("n_samples", n_samples)
        fixed = isinstance(self.random_state, int | np.integer)
        stream = 0 if fixed else choose_seed(self.random_state)
        with self._limit_threads():
            samples, components = self._mixture.sample(number, "sample", stream)
        return self._form.restore(samples), components.astype(np.int64)

    def score_samples(self, X: Any) -> np.ndarray:
        """Log-density of the mixture at each point, (n,) float64 in nats, log alpha_j included.

        Neither a VAE nor a GAN has a density that can be computed, so this is an estimate. For vectors it is that of a
        Gaussian kernel density on `evaluation.num_samples` samples of the mixture (500 k by default), in the units of
        X: too low in narrow modes and in many dimensions, and meant for comparing models by equally many samples. For
        images it is log sum_j alpha_j exp(b_j(x)) with b_j the evidence bound of VAE j, a lower bound estimated by one
        noise draw, in nats of the decoder's likelihood of intensities in [0, 1]; images of GANs are refused.
        """
        points = self._read(X)
        with self._limit_threads():
            return self._mixture.log_density(points)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of `score_samples`, in nats a point."""
        return float(self.score_samples(X).mean())

    def save(self, path: Path | str) -> None:
        """Write the fitted estimator to one safetensors file with JSON in its header, without pickle.

        Raises:
            UserError: the file cannot be written, or a parameter is neither number nor word.
        """
        check_is_fitted(self)
        params = self.get_params(deep=False)
        if not isinstance(params["random_state"], int | np.integer | None):
            params["random_state"] = None  # a generator's state is not kept
        metadata = {
            "format": FORMAT,
            "params": {name: to_plain(name, value) for name, value in params.items()},
            "mixture": self._mixture.metadata(),
            "form": asdict(self._form),
            "feature_names": list(getattr(self, "feature_names_in_", [])),
            "records": self._records,
        }
        write_tensors(path, self._mixture.tensors() | {"labels": torch.from_numpy(self.labels_)}, metadata)

    @classmethod
    def load(cls, path: Path | str) -> "CompetitiveMixture":
        """Read what `save` wrote.

        Raises:
            UserError: the file is missing, broken or holds something else.
        """
        metadata, tensors = read_metadata(path), read_tensors(path)
        if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
            raise UserError(f"{path}: expected a file that CompetitiveMixture.save wrote")
        try:
            return cls._restore(metadata, tensors)
        except UserError:
            raise
        except Exception as error:  # whatever a damaged file makes of any line
            raise UserError(f"{path}: damaged ({error!r}); save the estimator anew") from error

    @classmethod
    def _restore(cls, metadata: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> "CompetitiveMixture":
        estimator = cls(**metadata["params"])
        form = metadata["form"]
        estimator._form = Form(**form | {key: tuple(form[key]) for key in ("shape", "centre")})
        estimator.n_features_in_ = int(np.prod(form["shape"]))
        if metadata["feature_names"]:
            estimator.feature_names_in_ = np.array(metadata["feature_names"], dtype=object)
        estimator._keep(
            TrainedMixture.restore(metadata["mixture"], tensors), metadata["records"], tensors["labels"].numpy()
        )
        return estimator

    def _compete(self, run: Run, num_rounds: int) -> None:
        """The competition, stage by stage, as the pipeline's jobs play it."""
        outcome, records = rounds.pretrain(run), []
        for number in range(num_rounds + 1):
            run.clock.seconds.clear()
            part = rounds.compete(run, number, outcome.state, range(run.experiment.num_components))
            outcome = rounds.conclude(run, number, outcome.record, outcome.assignment.winner, part)
            records.append(outcome.record)
            if self.verbose:
                share, objective = outcome.record["share_changed"], outcome.record["objective"]
                text = "" if objective is None else f", objective {objective:.3f} nats"
                print(f"round {number}/{num_rounds}: {share:.1%} of the points changed{text}", file=sys.stderr)
        self._keep(TrainedMixture.from_round(run.without_points(), outcome), records, outcome.assignment.winner)

    def _keep(self, mixture: TrainedMixture, records: list[dict[str, Any]], labels: np.ndarray) -> None:
        self._mixture, self._records = mixture, records
        self.seed_, self.weights_, self.labels_ = mixture.setup.seed, mixture.weights, labels.astype(np.int64)
        self.history_ = tabulate(records)

    def _read(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return read_points(self, X, form=self._form)[0]

    def _limit_threads(self) -> Any:
        return use_threads(check_count("n_jobs", self.n_jobs))


def tabulate(records: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """The rounds' records as a data frame, a row each; see `CompetitiveMixture.history_`."""
    import pandas as pd

    rows = [
        {
            "share_changed": record["share_changed"],
            "objective": record["objective"],
            "margin": record["margin_quantiles"]["0.5"],
            "revived": len(record["revived"]),
            "samples_seen": record["samples_seen"],
            "compute": record["compute"],
            "time_s": sum(record["seconds"].values()),
            **{f"weight_{j}": weight for j, weight in enumerate(record["weights"])},
        }
        for record in records
    ]
    index = pd.Index([record["round"] for record in records], name="round")
    return pd.DataFrame(rows, index=index).astype({"objective": float, "margin": float})
