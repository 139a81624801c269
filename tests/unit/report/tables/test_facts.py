"""Numbers of sentences, and gains on baselines: computed from the tables, by other means here."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from fakes import ROOT, make_plan
from scipy import stats

from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.tables.facts import collect_facts
from competitive_mixtures.report.tables.gains import gain_rows

VERDICT = ROOT / "paper/verdict"
DIGITS = re.compile(r"(?<![\w.#@])\d[\d.,]*(?= ?(?:%|nats|epochs|times))")
WORDS = re.compile(r"\b(?:twentieth|sixtieth|(?:two|three|eight|ten|hundred) times (?:as|the)|half of the work)\b")


def read(name):
    with (VERDICT / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_gain_is_paired_by_seed(project):
    plan = make_plan()
    scores = Scores(project, plan)
    rows = {(row["group"], row["model"], row["protocol"]): row for row in gain_rows(scores, plan)}
    row = rows["synthetic-3", "single", "equal_compute"]
    mixture = scores.values("synthetic-3", "competitive", "-", "log_likelihood")
    single = scores.values("synthetic-3", "single", "equal_compute", "log_likelihood")
    effects = np.array([mixture[seed] - single[seed] for seed in sorted(mixture)])
    low, high = stats.ttest_1samp(effects, 0).confidence_interval(0.95)
    assert (row["difference"], row["n"]) == (pytest.approx(effects.mean()), len(effects))
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low), pytest.approx(high))


def test_gains_in_the_papers_protocol_are_those_that_decide_c2():
    gains = {(row["group"], row["model"]): row for row in read("gains.csv") if row["method"] == "plain"
             and row["protocol"] == "paper" and row["model"] in ("single", "single_wide", "bagging")}  # fmt: skip
    parts = sorted(float(row["effect"]) for row in read("claim_parts.csv") if row["id"] == "C2")
    kept = [float(gains[key]["difference"]) for key in gains if re.fullmatch(r"synthetic-\d", key[0])]
    assert sorted(kept) == pytest.approx(parts)


def test_sizes_are_ratios_of_settings_and_of_samples(project):
    plan = make_plan()
    base = plan[0]
    ours, theirs = ({"training": {"batch_size": b, "steps_per_round": n}} for b, n in ((256, 200), (32, 5000)))
    plan[0] = replace(base, settings=base.settings | ours)
    plan[4] = replace(plan[4], settings=plan[4].settings | theirs)
    facts = collect_facts(ROOT, Scores(project, plan), plan, [], [])
    assert (facts["times_larger_batches"], facts["times_more_steps"]) == ("8", "25")
    assert facts["half_samples"] == facts["kmeans_ahead_of_plain"] == "not run"


def test_only_a_whole_interval_puts_a_rival_ahead(project):
    row = {"method": "plain", "model": "kmeans", "protocol": "equal_compute", "metric": "log_likelihood"}
    gains = [
        row | {"group": "a", "ci_low": -2.0, "ci_high": -1.0},
        row | {"group": "b", "ci_low": -2.0, "ci_high": 1.0},
    ]
    gains.append(row | {"group": "mnist", "metric": "frechet_classifier", "ci_low": 1.0, "ci_high": 2.0})
    facts = collect_facts(ROOT, Scores(project, make_plan()), make_plan(), gains, [])
    assert (facts["kmeans_ahead_of_plain"], facts["kmeans_ahead_of_plain_names"]) == ("1 of 2", "`a`")
    assert facts["kmeans_ahead_of_plain_on_mnist"] == "1 of 1"


@pytest.mark.parametrize("name", ["abstract", "results", "rivals", "settings", "conclusion"])
def test_no_measured_number_is_typed_in_a_sentence(name):
    """They are facts, or read from a table; what stays are the level of the intervals and settings of names."""
    lines = (ROOT / f"paper/sections/{name}.typ").read_text(encoding="utf-8").splitlines()
    prose = [line for line in lines if not re.match(r"\s*(//|#let|\.\.|columns|size)", line)]
    typed = {number for line in prose for number in DIGITS.findall(line) if "width:" not in line}
    assert typed <= {"95"}, typed
    words = {word for line in prose for word in WORDS.findall(line)}
    assert words <= (
        {"three times as", "twentieth"} if name == "settings" else set()
    )  # definitions of models and scores


def test_kept_facts_are_all_known():
    """None of those that the report and the documents say is missing from the tables that are kept."""
    sources = [*(ROOT / "paper/sections").glob("*.typ"), ROOT / "README.md", ROOT / "docs/results.md"]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    said = set(re.findall(r'fact\("([\w-]+)"\)', text)) | set(re.findall(r"<!-- fact: (\w+) -->", text))
    kept = json.loads((VERDICT / "facts.json").read_text(encoding="utf-8"))
    assert said - {"amended"} <= kept.keys()
    assert "not run" not in {kept[name] for name in said - {"amended"}}
