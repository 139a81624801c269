"""Fair rivals: a baseline's learning rate and number of steps are chosen by points that it does not train on.

Test points choose nothing. The competition is not tuned: its settings are the experiment's.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from competitive_mixtures.errors import TrainingDivergedError, UserError
from competitive_mixtures.evaluation.likelihood import score_samples
from competitive_mixtures.method.baseline_training import train_in_stages
from competitive_mixtures.method.batches import thin_out
from competitive_mixtures.method.early_stopping import choose_held_out
from competitive_mixtures.method.run import Run
from competitive_mixtures.settings import schema

NUM_SCORED = {"vector": 2000, "image": 5000}  # held-out points that a model is scored on
OPTIMIZERS = ("optimizer", "critic_optimizer")

Score = Callable[[np.ndarray], float]  # of a model's samples as the data are stored; higher is better


@dataclass
class Choice:
    """The best of all looks so far that a protocol allows.

    Attributes:
        score: of held-out points; -inf before any look.
        record: the learning rate's factor, the steps and what they cost.
        weights: of the networks.
    """

    score: float = -np.inf
    record: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)


def choose_weights(
    run: Run,
    name: str,
    cells: Sequence[Tensor],
    steps: dict[str, int],
    alpha: Sequence[float],
    classifier: Path | None,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Train a baseline at every learning rate, look at it on the way, and keep the best weights for each protocol.

    Args:
        run: of the baseline, with `tuning`.
        name: of the baseline.
        cells: of each model, the positions of its points, int64.
        steps: of each protocol, at most.
        alpha: (k,), mixture weights.
        classifier: weights of the data set's classifier, which images are scored by.

    Returns:
        The weights and the record of each protocol, as `baselines.train_to_the_end` gives them; the record says which
        rate and step won, and what all looks gave.

    Raises:
        UserError: images without a classifier, or a training that diverges at every rate before the first look.
    """
    settings, total = run.experiment.tuning, run.experiment.evaluation.num_drawn
    assert settings is not None
    held_out = choose_held_out(len(run.train), settings.held_out, (run.seed, "tuning"))
    assert held_out is not None
    score = build_score(run, held_out, classifier)
    own = [cell[~held_out[cell]] for cell in cells]
    places = [max(1, end * look // settings.looks) for end in steps.values() for look in range(1, settings.looks + 1)]
    choices = {protocol: Choice() for protocol in steps}
    looks: list[dict[str, float]] = []
    for rate in settings.rates:
        scaled = run.with_experiment(scale_rates(run.experiment, rate))
        with suppress(TrainingDivergedError):  # at this rate: the looks before it count
            for components, record in train_in_stages(scaled, name, own, places):
                samples, _ = run.draw_mixture(components, alpha, total, "tuning", name, rate, record["num_steps"])
                look = {"rate": rate, "num_steps": record["num_steps"], "score": score(samples)}
                looks.append(look)
                for protocol, choice in choices.items():
                    if look["num_steps"] <= steps[protocol] and look["score"] > choice.score:
                        weights = {key: tensor.clone() for key, tensor in components.weights().items()}
                        choices[protocol] = Choice(look["score"], record | {"rate": rate}, weights)
        for phase, seconds in scaled.clock.seconds.items():
            run.clock.seconds[phase] = run.clock.seconds.get(phase, 0.0) + seconds
    if not all(choice.weights for choice in choices.values()):
        raise UserError(f"tuning.rates: {name} diverged at each of {settings.rates} before its first look; lower them")
    tensors = {f"{p}.{key}": t for p, choice in choices.items() for key, t in choice.weights.items()}
    return tensors, {
        p: choice.record | describe_choice(choice, [look for look in looks if look["num_steps"] <= steps[p]])
        for p, choice in choices.items()
    }


def describe_choice(choice: Choice, looks: Sequence[dict[str, float]]) -> dict[str, Any]:
    """What a protocol's choice gains over all steps at the components' own learning rate, and every look."""
    untuned = [look["score"] for look in looks if look["rate"] == 1.0]
    gain = choice.score - untuned[-1] if untuned else None
    return {"held_out_score": choice.score, "held_out_gain": gain, "looks": list(looks)}


def scale_rates(experiment: schema.Experiment, factor: float) -> schema.Experiment:
    """The experiment with the learning rates of all components multiplied by a factor."""
    components = []
    for component in experiment.components:
        optimizers = {key: getattr(component, key) for key in OPTIMIZERS if hasattr(component, key)}
        scaled = {
            key: optimizer.model_copy(update={"learning_rate": factor * optimizer.learning_rate})
            for key, optimizer in optimizers.items()
        }
        components.append(component.model_copy(update=scaled))
    return experiment.model_copy(update={"components": components})


def build_score(run: Run, held_out: Tensor, classifier: Path | None) -> Score:
    """How samples are scored by held-out points, in the data's own units: the higher the better.

    Raises:
        UserError: images without a classifier.
    """
    kind = "image" if run.gives_images else "vector"
    points = np.asarray(run.dataset.train)[thin_out(np.flatnonzero(held_out.numpy()), NUM_SCORED[kind])]
    if kind == "vector":
        size = run.experiment.evaluation.num_samples
        return lambda samples: score_samples(samples[:size], samples[size:], points).log_likelihood
    if classifier is None or run.autoencoder is not None:
        raise UserError("tuning: expected vectors, or images with labels and no representation; use null")
    from competitive_mixtures.evaluation.classifier import extract_features, load_classifier
    from competitive_mixtures.evaluation.frechet import frechet_distance

    network = load_classifier(classifier)
    features = extract_features(network, points)
    return lambda samples: -frechet_distance(extract_features(network, samples[: len(points)]), features)
