"""The tables of the made-up project, and rows of any CSV file."""

import csv
import shutil

import pytest
from fakes import copy_paper, make_plan

from competitive_mixtures.report.tables.write import write_tables


@pytest.fixture(scope="session")
def tables(project, tmp_path_factory):
    root = tmp_path_factory.mktemp("tables") / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    write_tables(root, root / "paper/tables", plan=make_plan())
    return root / "paper/tables"


@pytest.fixture(scope="session")
def read():
    """Read the rows of a CSV file that have all of the wanted values."""

    def read_wanted(path, **wanted):
        with path.open(newline="") as file:
            return [row for row in csv.DictReader(file) if wanted.items() <= row.items()]

    return read_wanted
