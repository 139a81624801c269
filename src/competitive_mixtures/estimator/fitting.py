"""A fit: the rounds played in memory, restarts, and what is kept of the best."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from competitive_mixtures.data import Dataset
from competitive_mixtures.estimator.best_round import BestRound
from competitive_mixtures.estimator.trained_mixture import TrainedMixture
from competitive_mixtures.method import rounds
from competitive_mixtures.method.assignment import Assignment, assign, to_cells
from competitive_mixtures.method.device import choose_device
from competitive_mixtures.method.partial_round import PartialRound
from competitive_mixtures.method.representation import encode_images, train_autoencoder
from competitive_mixtures.method.revival import find_runner_up, find_spare
from competitive_mixtures.method.rounds import Outcome
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.scale import Scale
from competitive_mixtures.method.start import choose_start
from competitive_mixtures.method.state import RoundState
from competitive_mixtures.networks.autoencoder import Autoencoder
from competitive_mixtures.progress import hide_progress, tell
from competitive_mixtures.settings.schema import Experiment
from competitive_mixtures.settings.scoring import count_cycle

if TYPE_CHECKING:
    import pandas as pd

SETTLED = 1e-3  # share of the points: a competition in which no more change their component has converged


@dataclass(frozen=True)
class Competition:
    """One competition, played to its end.

    Attributes:
        mixture: what it leaves.
        labels: (n,) int16, the component that won each training point, as `TrainedMixture.assign` tells it.
        records: of every round, as the pipeline's `metrics.json` has them.
        lower_bound: of the mean log-likelihood, see `CompetitiveMixture.lower_bound_`.
        converged: whether the last round changed next to nothing, or held-out points gained nothing from later ones;
            round 0, which only scores, tells nothing of the former.
        dead: components that won no point, other than those that the start left without any.
        given_up: how many components the start left without any point, and that have none.
        twins: components that the mixture would model the training points without, since another one models theirs.
    """

    mixture: TrainedMixture
    labels: np.ndarray
    records: list[dict[str, Any]]
    lower_bound: float
    converged: bool
    dead: list[int]
    given_up: int
    twins: list[int]


def pick_by_agreement(played: Sequence[Competition]) -> Competition:
    """The competition whose partition agrees best with the others by mean adjusted Rand index, the first of equals."""
    if len(played) == 1:
        return played[0]
    pairs = np.array([[adjusted_rand_score(one.labels, other.labels) for other in played] for one in played])
    return played[int(pairs.mean(axis=1).argmax())]


def learn_representation(experiment: Experiment, dataset: Dataset, seed: int, verbose: bool) -> Autoencoder | None:
    """The autoencoder that all components share, trained as in the pipeline; None where the settings ask for none."""
    if experiment.representation is None:
        return None
    device = choose_device(experiment.device)
    with hide_progress(not verbose):
        return train_autoencoder(experiment.representation, Scale().apply(dataset.train), seed, device)[0]


def open_run(
    experiment: Experiment, dataset: Dataset, seed: int, autoencoder: Autoencoder | None, scale: Scale | None = None
) -> Run:
    """A run on the points as they are, or on an autoencoder's latents of them.

    Args:
        experiment: the settings.
        dataset: the points.
        seed: of the run.
        autoencoder: None for points as they are.
        scale: of what components model; None fits one.
    """
    if autoencoder is not None:
        train, test = (encode_images(autoencoder, images) for images in (dataset.train, dataset.test))
        dataset = replace(dataset, kind="vector", shape=train.shape[1:], train=train, test=test)
    return Run(experiment, dataset, seed, scale=scale, autoencoder=autoencoder)


def pretrain(run: Run, parts: np.ndarray | None, verbose: bool) -> Outcome:
    """The components pretrained on the start, or on `parts` in its place; each can take longer than a round.

    Args:
        run: settings and data.
        parts: (n,) int16, or None.
        verbose: say on the standard error what is being done, and how long it took.
    """
    say: Callable[[str], None] = tell if verbose else lambda sentence: None
    began = time.monotonic()
    if parts is None:
        init, k = run.experiment.training.init, run.experiment.num_components
        say(f"start: looking for at most {k} parts, init={init!r}")
        parts = choose_start(init, run.train, k, run.seed)
    count = len(np.unique(parts))
    say(f"start: {count} {'part' if count == 1 else 'parts'}, {time.monotonic() - began:.1f} s; pretraining")
    began = time.monotonic()
    outcome = rounds.pretrain(run, parts)
    say(f"pretraining: {time.monotonic() - began:.1f} s")
    return outcome


def play_rounds(run: Run, start: Outcome, num_rounds: int, tol: float, verbose: bool) -> Competition:
    """Play rounds until all are played, or one changes fewer than a share `tol` of the points.

    Or until held-out points gain no more: the rounds after the best one are then taken back, see `BestRound`. A
    competition that settles, or comes to its last round, before that keeps its last round.

    Args:
        run: settings and data.
        start: the pretraining, which round 0 follows, or an earlier competition, see `resume`.
        num_rounds: after round 0, or after the earlier competition.
        tol: share of the points; 0 plays all rounds, and keeps the last.
        verbose: show a progress bar on a terminal, and elsewhere a line for each round, on the standard error.
    """
    first = start.record.get("round", -1) + 1
    last = num_rounds if first == 0 else first + num_rounds - 1
    cycle = count_cycle(run.experiment.scoring)  # between full rounds a point has two components to choose from
    records: list[dict[str, Any]] = []
    outcome = start
    best = BestRound.watch(run, tol)
    with watch_rounds(first, last, verbose) as tell_round:
        for number in range(first, last + 1):
            run.clock.seconds.clear()
            part = rounds.compete(run, number, outcome.state, range(run.experiment.num_components))
            outcome = rounds.conclude(run, number, outcome.record, outcome.assignment.winner, part)
            records.append(outcome.record)
            tell_round(outcome.record)
            if number % cycle:
                continue
            if number and outcome.record["share_changed"] < tol:
                break
            if best is not None and (kept := best.look(outcome, part)):
                outcome, part = kept
                records = records[: outcome.record["round"] - first + 1]
                break
    goes_back = number > outcome.record["round"]
    if verbose and goes_back:
        kept_round = outcome.record["round"]
        tell(f"held-out points have gained nothing since round {kept_round}: back to it")
    return summarize(run, outcome, part, records, goes_back=goes_back)


def summarize(
    run: Run, outcome: Outcome, part: PartialRound, records: list[dict[str, Any]], *, goes_back: bool
) -> Competition:
    """What is kept of a competition whose last round, or the one that it goes back to, gave `part` and `outcome`."""
    winner, record = outcome.assignment.winner, outcome.record
    mixture = TrainedMixture.from_round(run.without_points(), outcome)
    labels = winner
    if mixture.discriminators is None:  # the winner of a round goes by a draw of the point's own
        labels = assign(mixture.log_scores(run.train)).winner
        mixture = replace(mixture, weights=np.bincount(labels, minlength=len(mixture.weights)) / len(labels))
    scores = part.log_ratios - outcome.normalizers
    empty = [j for j, count in enumerate(record["counts"]) if not count]
    spare = find_spare(scores, winner, find_runner_up(scores, winner), min_share=0.0)
    return Competition(
        mixture=mixture,
        labels=labels,
        records=records,
        lower_bound=bound_likelihood(run, outcome, part),
        converged=goes_back or (record["round"] > 0 and record["share_changed"] <= SETTLED),
        dead=[j for j in empty if len(outcome.state.cells[j])],
        given_up=sum(len(outcome.state.cells[j]) == 0 for j in empty),
        twins=[j for j in spare if j not in empty],
    )


def bound_likelihood(run: Run, outcome: Outcome, part: PartialRound) -> float:
    """A lower bound of the mean log-likelihood of the training points; see `CompetitiveMixture.lower_bound_`."""
    if outcome.record["objective"] is not None:
        return -outcome.record["objective"]
    if part.state.discriminators is not None:  # a component of no weight
        return -np.inf
    winner = torch.from_numpy(outcome.assignment.winner).long()
    own = part.log_ratios.double().gather(1, winner[:, None])[:, 0]
    bounds = own + torch.from_numpy(np.array(outcome.record["weights"])).log()[winner]
    return float(bounds.mean()) + run.log_volume


def resume(mixture: TrainedMixture, points: np.ndarray, record: dict[str, Any]) -> Outcome:
    """What the next round of an earlier competition starts from, for the same points or others.

    Args:
        mixture: of the earlier competition; it stays as it is.
        points: (n, *shape), as stored.
        record: of its last round.
    """
    winner = mixture.assign(points).astype(np.int16)
    cells = to_cells(winner, len(mixture.weights))
    components, discriminators = mixture.copy_networks()
    return Outcome(
        state=RoundState(components, discriminators, cells, []),
        assignment=Assignment(winner, np.zeros(len(winner), dtype=np.float32)),
        former=winner,
        samples=np.empty(0),
        record=record,
        normalizers=mixture.normalizers,
        prior=mixture.prior,
    )


def warn_of_idle_components(competition: Competition, points: np.ndarray, *, goes_on: bool) -> None:
    """Warn once of components that won nothing, or that model what another one models; once of those given up.

    Args:
        competition: played.
        points: (n, *shape), that it was played for.
        goes_on: whether it went on from an earlier one.
    """
    if competition.given_up:
        reason = explain_given_up(competition, points, goes_on)
        warnings.warn(f"CompetitiveMixture: components without points: {reason}", ConvergenceWarning, stacklevel=3)
    remedy = "lower n_components, raise n_rounds, or try another random_state or n_init"
    if points.ndim > 2:
        remedy += "; images may do better with representation='autoencoder'"
    found = []
    if competition.dead:
        found.append(f"components {competition.dead} won no point")
    if competition.twins:
        found.append(f"components {competition.twins} model points that another component models as well")
    if found:
        warnings.warn(f"CompetitiveMixture: {'; '.join(found)}: {remedy}", ConvergenceWarning, stacklevel=3)


def explain_given_up(competition: Competition, points: np.ndarray, goes_on: bool) -> str:
    """Why components have had no point from the first round on, and what a user may do; see the above."""
    k = len(competition.mixture.weights)
    left = k - competition.given_up
    if goes_on:
        return f"{left} of n_components = {k} went on with points; warm_start = False starts anew with all of them"
    distinct = len(np.unique(points, axis=0))
    if distinct < k:
        return f"X has {distinct} distinct {'point' if distinct == 1 else 'points'}, n_components = {k}"
    return (
        f"the start has {left} {'part' if left == 1 else 'parts'}, n_components = {k}; n_components_ counts what is "
        "left. Columns of different units want to be standardised before, skewed ones a log scale, and points far from "
        "all others to be left out. "
        f"If {k} parts are known to be there all the same, use init='kmeans' or a partition of your own"
    )


@contextmanager
def watch_rounds(first: int, last: int, verbose: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Give a function that is told each round's record: a bar on a terminal, a line elsewhere, or nothing."""
    if not verbose:
        yield lambda record: None
    elif sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=last - first + 1, unit="round") as bar:

            def advance(record: dict[str, Any]) -> None:
                bar.set_postfix_str(describe_round(record))
                bar.update()

            yield advance
    else:

        def tell_round(record: dict[str, Any]) -> None:
            tell(f"round {record['round']}/{last}: {describe_round(record)}")

        yield tell_round


def describe_round(record: dict[str, Any]) -> str:
    """A round's record in a few words."""
    objective = "" if record["objective"] is None else f", objective {record['objective']:.3f} nats"
    return f"{record['share_changed']:.1%} of the points changed{objective}"


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
