import csv
import math
from datetime import date

import numpy as np
import pytest
from claim_examples import BETTER, assess, claim, pairs, score, verdict
from scipy import stats

from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.claims.verdicts import decide
from competitive_mixtures.report.kept import KEPT_RUN_COLUMNS
from competitive_mixtures.report.summary import ROUND_COLUMNS


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


def test_an_interval_across_the_threshold_is_open(tmp_path):
    scores = [score(seed, -4.0 + (-1) ** seed) for seed in range(10)]
    scores += [score(seed, -4.0, "single", "paper") for seed in range(10)]
    row = assess(tmp_path, claim(BETTER), scores)[0]
    assert row["verdict"] == "open"
    assert "1 open" in row["evidence"]


def test_one_of_two_parts_is_partly(tmp_path):
    worse = BETTER | {"against": {"model": "bagging", "protocol": "paper"}}
    scores = pairs(gain=0.5) + [score(seed, 0.0, "bagging", "paper") for seed in range(10)]
    assert verdict(tmp_path, claim(BETTER, worse), scores) == "partly"


def test_a_part_that_was_not_run_leaves_it_incomplete(tmp_path):
    absent = BETTER | {"measure": {"experiment": "celeba", "metric": "fid"}}
    row = assess(tmp_path, claim(BETTER, absent), pairs(gain=0.5))[0]
    assert row["verdict"] == "incomplete"
    assert "no fid of celeba" in row["evidence"]


class TestTooLittleEvidence:
    def test_missing_seeds_make_the_verdict_preliminary(self, tmp_path):
        row = assess(tmp_path, claim(BETTER, seeds=10), pairs(gain=0.5, seeds=4))[0]
        assert (row["verdict"], row["preliminary"], row["n"]) == ("reproduced", "4 of 10 seeds finished on toy", "4")
        assert float(row["ci_low"]) > 0
        whole = assess(tmp_path, claim(BETTER, seeds=10), pairs(gain=0.5))[0]
        assert (whole["verdict"], whole["preliminary"]) == ("reproduced", "")

    def test_seeds_of_one_side_only_do_not_count(self, tmp_path):
        scores = [row for row in pairs(gain=0.5) if row["model"] != "single" or row["seed"] < 6]
        assert assess(tmp_path, claim(BETTER), scores)[0]["n"] == "6"
        assert assess(tmp_path, claim(BETTER, seeds=7), scores)[0]["preliminary"] == "6 of 7 seeds finished on toy"

    def test_one_seed_only(self, tmp_path):
        row = assess(tmp_path, claim(BETTER, seeds=2), pairs(gain=0.5, seeds=1))[0]
        assert (row["verdict"], row["preliminary"], row["n"], row["ci_low"]) == (
            "open",
            "1 of 2 seeds finished on toy",
            "1",
            "",
        )

    @pytest.mark.parametrize("value", [math.nan, "", "not run: no weights file", math.inf])
    def test_values_that_are_no_numbers(self, tmp_path, value):
        scores = pairs(gain=0.5, seeds=5)
        scores[3]["value"] = value
        row = assess(tmp_path, claim(BETTER), scores)[0]
        assert (row["verdict"], row["preliminary"]) == ("reproduced", "4 of 5 seeds finished on toy")
        assert "no number for seed 3" in row["evidence"]
        assert verdict(tmp_path, claim(BETTER, seeds=4), scores) == "reproduced"

    def test_it_says_which_part_lacks_the_seeds(self, tmp_path):
        """The side that lacks them, those that lack most first; a part that has all its seeds is not named."""
        there = {"experiment": "slow", "metric": "log_likelihood"}
        few = {"measure": there, "above": -9}
        pair = BETTER | {"measure": there, "against": {"experiment": "toy"}, "above": -9}
        scores = pairs(gain=0.5) + [score(seed, -4.0, experiment="slow") for seed in range(2)]
        assert (
            assess(tmp_path, claim(BETTER, few, seeds=10), scores)[0]["preliminary"] == "2 of 10 seeds finished on slow"
        )
        assert (
            assess(tmp_path, claim(BETTER, pair, seeds=10), scores)[0]["preliminary"]
            == "2 of 10 seeds finished on slow"
        )
        slower = {"measure": there | {"experiment": "slower"}, "above": -9}
        scores.append(score(0, -4.0, experiment="slower"))
        row = assess(tmp_path, claim(BETTER, few, slower, seeds=10), scores)[0]
        assert row["preliminary"] == "1 of 10 seeds finished on slower, 2 of 10 on slow"

    def test_many_experiments_that_lack_seeds_are_counted(self, tmp_path):
        names = [f"toy-{number}" for number in range(5)]
        parts = [{"measure": {"experiment": name, "metric": "log_likelihood"}, "above": -9} for name in names]
        scores = pairs(gain=0.5) + [score(seed, -4.0, experiment=name) for name in names for seed in range(2)]
        row = assess(tmp_path, claim(BETTER, *parts, seeds=10), scores)[0]
        assert row["preliminary"] == "2 of 10 seeds finished on toy-0, toy-1, toy-2 and 2 others"
        assert (
            assess(tmp_path, claim(*parts, seeds=10), scores)[0]["preliminary"] == "2 of 10 seeds finished throughout"
        )

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


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (["holds", "holds"], "reproduced"),
        (["holds", "fails"], "partly"),
        (["holds", "fails", "not run"], "partly"),
        (["fails", "open"], "not reproduced"),
        (["fails", "not run"], "not reproduced"),
        (["holds", "open"], "open"),
        (["open", "not run"], "open"),
        (["holds", "not run"], "incomplete"),
        (["not run", "not run"], "not run"),
    ],
)
def test_only_a_part_that_fails_speaks_against_a_claim(outcomes, verdict):
    assert decide(outcomes) == decide(outcomes[::-1]) == verdict


