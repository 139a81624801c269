import csv
import math

import numpy as np
import pytest
import yaml
from fakes import ROOT

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.claims import judge_claims
from competitive_mixtures.report.claims.criteria import read_claims
from competitive_mixtures.report.claims.evidence import reduce_curve
from competitive_mixtures.report.claims.verdicts import decide
from competitive_mixtures.report.summary import ROUND_COLUMNS, SUMMARY_COLUMNS, write_rows

NOISE = np.random.default_rng(0).normal(size=10) * 0.1


def score(seed, value, model="competitive", protocol="-", metric="log_likelihood", experiment="toy"):
    row = {"experiment": experiment, "seed": seed, "model": model, "protocol": protocol, "metric": metric}
    return row | {"split": "test", "value": value}


def pairs(gain, seeds=10):
    """Scores of a mixture that is better than one network by `gain` on average."""
    mixture = [score(seed, -4.0 + gain + NOISE[seed]) for seed in range(seeds)]
    return mixture + [score(seed, -4.0 + 0.2 * NOISE[-1 - seed], "single", "paper") for seed in range(seeds)]


BETTER = {
    "measure": {"experiment": "toy", "metric": "log_likelihood"},
    "against": {"model": "single", "protocol": "paper"},
    "above": 0,
}


def claim(*parts, seeds=5):
    words = {"claim": "It is better.", "source": "here", "criterion": "Above."}
    return {"C1": words | {"seeds": seeds, "parts": list(parts)}}


