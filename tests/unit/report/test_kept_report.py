"""The report, the verdicts and the numbers of the documents are those that the kept tables give."""

import io
import json
import re
import shutil

import numpy as np
import pytest
import typst
from fakes import ROOT, make_plan
from pdf_text import text_of
from PIL import Image

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.tables import read_fields, write_rows
from competitive_mixtures.pipeline.rebuild import MADE, rebuild_report
from competitive_mixtures.report import compile
from competitive_mixtures.report.documents import DOCUMENTS, fill, read_facts, write_blocks
from competitive_mixtures.report.plan import read_plan
from competitive_mixtures.report.summary import SUMMARY_COLUMNS
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import write_resolved

VERDICT = ROOT / "paper/verdict"


PAGES = []  # of the report, as small pictures
LONELY = {}  # by section of the report: headings with nothing below them
PROBE = """
#let flat(content) = {
  if content.has("children") { content.children.map(flat).flatten() } else {
    if content.has("child") { flat(content.child) } else { (content,) }
  }
}
#let found = ()
#let above = none
#for part in flat(include "sections/%s.typ") {
  if part.func() == heading {
    if above != none and part.depth <= above.depth { found.push(repr(above.body)) }
    above = part
  } else if part.func() not in (%s parbreak, metadata, [ ].func()) { above = none }
}
#metadata(found) <lonely>
"""
MAIN_PAGES = 14  # before the supplement
FOOT = 2.6 / 29.7  # of a page: the margin with its number


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    out = tmp_path_factory.mktemp("verdict")
    compile_pdf = compile.compile_pdf

    def draw_pages(source, root, out, inputs):
        compile_pdf(source, root, out, inputs)
        PAGES[:] = typst.compile(source, root=root, format="png", ppi=30, ignore_system_fonts=True, sys_inputs=inputs)
        LONELY.update(
            {section.stem: find_lonely(section, root, inputs) for section in source.parent.glob("sections/*")}
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compile, "compile_pdf", draw_pages)
        rebuild_report(ROOT, VERDICT, out)
    return out


def find_lonely(section, root, inputs):
    """The headings of a section that another one of their rank follows at once; floats do not count as text."""
    probe = root / "paper/probe.typ"
    floats = "" if section.stem == "appendix" else "figure,"  # in the supplement tables stand where they are written
    probe.write_text(PROBE % (section.stem, floats), encoding="utf-8")
    (found,) = json.loads(typst.query(probe, "<lonely>", field="value", root=root, sys_inputs=inputs))
    return found


def test_no_heading_follows_a_heading_with_nothing_between(rebuilt):
    assert "original" in LONELY
    assert {section: found for section, found in LONELY.items() if found} == {}


def test_a_heading_above_nothing_but_a_float_is_found(tmp_path):
    section = tmp_path / "paper/sections/toy.typ"
    section.parent.mkdir(parents=True)
    section.write_text("= Top\n== One\n#if true [#figure([float])]\n== Two\ntext\n== Three\n#figure([float]) and text")
    assert find_lonely(section, tmp_path, {}) == ["[One]"]


def test_no_page_is_left_empty_for_what_did_not_fit(rebuilt):
    """Up to a seventh of a page's height at its foot, a quarter in the supplement, which is mostly tables and figures;
    the last page ends where the text does."""
    empty = {}
    for number, page in enumerate(PAGES[:-1], start=1):
        ink = np.asarray(Image.open(io.BytesIO(page)).convert("L")) < 240
        text = ink[: int(len(ink) * (1 - FOOT))]
        empty[number] = 1 - np.flatnonzero(text.any(axis=1)).max() / len(text)
    assert {number: share for number, share in empty.items() if share > (0.15 if number <= MAIN_PAGES else 0.25)} == {}


@pytest.mark.parametrize("name", MADE)
def test_what_is_kept_follows_from_the_tables(rebuilt, name):
    """Otherwise `make kept-report` makes it anew."""
    assert (rebuilt / name).read_bytes() == (VERDICT / name).read_bytes()


def test_the_supplement_counts_finished_seeds(rebuilt):
    """Beside the number that was asked for, where that is larger."""
    text = text_of(rebuilt / "paper.pdf")
    header, rows = read_fields(rebuilt / "claim_parts.csv")
    parts = [dict(zip(header, row, strict=True)) for row in rows]
    few = [part for part in parts if "mnist-paper-short" in part["part"]]
    expected = [f"{part['seeds_finished']} of {part['seeds_wanted']}" for part in few]
    counted = [line for line in text.splitlines() if re.match(r"\s*C[368]†.*, mnist-paper-short", line)]
    assert len(counted) == len(expected) >= 5
    assert all(number in line for number, line in zip(expected, counted, strict=True)), counted