EVERY = {"measure": {"experiment": "toy", "metric": "purity"}, "at_least": 0.9, "every": True}


class TestEveryRun:
    def test_one_run_below_is_enough_to_fail(self, tmp_path):
        scores = [score(seed, 1.0, metric="purity") for seed in range(9)] + [score(9, 0.8, metric="purity")]
        row = assess(tmp_path, claim(EVERY, seeds=10), scores)[0]
        low, high = stats.binomtest(9, 10).proportion_ci(0.95, "exact")
        assert (row["verdict"], row["unit"], row["p"]) == ("not reproduced", "of the runs", "")
        assert [float(row[name]) for name in ("effect", "ci_low", "ci_high")] == pytest.approx([0.9, low, high])

    def test_further_seeds_count(self, tmp_path):
        scores = [score(seed, 0.9, metric="purity") for seed in range(10)]
        assert verdict(tmp_path, claim(EVERY, seeds=10), scores) == "reproduced"
        scores.append(score(10, 0.5, metric="purity"))
        row = assess(tmp_path, claim(EVERY, seeds=20), scores)[0]
        assert (row["verdict"], row["n"], row["preliminary"]) == (
            "not reproduced",
            "11",
            "11 of 20 seeds finished on toy",
        )

    def test_a_missing_run_leaves_it_open(self, tmp_path):
        """What all runs at hand do says nothing of the others; one that fails has decided, whatever the others do."""
        scores = [score(seed, 0.9, metric="purity") for seed in range(2)]
        row = assess(tmp_path, claim(EVERY, seeds=3), scores)[0]
        assert (row["verdict"], row["preliminary"]) == ("open", "2 of 3 seeds finished on toy")
        assert verdict(tmp_path, claim(EVERY, seeds=3), [score(0, 0.5, metric="purity")]) == "not reproduced"

    @pytest.mark.parametrize(
        ("values", "finished", "expected"),
        [
            ((0.9, 0.9, 0.5), ("yes", "yes", "no"), "open"),
            ((0.9, 0.9, 0.9), ("yes", "yes", "no"), "open"),
            ((0.9, 0.5, 0.9), ("yes", "yes", "no"), "not reproduced"),
            ((0.9, 0.9, 0.9), ("yes", "yes", "yes"), "reproduced"),
        ],
    )
    def test_a_run_that_is_not_finished_decides_nothing(self, tmp_path, values, finished, expected):
        kept = [dict.fromkeys(KEPT_RUN_COLUMNS, "1") | {"experiment": "toy", "seed": s, "finished": f}
                for s, f in enumerate(finished)]  # fmt: skip
        write_rows(tmp_path / "kept_runs.csv", KEPT_RUN_COLUMNS, kept)
        scores = [score(seed, value, metric="purity") for seed, value in enumerate(values)]
        row = assess(tmp_path, claim(EVERY, seeds=3), scores)[0]
        assert row["verdict"] == expected
        assert ("not finished: seed 2" in row["evidence"]) == ("no" in finished)
        assert row["preliminary"] == ("2 of 3 seeds finished on toy" if "no" in finished else "")


