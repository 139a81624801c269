"""Numbers of sentences, and gains on baselines: computed from the tables, by other means here."""

import csv
import json
import re
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import ROOT, make_plan
from scipy import stats

from competitive_mixtures.report.plan import list_variants, read_plan
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.tables.facts import collect_facts
from competitive_mixtures.report.tables.gains import gain_rows
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import write_resolved

VERDICT = ROOT / "paper/verdict"
DIGITS = re.compile(r"(?<![\w.#@])\d[\d.,]*(?= ?(?:%|nats|epochs|times))")
WORDS = re.compile(r"\b(?:twentieth|sixtieth|(?:two|three|eight|ten|hundred) times (?:as|the)|half of the work)\b")


def read(name):
    with (VERDICT / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def kept_plan():
    with tempfile.TemporaryDirectory() as folder:
        write_resolved(read_params(ROOT / "params.yaml"), Path(folder))
        return read_plan(Path(folder))


def test_a_gain_is_paired_by_seed(project):
    plan = make_plan()
    scores = Scores(project, plan)
    rows = {(row["group"], row["baseline"], row["baseline_protocol"]): row for row in gain_rows(scores, plan)}
    row = rows["synthetic-3", "single", "equal_compute"]
    mixture = scores.values("synthetic-3", "competitive", "-", "log_likelihood")
    single = scores.values("synthetic-3", "single", "equal_compute", "log_likelihood")
    effects = np.array([mixture[seed] - single[seed] for seed in sorted(mixture)])
    low, high = stats.ttest_1samp(effects, 0).confidence_interval(0.95)
    assert (row["difference"], row["n"]) == (pytest.approx(effects.mean()), len(effects))
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low), pytest.approx(high))


def test_a_mixture_of_another_compute_has_no_gain_on_the_baselines(project, tmp_path):
    """The baselines of `synthetic-3` stand beside a version that was trained for as much, not for a hundred times."""
    plan = make_plan()
    path = "results/summary.csv"
    (tmp_path / path).parent.mkdir(parents=True)
    lines = (project / path).read_text().splitlines()
    plain = [line for line in lines if line.startswith("synthetic-3,") and ",competitive," in line]
    for times, mixtures in (("1.001", ["paper", "plain"]), ("100", ["plain"])):
        costly = [
            line[: -len(value)] + repr(float(value) * float(times)) if ",compute," in line else line
            for line, value in ((line, line.rpartition(",")[2]) for line in plain)
        ]
        other = [line.replace("synthetic-3,", "synthetic-3-paper,") for line in costly]
        (tmp_path / path).write_text("\n".join([*lines, *other]) + "\n")
        rows = [row for row in gain_rows(Scores(tmp_path, plan), plan) if row["group"] == "synthetic-3"]
        assert sorted({row["mixture"] for row in rows}) == mixtures


def test_equal_compute_is_equal_in_the_kept_tables():
    """Of every difference at equal compute, the baseline's training cost over the mixture's, in `summary.csv`."""
    plan = kept_plan()
    costs = defaultdict(list)
    for row in read("summary.csv"):
        if row["metric"] == "compute":
            costs[row["experiment"], row["model"], row["protocol"]].append(float(row["value"]))
    rows = [row for row in read("gains.csv") if row["baseline_protocol"] == "equal_compute"]
    assert len(rows) > 20
    for row in rows:
        variants = [planned.name for planned in list_variants(plan)[row["group"]].values()]
        baseline = max((costs[name, row["baseline"], "equal_compute"] for name in variants), key=len)
        mixture = costs[list_variants(plan)[row["group"]][row["mixture"]].name, "competitive", "-"]
        assert np.mean(baseline) / np.mean(mixture) == pytest.approx(1, abs=0.01), row


def test_gains_in_the_papers_protocol_are_those_that_decide_c2():
    gains = {
        (row["group"], row["baseline"]): row
        for row in read("gains.csv")
        if row["mixture"] == "plain" and row["baseline_protocol"] == "paper"
        if row["baseline"] in ("single", "single_wide", "bagging")
    }
    parts = sorted(float(row["effect"]) for row in read("claim_parts.csv") if row["id"] == "C2")
    kept = [float(gains[key]["difference"]) for key in gains if re.fullmatch(r"synthetic-\d", key[0])]
    assert sorted(kept) == pytest.approx(parts)


def read_likelihoods():
    """By experiment, model and protocol: the kept log-likelihood of test points, by seed."""
    values = defaultdict(dict)
    for row in read("summary.csv"):
        if row["metric"] == "log_likelihood" and row["split"] == "test":
            values[row["experiment"], row["model"], row["protocol"]][row["seed"]] = float(row["value"])
    return values


def test_a_tuned_network_is_paired_by_seed_with_the_papers_method():
    values, ahead = read_likelihoods(), {}
    for group in ("synthetic-3", "synthetic-6", "synthetic-9", "synthetic-9-gan"):
        mixture, network = (
            values[f"{group}-plain", "competitive", "-"],
            values[f"{group}-tuned", "single", "equal_compute"],
        )
        effects = np.array([mixture[seed] - value for seed, value in network.items()])
        ahead[group] = stats.ttest_1samp(effects, 0).confidence_interval(0.95).low > 0
    facts = json.loads((VERDICT / "facts.json").read_text())
    assert {group: f"`{group}`," not in facts["not_ahead_of_tuned"] for group in ahead} == ahead


def test_data_drawn_anew_stand_beside_one_draw():
    values = read_likelihoods()
    text = json.loads((VERDICT / "facts.json").read_text())["redrawn"]
    for group in ("synthetic-3", "synthetic-6", "synthetic-9"):
        anew, once = (values[f"{group}-plain{ending}", "competitive", "-"] for ending in ("-redrawn", ""))
        means = [f"{np.mean(list(found.values())):.2f}".replace("-", "−") for found in (anew, once)]
        low, high = stats.ttest_1samp(list(anew.values()), 0).confidence_interval(0.95)
        assert f"{means[0]} ± {(high - low) / 2:.2f} against {means[1]} on `{group}`" in text


def test_kmeans_in_latents_stands_beside_the_mixture_at_equal_compute():
    distances = defaultdict(dict)
    for row in read("summary.csv"):
        if (row["experiment"], row["metric"]) == ("mnist-latent", "frechet_classifier"):
            distances[row["model"], row["protocol"]][row["seed"]] = float(row["value"])
    paper, equal = (distances["kmeans", protocol] for protocol in ("paper", "equal_compute"))
    less = np.array([value - equal[seed] for seed, value in distances["competitive", "-"].items()])
    ends = " to ".join(f"{end:.2f}" for end in stats.ttest_1samp(less, 0).confidence_interval(0.95))
    facts = json.loads((VERDICT / "facts.json").read_text())
    means = (np.mean(list(found.values())) for found in (paper, equal))
    said = "{:.2f}, as long trained as a component, and {:.2f} at equal compute"
    assert facts["latent_kmeans"] == said.format(*means)
    assert facts["latent_less_kmeans"] == f"{less.mean():.2f} ({ends}), {len(less)} seeds".replace("-", "−")


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
    row = {"mixture": "plain", "baseline": "kmeans", "baseline_protocol": "equal_compute", "metric": "log_likelihood"}
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
