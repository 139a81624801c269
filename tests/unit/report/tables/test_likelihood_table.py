import math

import pytest
from fakes import BOUND, ROOT

from competitive_mixtures.report.tables.likelihood import entropy


def test_the_drafts_numbers_lose_the_entropy_of_the_weights(tables, read):
    values = {(row["experiment"], row["row"]): row["value"] for row in read(tables / "likelihood.csv")}
    assert float(values["synthetic-3", "competitive_with_log_alpha"]) == pytest.approx(-3.47 - math.log(3))
    assert float(values["synthetic-9", "competitive_with_log_alpha"]) == pytest.approx(-0.99 - math.log(9))
    unequal = 4 / 6 * math.log(6) + 1 / 3 * math.log(3)
    assert float(values["synthetic-6", "competitive_with_log_alpha"]) == pytest.approx(-1.29 - unequal)
    assert float(values["synthetic-3", "bound"]) == BOUND
    assert values["synthetic-6", "bound"] == ""


def test_the_best_single_network_is_the_better_of_the_two(tables, read):
    means = [
        float(read(tables / "density.csv", experiment="synthetic-3", model=model, protocol="paper")[0]["mean"])
        for model in ("single", "single_wide")
    ]
    (row,) = read(tables / "likelihood.csv", experiment="synthetic-3", row="best_single")
    assert float(row["value"]) == max(means)


def test_entropy():
    assert entropy("1/2 1/2") == pytest.approx(math.log(2))
    assert entropy("1 0") == 0


def test_the_authors_runs_end_where_the_reference_says(tables, read):
    (row,) = read(tables / "authors_code.csv", experiment="synthetic-3", run="kvaes, original samplers")
    rounds = read(ROOT / "paper/authors_code.csv", experiment="synthetic-3", run="kvaes, original samplers")
    assert row["log_likelihood_test"] == rounds[-1]["log_likelihood_test"]
    assert float(row["cpu_s"]) == pytest.approx(sum(float(row["cpu_round_s"]) for row in rounds), abs=0.1)