def test_one_metric_less_another(tmp_path):
    part = {"measure": {"experiment": "toy", "metric": "purity", "less": "accuracy"}, "above": 0.3}
    scores = [score(seed, 0.9, metric="purity") for seed in range(5)]
    scores += [score(seed, 0.5, metric="accuracy") for seed in range(5)]
    row = assess(tmp_path, claim(part), scores)[0]
    assert (row["verdict"], float(row["effect"])) == ("reproduced", pytest.approx(0.4))
    assert row["deciding"] == "purity less accuracy, toy > 0.3"


def test_an_amended_claim_is_assessed_by_both_criteria(tmp_path):
    amended = claim(BETTER | {"above": 1.0})
    former = {"criterion": "Above.", "seeds": 5, "parts": [BETTER]}
    amended["C1"]["before"] = former | {"date": date(2026, 11, 25), "why": "It was too easy."}
    row = assess(tmp_path, amended, pairs(gain=0.5))[0]
    assert (row["verdict"], row["verdict_before"], row["amended"]) == ("not reproduced", "reproduced", "2026-11-25")
    assert row["preliminary_before"] == ""
    few = assess(tmp_path, amended, pairs(gain=0.5, seeds=4))[0]
    assert (few["verdict_before"], few["preliminary_before"]) == ("reproduced", "4 of 5 seeds finished on toy")
    with (tmp_path / "claim_parts.csv").open(newline="") as file:
        assert [row["criterion"] for row in csv.DictReader(file)] == ["now", "before"]


def test_a_claim_that_was_amended_twice_is_assessed_by_all_three(tmp_path):
    amended = claim(BETTER)
    first = {
        "criterion": "Above.",
        "seeds": 5,
        "parts": [BETTER],
        "date": date(2026, 11, 24),
        "why": "It was too easy.",
    }
    second = first | {
        "parts": [BETTER | {"above": 1.0}],
        "date": date(2026, 11, 25),
        "why": "Too hard.",
        "before": first,
    }
    amended["C1"]["before"] = second
    row = assess(tmp_path, amended, pairs(gain=0.5))[0]
    assert row["verdict_before"] == "not reproduced; reproduced"
    assert row["amended"] == "2026-11-25; 2026-11-24"
    assert row["reasons"] == "Too hard. | It was too easy."


def test_what_a_verdict_speaks_of_has_the_effects_of_former_criteria(tmp_path):
    """A criterion that judges seconds no more says how many there were: the span over the parts by that metric."""
    limited = claim(BETTER)
    limited["C1"]["scope"] = "in nats; in seconds {train_time_s} times as long, {fid} in FID"
    slow = BETTER | {"compare": "ratio", "above": 1}
    parts = [slow | {"measure": {"experiment": name, "metric": "train_time_s"}} for name in ("toy", "other")]
    former = {
        "criterion": "Faster.",
        "seeds": 5,
        "parts": parts,
        "date": date(2026, 11, 25),
        "why": "It shared a machine.",
    }
    limited["C1"]["before"] = former
    seconds = [
        score(seed, value * factor, *model, metric="train_time_s", experiment=name)
        for name, times in (("toy", 2), ("other", 3))
        for seed, value in enumerate([10.0, 12.0, 11.0, 13.0, 9.0])
        for factor, model in ((times, ()), (1, ("single", "paper")))
    ]
    row = assess(tmp_path, limited, pairs(gain=0.5) + seconds)[0]
    assert row["scope"] == "in nats; in seconds 2.00 to 3.00 times as long, not run in FID"
    assert assess(tmp_path, claim(BETTER), pairs(gain=0.5))[0]["scope"] == ""