def judge(folder, claims, scores, rounds=()):
    (folder / "claims.yaml").write_text(yaml.safe_dump(claims))
    write_rows(folder / "summary.csv", SUMMARY_COLUMNS, scores)
    write_rows(folder / "rounds.csv", ROUND_COLUMNS, rounds)
    judge_claims(folder / "claims.yaml", folder, folder / "claims.csv")
    with (folder / "claims.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def verdict(folder, claims, scores, rounds=()):
    return judge(folder, claims, scores, rounds)[0]["verdict"]


def test_a_clear_gain_is_reproduced(tmp_path):
    row = judge(tmp_path, claim(BETTER), pairs(gain=0.5))[0]
    scores = pairs(gain=0.5)
    effects = [scores[seed]["value"] - scores[10 + seed]["value"] for seed in range(10)]
    assert row["verdict"] == "reproduced"
    assert float(row["effect"]) == pytest.approx(np.mean(effects))
    assert float(row["ci_low"]) > 0
    assert row["n"] == "10"


def test_a_reversed_effect_is_not_reproduced(tmp_path):
    row = judge(tmp_path, claim(BETTER), pairs(gain=-0.5))[0]
    assert row["verdict"] == "not reproduced"
    assert float(row["ci_high"]) < 0
    assert "1 fails" in row["evidence"]


def test_an_interval_across_the_threshold_is_open_and_not_reproduced(tmp_path):
    scores = [score(seed, -4.0 + (-1) ** seed) for seed in range(10)]
    scores += [score(seed, -4.0, "single", "paper") for seed in range(10)]
    row = judge(tmp_path, claim(BETTER), scores)[0]
    assert row["verdict"] == "not reproduced"
    assert "1 open" in row["evidence"]


def test_one_of_two_parts_is_partly(tmp_path):
    worse = BETTER | {"against": {"model": "bagging", "protocol": "paper"}}
    scores = pairs(gain=0.5) + [score(seed, 0.0, "bagging", "paper") for seed in range(10)]
    assert verdict(tmp_path, claim(BETTER, worse), scores) == "partly"


def test_a_part_that_was_not_run_leaves_it_partly(tmp_path):
    absent = BETTER | {"measure": {"experiment": "celeba", "metric": "fid"}}
    row = judge(tmp_path, claim(BETTER, absent), pairs(gain=0.5))[0]
    assert row["verdict"] == "partly"
    assert "no fid of celeba" in row["evidence"]


class TestTooLittleEvidence:
    def test_missing_seeds(self, tmp_path):
        row = judge(tmp_path, claim(BETTER, seeds=10), pairs(gain=0.5, seeds=4))[0]
        assert row["verdict"] == "not run"
        assert "4 of the 10 seeds" in row["evidence"]
        assert float(row["effect"]) > 0  # shown, but nothing rests on it

    def test_seeds_of_one_side_only_do_not_count(self, tmp_path):
        scores = [row for row in pairs(gain=0.5) if row["model"] != "single" or row["seed"] < 6]
        assert judge(tmp_path, claim(BETTER), scores)[0]["n"] == "6"
        assert verdict(tmp_path, claim(BETTER, seeds=7), scores) == "not run"

    def test_one_seed_only(self, tmp_path):
        row = judge(tmp_path, claim(BETTER, seeds=2), pairs(gain=0.5, seeds=1))[0]
        assert (row["verdict"], row["n"], row["ci_low"]) == ("not run", "1", "")

    @pytest.mark.parametrize("value", [math.nan, "", "not run: no weights file", math.inf])
    def test_values_that_are_no_numbers(self, tmp_path, value):
        scores = pairs(gain=0.5, seeds=5)
        scores[3]["value"] = value
        row = judge(tmp_path, claim(BETTER), scores)[0]
        assert row["verdict"] == "not run"
        assert "no number for seed 3" in row["evidence"]
        assert verdict(tmp_path, claim(BETTER, seeds=4), scores) == "reproduced"

    def test_nothing_at_all(self, tmp_path):
        row = judge(tmp_path, claim(BETTER), [])[0]
        assert (row["verdict"], row["effect"], row["n"]) == ("not run", "", "0")


class TestThresholds:
    SAME = tuple(score(seed, 0.9, metric="purity") for seed in range(5))

    @pytest.mark.parametrize(
        ("threshold", "expected"),
        [
            ({"at_least": 0.9}, "reproduced"),
            ({"above": 0.9}, "not reproduced"),
            ({"at_most": 0.9}, "reproduced"),
            ({"below": 0.9}, "not reproduced"),
            ({"below": 0.91}, "reproduced"),
            ({"at_least": 0.95}, "not reproduced"),
        ],
    )
    def test_equal_runs_at_the_threshold(self, tmp_path, threshold, expected):
        part = {"measure": {"experiment": "toy", "metric": "purity"}, **threshold}
        assert verdict(tmp_path, claim(part), self.SAME) == expected

    def test_ratio(self, tmp_path):
        part = BETTER | {"compare": "ratio", "below": 1.0}
        del part["above"]
        row = judge(tmp_path, claim(part), pairs(gain=0.5))[0]
        assert row["verdict"] == "reproduced"  # -3.5 / -4
        assert float(row["effect"]) == pytest.approx(3.5 / 4, rel=0.05)


class TestCurves:
    @staticmethod
    def rounds(curves, metric="objective"):
        return [
            {"experiment": "toy", "seed": seed, "round": number, metric: value}
            for seed, curve in enumerate(curves)
            for number, value in enumerate(curve)
        ]

    def test_last_against_first(self, tmp_path):
        part = {"measure": {"experiment": "toy", "metric": "objective", "at": "last"}, "against": {"at": "first"}}
        falling = [[1.0, 0.6, 0.2 + 0.1 * noise] for noise in NOISE]
        assert verdict(tmp_path, claim(part | {"below": 0}), [], self.rounds(falling)) == "reproduced"
        rising = [curve[::-1] for curve in falling]
        assert verdict(tmp_path, claim(part | {"below": 0}), [], self.rounds(rising)) == "not reproduced"

    def test_a_curve_that_lacks_values_decides_nothing(self, tmp_path):
        part = {"measure": {"experiment": "toy", "metric": "purity", "at": "last"}, "at_least": 0.5}
        assert verdict(tmp_path, claim(part), [], self.rounds([[1.0, 0.5]] * 5)) == "not run"

    @pytest.mark.parametrize(
        ("curve", "relapse"),
        [([3, 2, 1], 0), ([1, 2, 3], 1), ([4, 1, 2, 0], 0.25), ([2, 2], 0), ([5], 0), ([1, math.nan], math.nan)],
    )
    def test_relapse(self, curve, relapse):
        assert reduce_curve(curve, "relapse") == pytest.approx(relapse, nan_ok=True)


def test_verdicts():
    assert decide(["holds", "holds"]) == "reproduced"
    assert decide(["holds", "fails"]) == decide(["holds", "open"]) == decide(["holds", "not run"]) == "partly"
    assert decide(["fails", "open"]) == decide(["fails", "not run"]) == "not reproduced"
    assert decide(["not run"]) == "not run"


def test_every_run_is_shown(tmp_path):
    judge(tmp_path, claim(BETTER), pairs(gain=0.5))
    with (tmp_path / "claim_parts.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["part"] == "log_likelihood toy: competitive − single (paper) above 0"
    assert len(row["values"].split()) == 10


def test_the_same_evidence_gives_the_same_bytes(tmp_path):
    judge(tmp_path, claim(BETTER), pairs(gain=0.5))
    first = (tmp_path / "claims.csv").read_bytes()
    judge(tmp_path, claim(BETTER), pairs(gain=0.5)[::-1])
    assert (tmp_path / "claims.csv").read_bytes() == first


def test_a_changed_criterion_changes_the_verdict(tmp_path):
    assert verdict(tmp_path, claim(BETTER), pairs(gain=0.5)) == "reproduced"
    assert verdict(tmp_path, claim(BETTER | {"above": 1.0}), pairs(gain=0.5)) == "not reproduced"


def test_lists_are_one_part_an_entry(tmp_path):
    listed = BETTER | {"against": {"model": ["single", "bagging"], "protocol": ["paper", "equal_compute"]}}
    judge(tmp_path, claim(listed), [])
    assert len(read_claims(tmp_path / "claims.yaml")[0].parts) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"above": None}, "expected one of above"),
        ({"below": 1}, "found 2 thresholds"),
        ({"seeds": 1}, "greater than or equal to 2"),
        ({"measure": {"experiment": "toy"}}, "measure.metric"),
        ({"treshold": 1}, "treshold"),
        ({"measure": 3}, "measure"),
    ],
)
def test_malformed_parts_are_refused_by_name(tmp_path, change, message):
    part = {name: value for name, value in (BETTER | change).items() if value is not None}
    with pytest.raises(UserError, match=message) as error:
        judge(tmp_path, claim(part), [])
    assert "C1" in str(error.value)


def test_the_projects_criteria_are_well_formed():
    claims = read_claims(ROOT / "paper/claims.yaml")
    assert [claim.id for claim in claims] == [*(f"C{number}" for number in range(1, 11)), "R1", "R2"]
    for part in (part for claim in claims for part in claim.parts):
        wanted = 10 if part.measure.experiment.startswith("synthetic") else 5
        assert part.seeds >= wanted