def test_figures_from_tables_are_those_that_are_kept(rebuilt):
    figures = sorted(path.name for path in (rebuilt / "figures").iterdir())
    assert "claims.svg" in figures
    assert "ablations.svg" in figures
    for name in figures:
        assert (rebuilt / "figures" / name).read_bytes() == (VERDICT / "figures" / name).read_bytes(), name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_have_the_numbers_of_the_tables(rebuilt, tmp_path, name):
    write_resolved(read_params(ROOT / "params.yaml"), tmp_path)
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "<!-- verdict: " in text
    (rebuilt / "summary.csv").write_bytes((VERDICT / "summary.csv").read_bytes())
    assert fill(text, write_blocks(rebuilt, read_plan(tmp_path)), name, read_facts(rebuilt)) == text


def test_a_number_changed_by_hand_is_put_right():
    text = "before\n<!-- verdict: claims -->\n| C1 | 0.99 |\n<!-- end -->\nafter\n"
    assert fill(text, {"claims": "| C1 | 0.76 |\n"}, "README.md") == text.replace("0.99", "0.76")


def test_a_number_in_a_sentence_is_put_right():
    text = "beats it on <!-- fact: ahead -->all<!-- end --> sets"
    assert fill(text, {}, "README.md", {"ahead": "2 of 3"}) == text.replace("all", "2 of 3")
    with pytest.raises(UserError, match="found the fact 'ahead', expected one of behind"):
        fill(text, {}, "README.md", {"behind": "0"})


def test_the_authors_settings_have_a_line_a_data_set(rebuilt, tmp_path):
    """One value a seed, a dash where a run is not at its end, and what the authors' code gave beside it."""
    shutil.copyfile(rebuilt / "claims.csv", tmp_path / "claims.csv")
    shutil.copyfile(VERDICT / "summary.csv", tmp_path / "summary.csv")
    header, *_ = (rebuilt / "authors_settings.csv").read_text().splitlines()
    run = {
        "group": "dots",
        "seeds": "0 2",
        "rounds": "100 7",
        "rounds_asked": "100",
        "purity_first": "0.5 0.375",
        "purity": "1.0 0.75",
    }
    run |= {"share_changed": "0.0 0.0125", "score": "-4.75 –", "round_s": "12.8", "code_rounds": "16", "status": "run"}
    run |= {"code_purity": "0.9", "code_log_likelihood": "-4.9", "code_round_s": "56"}
    rows = [run, {"group": "digits", "status": "not run: part of the suite authors"}]
    lines = [",".join(row.get(name, "") for name in header.split(",")) for row in rows]
    (tmp_path / "authors_settings.csv").write_text("\n".join([header, *lines]) + "\n")
    *_, first, second = write_blocks(tmp_path, [])["authors"].splitlines()
    assert first == (
        "| dots, seeds 0, 2 | 100, 7 of 100 | 0.50, 0.38 | 1.00, 0.75 | 0.000, 0.013 | −4.75, – | 13 "
        "| purity 0.90, log-likelihood −4.90 after rounds 16; 56 s a round |"
    )
    assert second == "| digits | not run | | | | | | not run |"


def test_true_samples_are_those_of_most_seeds(rebuilt, tmp_path):
    """Not of the few runs at the authors' settings, which have some as well."""
    for name in ("claims.csv", "authors_settings.csv"):
        shutil.copyfile(rebuilt / name, tmp_path / name)
    row = {"model": "data", "protocol": "-", "metric": "log_likelihood", "split": "test"}
    rows = [row | {"experiment": "synthetic-3-paper", "seed": 0, "value": -9.0}]
    rows += [row | {"experiment": "synthetic-3", "seed": seed, "value": -4.5} for seed in range(3)]
    write_rows(tmp_path / "summary.csv", SUMMARY_COLUMNS, rows)
    block = write_blocks(tmp_path, make_plan())["vae"]
    assert "| true samples | −4.50 (3) |" in block


def test_an_unknown_block_is_refused():
    with pytest.raises(UserError, match=r"README\.md: found the block 'claim', expected one of claims"):
        fill("<!-- verdict: claim -->\n<!-- end -->", {"claims": ""}, "README.md")


def test_runs_of_unknown_origin_are_named_as_such():
    """A run of the tables has its commit and processor in `kept_runs.csv`, or the notes name its experiment."""
    runs = {}
    for name in ("summary.csv", "kept_runs.csv"):
        _, rows = read_fields(VERDICT / name)
        runs[name] = {tuple(row[:2]) for row in rows}
    assert runs["kept_runs.csv"] <= runs["summary.csv"]
    notes = (VERDICT / "README.md").read_text(encoding="utf-8")
    for experiment in {name for name, _ in runs["summary.csv"] - runs["kept_runs.csv"]}:
        assert f"`{experiment}`" in notes, experiment