THERE = {  # the criterion of a claim at the authors' settings
    "criterion": "Above there.",
    "seeds": 3,
    "parts": [{"measure": {"experiment": "toy-paper", "metric": "log_likelihood"}, "above": 0}],
    "date": date(2026, 11, 26),
    "known": "Nothing.",
    "differing": "It depends on the settings.",
}


def test_the_authors_settings_have_a_verdict_of_their_own(tmp_path):
    """Neither changes the other, and a claim without a criterion there has none."""
    judged = claim(BETTER)
    judged["C1"]["authors"] = THERE
    scores = pairs(gain=0.5) + [score(seed, -1.0 - 0.1 * seed, experiment="toy-paper") for seed in range(2)]
    row = assess(tmp_path, judged, scores)[0]
    assert (row["verdict"], row["authors_verdict"]) == ("reproduced", "not reproduced")
    assert (row["authors_preliminary"], row["authors_evidence"]) == (
        "2 of 3 seeds finished on toy-paper",
        "1 parts: 1 fails",
    )
    assert (row["differing"], row["authors_known"]) == ("It depends on the settings.", "Nothing.")
    assert row["authors_verdict_before"] == row["authors_amended"] == ""
    with (tmp_path / "claim_parts.csv").open(newline="") as file:
        assert [row["criterion"] for row in csv.DictReader(file)] == ["now", "authors"]
    assert assess(tmp_path, claim(BETTER), scores)[0]["authors_verdict"] == ""


def test_an_amended_criterion_at_the_authors_settings_keeps_the_verdict_by_the_former(tmp_path):
    judged = claim(BETTER)
    former = {name: THERE[name] for name in ("criterion", "seeds", "parts")}
    judged["C1"]["authors"] = THERE | {
        "parts": [THERE["parts"][0] | {"above": -2}],
        "before": former | {"date": date(2026, 11, 29), "why": "It asked for too much."},
    }
    scores = pairs(gain=0.5) + [score(seed, -1.0 - 0.1 * seed, experiment="toy-paper") for seed in range(3)]
    row = assess(tmp_path, judged, scores)[0]
    assert (row["authors_verdict"], row["authors_verdict_before"]) == ("reproduced", "not reproduced")
    assert (row["authors_amended"], row["authors_reasons"]) == ("2026-11-29", "It asked for too much.")
    assert (row["verdict_before"], row["amended"]) == ("", "")
    with (tmp_path / "claim_parts.csv").open(newline="") as file:
        assert [row["criterion"] for row in csv.DictReader(file)] == ["now", "authors", "authors before"]


def test_every_run_is_shown(tmp_path):
    assess(tmp_path, claim(BETTER), pairs(gain=0.5))
    with (tmp_path / "claim_parts.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["part"] == "log-likelihood, toy: mixture − one network (paper's protocol) > 0"
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


def test_a_printed_interval_ends_where_the_metric_does(tmp_path):
    """The outcome rests on Student's interval, which may reach beyond."""
    part = {"measure": {"experiment": "toy", "metric": "purity"}, "at_least": 0.5}
    scores = [score(seed, value, metric="purity") for seed, value in enumerate((1.0, 0.9, 0.98, 1.0, 0.8))]
    row = assess(tmp_path, claim(part), scores)[0]
    low, high = stats.ttest_1samp([1.0, 0.9, 0.98, 1.0, 0.8], 0).confidence_interval(0.95)
    assert high > 1
    assert [float(row[name]) for name in ("ci_low", "ci_high")] == pytest.approx([low, 1.0])


def test_a_relapse_is_a_share_of_the_curves_range(tmp_path):
    part = {"measure": {"experiment": "toy", "metric": "objective", "at": "relapse"}, "at_most": 0.1}
    rounds = [
        dict.fromkeys(ROUND_COLUMNS, "") | {"experiment": "toy", "seed": seed, "round": t, "objective": value}
        for seed in range(5)
        for t, value in enumerate((2.0, 0.0, 0.5 * (seed == 0), 0.0))
    ]
    row = assess(tmp_path, claim(part), [], rounds)[0]
    assert (row["unit"], float(row["effect"]), float(row["ci_low"])) == ("of the range", pytest.approx(0.05), 0.0)
