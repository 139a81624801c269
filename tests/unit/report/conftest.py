"""A made-up project for the report's tests: three small experiments, three seeds, and one that has not run."""

import pytest
from fakes import copy_paper, make_plan, write_project

from competitive_mixtures.report.claims.verdicts import assess_claims
from competitive_mixtures.report.summary import summarize
from competitive_mixtures.report.tables.write import write_tables


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    root = write_project(tmp_path_factory.mktemp("project"))
    summarize(sorted(root.glob("results/experiments/*/seed-*")), root / "results")
    copy_paper(root)
    assess_claims(root / "paper/claims.yaml", root / "results", root / "results/claims.csv")
    write_tables(root, root / "paper/tables", plan=make_plan())
    return root
