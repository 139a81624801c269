"""Made-up scores of a mixture and of its rivals, and claims about them."""

import csv

import numpy as np
import yaml

from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.claims.verdicts import assess_claims
from competitive_mixtures.report.summary import ROUND_COLUMNS, SUMMARY_COLUMNS

NOISE = np.random.default_rng(0).normal(size=10) * 0.1
BETTER = {
    "measure": {"experiment": "toy", "metric": "log_likelihood"},
    "against": {"model": "single", "protocol": "paper"},
    "above": 0,
}


def score(seed, value, model="competitive", protocol="-", metric="log_likelihood", experiment="toy"):
    """A row of summary.csv."""
    row = {"experiment": experiment, "seed": seed, "model": model, "protocol": protocol, "metric": metric}
    return row | {"split": "test", "value": value}


def pairs(gain, seeds=10):
    """Scores of a mixture that is better than one network by `gain` on average."""
    mixture = [score(seed, -4.0 + gain + NOISE[seed]) for seed in range(seeds)]
    return mixture + [score(seed, -4.0 + 0.2 * NOISE[-1 - seed], "single", "paper") for seed in range(seeds)]


def claim(*parts, seeds=5):
    """The content of a claims file with one claim."""
    words = {"claim": "It is better.", "source": "here", "criterion": "Above."}
    return {"C1": words | {"seeds": seeds, "parts": list(parts)}}


def assess(folder, claims, scores, rounds=()):
    """The rows of claims.csv for these claims and results."""
    (folder / "claims.yaml").write_text(yaml.safe_dump(claims))
    write_rows(folder / "summary.csv", SUMMARY_COLUMNS, scores)
    write_rows(folder / "rounds.csv", ROUND_COLUMNS, rounds)
    assess_claims(folder / "claims.yaml", folder, folder / "claims.csv")
    with (folder / "claims.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def verdict(folder, claims, scores, rounds=()):
    """The verdict on the only claim."""
    return assess(folder, claims, scores, rounds)[0]["verdict"]
