"""The authors' settings beside the authors' code: one value a seed, and the last round of each run of the code."""

from dataclasses import replace

import pytest
from fakes import make_plan

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.authors_code import MEASURED_COLUMNS
from competitive_mixtures.report.kept import KEPT_RUN_COLUMNS
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.summary import ROUND_COLUMNS, SUMMARY_COLUMNS
from competitive_mixtures.report.tables.authors_settings import authors_settings_rows

NAME = "synthetic-3-paper"
CODE = {"experiment": "synthetic-3", "run": "kvaes", "log_likelihood_test": -5.0}
PLAN = [planned if planned.name != NAME else replace(planned, rounds=100) for planned in make_plan()]


@pytest.fixture
def root(tmp_path):
    """Seed 0 at its end and seed 1 at round 1, and two runs of the authors' code beside one VAE."""
    results, paper = Project(tmp_path).results, Project(tmp_path).paper
    curve = [(0, 0, 0.5, 0.25, 9.0), (0, 1, 0.75, 0.125, 20.0), (0, 100, 1.0, 0.0, 30.0), (1, 0, 0.375, 0.5, 9.0),
             (1, 1, 0.625, 0.25, 40.0)]  # fmt: skip
    keys = ("seed", "round", "purity", "share_changed", "seconds")
    rounds = [{"experiment": NAME, "smallest_cell": 0.5} | dict(zip(keys, row, strict=True)) for row in curve]
    write_rows(results.summary.rounds, ROUND_COLUMNS, reversed(rounds))
    score = {"experiment": NAME, "protocol": "-", "metric": "log_likelihood", "split": "test"}
    found = [
        score | {"seed": 0, "model": "competitive", "value": -4.75},
        score | {"seed": 0, "model": "data", "value": -4.5},
    ]
    write_rows(results.summary.scores, SUMMARY_COLUMNS, found)
    code = [CODE | {"round": 0, "purity": 0.375, "cpu_round_s": 100},
            CODE | {"round": 1, "purity": 0.5, "cpu_round_s": 120},
            CODE | {"run": "again", "round": 0, "purity": 0.625, "cpu_round_s": 100},
            CODE | {"run": "one VAE", "round": 0, "purity": "", "cpu_round_s": 1}]  # fmt: skip
    write_rows(paper.authors_code, MEASURED_COLUMNS, code)
    return tmp_path


def make_rows(root):
    return authors_settings_rows(root, Scores(root, PLAN), PLAN)


def test_each_seed_has_a_value_where_it_stands(root):
    (row,) = make_rows(root)
    assert (row["experiment"], row["group"], row["rounds"], row["rounds_asked"]) == (NAME, "synthetic-3", "100 1", 100)
    assert (row["purity_first"], row["purity"], row["share_changed"]) == ("0.5 0.375", "1.0 0.625", "0.0 0.25")
    assert (row["metric"], row["score"], row["best_score"]) == ("log_likelihood", "-4.75 –", -4.5)
    assert row["round_s"] == 30.0  # the median of 20, 30 and 40: round 0 only scores


def test_the_authors_code_is_beside_them(root):
    (row,) = make_rows(root)
    assert (row["code_rounds"], row["code_purity"], row["code_round_s"]) == ("1 0", "0.5 0.625", 120.0)
    assert row["code_log_likelihood"] == "-5.0 -5.0"


def test_commits_are_those_of_the_kept_runs(root):
    kept = [dict(zip(KEPT_RUN_COLUMNS, (NAME, seed, 1, 100, "no", commit, "EPYC", 2), strict=True))
            for seed, commit in enumerate(("abc", "def"))]  # fmt: skip
    write_rows(Project(root).results.kept_runs, KEPT_RUN_COLUMNS, kept)
    (row,) = make_rows(root)
    assert (row["commit"], row["processor"]) == ("abc; def", "EPYC")


def test_what_has_not_run_says_so(root):
    write_rows(Project(root).results.summary.rounds, ROUND_COLUMNS, [])
    (row,) = make_rows(root)
    assert row["status"] == "not run: part of the suite authors"
    assert row["code_rounds"] == "1 0"
