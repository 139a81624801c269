"""The bars in docs/benchmarks.md against the tables of `make bench` beside it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def make_row(**fields):
    return {"name": "a", "device": "cpu", "ours_s": "2.0", "reference_s": "3.0", "ratio": "1.5", "notes": ""} | fields


def test_the_page_says_what_the_tables_say():
    from bars import DOCS, PAGE, TABLES, read_table, render_page

    page = PAGE.read_text(encoding="utf-8")
    assert page == render_page(page)
    for file in TABLES.values():
        assert "commit" in read_table(DOCS / file)["machine"]["notes"]


def test_every_bar_has_a_row_in_the_newest_table():
    from bars import BARS, DOCS, read_table

    rows = read_table(DOCS / "bench-xeon.csv")
    assert [bar.row for bar in BARS if bar.row not in rows] == []


@pytest.mark.parametrize(
    ("bar", "cell"),
    [
        (("≥", 1.5), "1.50"),
        (("≥", 1.51), "**1.50, missed**"),
        (("≤", 1.5), "1.50"),
        (("≤", 1.4), "**1.50, missed**"),
    ],
)
def test_a_number_on_the_wrong_side_of_its_bar_is_marked(bar, cell):
    from bars import Bar

    assert Bar("what", "a", *bar).judge(make_row()) == cell
    for absent in (None, make_row(ours_s="", notes="not run: no finished run here")):
        assert Bar("what", "a", *bar).judge(absent) == "not run"


def test_lengths_and_notes_are_read():
    from bars import Bar, read_length, read_note

    assert Bar("what", "a", "≤", 1, read_length).judge(make_row()) == "0.667"
    peak = read_note(r"peak (\d+) MB", 1000)
    assert Bar("what", "a", "≤", 4, peak).judge(make_row(notes="x; peak 2552 MB, within 4 GB")) == "2.55"
    with pytest.raises(ValueError, match="a: 'nothing' has nothing like"):
        peak(make_row(notes="nothing"))


def test_a_part_that_failed_is_no_bar_that_was_not_run(tmp_path):
    from bars import read_table

    table = tmp_path / "bench.csv"
    table.write_text("name,device,ours_s,reference_s,ratio,notes\ntraining,,,,,failed with exit status 1\n")
    with pytest.raises(SystemExit, match="training failed"):
        read_table(table)


def test_the_table_stands_between_the_marks_and_nothing_else_changes():
    from bars import render_page

    page = render_page("head\n<!-- verdict: bars -->\nold\n<!-- end -->\ntail\n")
    assert page.startswith("head\n<!-- verdict: bars -->\n| | bar |")
    assert page.endswith("\n<!-- end -->\ntail\n")
    assert "old" not in page
    assert render_page(page) == page
