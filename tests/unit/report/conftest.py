"""A made-up project for the report's tests: three small experiments, three seeds, and one that has not run."""

import pytest
from fakes import write_project

from competitive_mixtures.report.summary import summarize


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    root = write_project(tmp_path_factory.mktemp("project"))
    summarize(sorted(root.glob("results/experiments/*/seed-*")), root / "results")
    return root
