import numpy as np
import pytest

from competitive_mixtures.data import load_dataset
from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.files.folders import RunFolder
from competitive_mixtures.files.formats import write_json
from competitive_mixtures.files.tables import AssignmentTable, write_assignments
from competitive_mixtures.report.figures.labels import (
    MAX_LABELS,
    label_shares,
    order_components,
    pick_labels,
    plot_labels,
)
from competitive_mixtures.report.figures.style import house_style
from competitive_mixtures.report.results import FinishedRun


def test_label_shares_are_row_shares():
    component, label = np.array([1, 1, 0, 0]), np.array([0, 0, 0, 2])
    table = AssignmentTable(component, previous=component, margin=np.ones(4), label=label)
    shares = label_shares(table, 3)
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3, 0], [0, 0, 0], [1, 0, 0]])
    assert order_components(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == [1, 0]


def draw(folder, label, names):
    points = np.zeros((len(label), 2), np.float32)
    arrays = {"train": points, "test": points, "train_labels": label, "test_labels": label}
    write_dataset(folder / "data", "own", arrays, {}, names)
    component = (label % 3).astype(np.int16)
    table = AssignmentTable(component, component, np.zeros(len(label), np.float32), label.astype(np.int16))
    run = RunFolder(folder / "results/experiments/own/seed-0")
    for number in (0, 1):
        write_assignments(run.round(number).assignments, table)
        write_json(run.round(number).metrics, {"counts": [1, 1, 1]})
    with house_style():
        plot_labels([FinishedRun(run)], load_dataset(folder / "data"), folder / "labels.svg")
    return (folder / "labels.svg").read_text(encoding="utf-8")


NAMES = [
    "$x$",
    "$",
    "a$b_c^{d$",
    "#a",
    "_b",
    "<c>&",
    "",
    " ",
    "\\alpha",
    "a\nb",
    "caf\udce9",
    "\x1b[0m",
    "{}",
    "%s",
    "x" * 999,
]


def test_any_name_is_drawn_as_it_is(tmp_path):
    assert draw(tmp_path, np.arange(30) % len(NAMES), NAMES).endswith("</svg>\n")


@pytest.mark.parametrize("name", ["🐈", "👨‍👩‍👧", "שלום", "مرحبا", "日本", "\u202eabc", "\ufffe"])
def test_scripts_that_the_font_may_lack_end_no_job(tmp_path, name):
    assert draw(tmp_path, np.arange(6) % 2, ["a", name]).endswith("</svg>\n")


def test_too_many_labels_are_cut_to_the_most_frequent(tmp_path):
    label = np.concatenate([np.arange(5000), np.arange(4000, 5000, 10)])
    assert pick_labels(label).tolist() == list(range(4000, 5000, 10))
    assert len(pick_labels(label)) == MAX_LABELS
    assert len(draw(tmp_path, label, [str(number) for number in range(5000)])) < 10**6
