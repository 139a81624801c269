import csv
import math

import numpy as np
import pytest
from claim_examples import BETTER, assess, claim, pairs, score, verdict
from scipy import stats

from competitive_mixtures.report.claims.verdicts import decide


def test_a_clear_gain_is_reproduced(tmp_path):
    row = assess(tmp_path, claim(BETTER), pairs(gain=0.5))[0]
    scores = pairs(gain=0.5)
    effects = [scores[seed]["value"] - scores[10 + seed]["value"] for seed in range(10)]
    assert row["verdict"] == "reproduced"
    assert float(row["effect"]) == pytest.approx(np.mean(effects))
    assert float(row["ci_low"]) > 0
    assert row["n"] == "10"


def test_a_reversed_effect_is_not_reproduced(tmp_path):
    row = assess(tmp_path, claim(BETTER), pairs(gain=-0.5))[0]
    assert row["verdict"] == "not reproduced"
    assert float(row["ci_high"]) < 0
    assert "1 fails" in row["evidence"]


def test_an_interval_across_the_threshold_is_open_and_not_reproduced(tmp_path):
    scores = [score(seed, -4.0 + (-1) ** seed) for seed in range(10)]
    scores += [score(seed, -4.0, "single", "paper") for seed in range(10)]
    row = assess(tmp_path, claim(BETTER), scores)[0]
    assert row["verdict"] == "not reproduced"
    assert "1 open" in row["evidence"]


def test_one_of_two_parts_is_partly(tmp_path):
    worse = BETTER | {"against": {"model": "bagging", "protocol": "paper"}}
    scores = pairs(gain=0.5) + [score(seed, 0.0, "bagging", "paper") for seed in range(10)]
    assert verdict(tmp_path, claim(BETTER, worse), scores) == "partly"


def test_a_part_that_was_not_run_leaves_it_partly(tmp_path):
    absent = BETTER | {"measure": {"experiment": "celeba", "metric": "fid"}}
    row = assess(tmp_path, claim(BETTER, absent), pairs(gain=0.5))[0]
    assert row["verdict"] == "partly"
    assert "no fid of celeba" in row["evidence"]


class TestTooLittleEvidence:
    def test_missing_seeds(self, tmp_path):
        row = assess(tmp_path, claim(BETTER, seeds=10), pairs(gain=0.5, seeds=4))[0]
        assert row["verdict"] == "not run"
        assert "4 of the 10 seeds" in row["evidence"]
        assert float(row["effect"]) > 0  # shown, but nothing rests on it

    def test_seeds_of_one_side_only_do_not_count(self, tmp_path):
        scores = [row for row in pairs(gain=0.5) if row["model"] != "single" or row["seed"] < 6]
        assert assess(tmp_path, claim(BETTER), scores)[0]["n"] == "6"
        assert verdict(tmp_path, claim(BETTER, seeds=7), scores) == "not run"

    def test_one_seed_only(self, tmp_path):
        row = assess(tmp_path, claim(BETTER, seeds=2), pairs(gain=0.5, seeds=1))[0]
        assert (row["verdict"], row["n"], row["ci_low"]) == ("not run", "1", "")

    @pytest.mark.parametrize("value", [math.nan, "", "not run: no weights file", math.inf])
    def test_values_that_are_no_numbers(self, tmp_path, value):
        scores = pairs(gain=0.5, seeds=5)
        scores[3]["value"] = value
        row = assess(tmp_path, claim(BETTER), scores)[0]
        assert row["verdict"] == "not run"
        assert "no number for seed 3" in row["evidence"]
        assert verdict(tmp_path, claim(BETTER, seeds=4), scores) == "reproduced"

    def test_nothing_at_all(self, tmp_path):
        row = assess(tmp_path, claim(BETTER), [])[0]
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
        row = assess(tmp_path, claim(part), pairs(gain=0.5))[0]
        assert row["verdict"] == "reproduced"  # -3.5 / -4
        assert float(row["effect"]) == pytest.approx(3.5 / 4, rel=0.05)


def test_verdicts():
    assert decide(["holds", "holds"]) == "reproduced"
    assert decide(["holds", "fails"]) == decide(["holds", "open"]) == decide(["holds", "not run"]) == "partly"
    assert decide(["fails", "open"]) == decide(["fails", "not run"]) == "not reproduced"
    assert decide(["not run"]) == "not run"


def test_every_run_is_shown(tmp_path):
    assess(tmp_path, claim(BETTER), pairs(gain=0.5))
    with (tmp_path / "claim_parts.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["part"] == "log_likelihood toy: competitive − single (paper) above 0"
    values = [float(pair.split(":")[1]) for pair in row["values"].split()]
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert len(values) == 10
    assert (float(row["ci_low"]), float(row["ci_high"])) == pytest.approx(
        (low, high), rel=1e-12
    )  # from what is published
    assert float(row["p"]) == 2**-9  # all ten differences are positive


def test_the_same_evidence_gives_the_same_bytes(tmp_path):
    assess(tmp_path, claim(BETTER), pairs(gain=0.5))
    first = (tmp_path / "claims.csv").read_bytes()
    assess(tmp_path, claim(BETTER), pairs(gain=0.5)[::-1])
    assert (tmp_path / "claims.csv").read_bytes() == first


def test_a_changed_criterion_changes_the_verdict(tmp_path):
    assert verdict(tmp_path, claim(BETTER), pairs(gain=0.5)) == "reproduced"
    assert verdict(tmp_path, claim(BETTER | {"above": 1.0}), pairs(gain=0.5)) == "not reproduced"
