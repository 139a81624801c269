"""docs/parity.md, held against scikit-learn's GaussianMixture and our estimator."""

import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.mixture import GaussianMixture

from competitive_mixtures import CompetitiveMixture

PAGE = Path(__file__).parents[3] / "docs/parity.md"
CODE = re.compile(r"`([a-z_]+)`")
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.read_text().splitlines() if "| " in line[:5]]
ROWS = [row for row in ROWS if row[0].isdigit()]


def list_names(estimator):
    """Constructor arguments, fitted attributes and public methods."""
    points = np.random.default_rng(0).normal(size=(40, 2))
    estimator.fit(pd.DataFrame(points, columns=["a", "b"]))
    attributes = {name for name in vars(estimator) if name.endswith("_")}
    methods = {name for name, _ in inspect.getmembers(type(estimator), callable) if not name.startswith("_")}
    return set(inspect.signature(type(estimator)).parameters) | attributes | methods


@pytest.fixture(scope="module")
def theirs():
    return list_names(GaussianMixture(1))


@pytest.fixture(scope="module")
def ours():
    return list_names(CompetitiveMixture(1, n_rounds=1, steps_per_round=1, random_state=0))


def test_25_rows_with_an_answer_and_a_reason():
    assert [int(row[0]) for row in ROWS] == list(range(1, 26))
    assert {row[2] for row in ROWS} == {"yes", "partly", "no"}
    assert all(row[3] for row in ROWS)


def test_everything_that_gaussian_mixture_has_is_named_once(theirs):
    named = [name for row in ROWS for name in CODE.findall(row[1])]
    assert sorted(named) == sorted(theirs)


def test_yes_is_there_by_its_name_or_the_one_that_is_told(ours):
    for _, cell, answer, reason in ROWS:
        if answer == "yes":
            other = re.match(r"called `(\w+)`", reason)
            assert set([other[1]] if other else CODE.findall(cell)) <= ours, cell


def test_no_is_not_there(ours):
    assert not {name for _, cell, answer, _ in ROWS if answer == "no" for name in CODE.findall(cell)} & ours


def test_what_there_is_beyond_is_there(ours, theirs):
    beyond = CODE.findall(PAGE.read_text().partition("What there is beyond:")[2])
    assert set(beyond) <= ours - theirs
