"""The report's table and figure of which parts each method finds."""

from types import SimpleNamespace

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.figures.agreement import COLORS, TITLES, list_rows, plot_agreement
from competitive_mixtures.report.figures.style import house_style
from competitive_mixtures.report.partitions import METHODS, PARTITION_COLUMNS, read_fits
from competitive_mixtures.report.tables.agreement import agreement_rows


def make_fit(data_set, method, seed, ari, part="held_out", log_likelihood=""):
    row = {"data_set": data_set, "part": part, "method": method, "seed": seed, "ari": ari, "nmi": 0.5, "seconds": 1}
    return row | {"n": 100, "d": 2, "k": 3, "processor": "one", "log_likelihood": log_likelihood}


@pytest.fixture
def root(tmp_path):
    rows = [
        make_fit("images", "ours", 0, 0.5, part="images"),
        make_fit("images", "kmeans", 0, 0.25, part="images"),
        make_fit("alone", "kmeans", 0, 0.25),
        make_fit("moons", "kmeans", 0, 0.25, part="development"),
        make_fit("moons", "kmeans", 1, 0.5, part="development"),
        make_fit("moons", "ours", 0, 1, part="development", log_likelihood=-2),
        make_fit("moons", "ours", 1, 0.5, part="development", log_likelihood=-1),
    ]
    path = Project(tmp_path).paper.partitions
    path.parent.mkdir()
    write_rows(path, PARTITION_COLUMNS, rows)
    return tmp_path


def test_a_row_has_the_mean_and_every_seed(root):
    moons = [row for row in agreement_rows(root) if row["data_set"] == "moons"]
    assert [(row["method"], row["seeds"], float(row["ari"]), row["values"]) for row in moons] == [
        ("kmeans", 2, 0.375, "0.25 0.5"),
        ("ours", 2, 0.75, "1.0 0.5"),
    ]
    assert [row["log_likelihood"] for row in moons] == ["", "-1.5"]


def test_data_that_one_method_alone_was_fitted_to_compare_nothing(root):
    rows = list_rows(read_fits(Project(root).paper.partitions))
    assert rows == [("development", "moons"), ("images", "images")]  # the parts in their order


def test_the_figure_is_the_same_for_the_same_table(root, tmp_path):
    files = [tmp_path / "first.svg", tmp_path / "second.svg"]
    for file in files:
        with house_style():
            plot_agreement(SimpleNamespace(root=root), file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_every_method_has_a_title_and_a_colour():
    assert list(TITLES) == list(COLORS) == list(METHODS)
    assert [title.replace("\n", " ") for title in TITLES.values()] == list(METHODS.values())
    assert len(set(COLORS.values())) == len(COLORS)


def test_a_table_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"partitions\.csv"):
        list(agreement_rows(tmp_path))
