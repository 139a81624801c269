import shutil

import pytest
import typst
from fakes import copy_paper, make_plan
from pdf_text import text_of

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.claims.verdicts import assess_claims
from competitive_mixtures.report.compile import compile_paper, list_files
from competitive_mixtures.report.figures.draw import plot_figure
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.summary import ROUND_COLUMNS
from competitive_mixtures.report.tables.write import write_tables


@pytest.fixture(scope="module")
def root(project, tmp_path_factory):
    root = tmp_path_factory.mktemp("paper") / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    write_tables(root, root / "paper/tables", plan=make_plan())
    assess_claims(root / "paper/claims.yaml", root / "results", root / "results/claims.csv")
    mnist = [planned for planned in make_plan() if planned.name == "mnist"]
    for file in ("scores.svg", "partition-mnist.png"):
        figure = file.split(".")[0]
        plot_figure(figure, root / "paper/figures" / file, root=root, plan=mnist, scores=Scores(root, mnist))
    return root


def test_the_same_files_give_the_same_pdf(root, tmp_path):
    first, second = compile_paper(root, tmp_path / "a.pdf"), compile_paper(root, tmp_path / "b.pdf")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(b"%PDF-")


def test_the_pdf_holds_the_numbers_of_the_results(root):
    text = text_of(compile_paper(root)).replace("−", "-")
    table = (root / "paper/tables/density.csv").read_text().splitlines()
    competitive = next(line for line in table if line.startswith("synthetic-9,competitive,-,log_likelihood"))
    assert f"{float(competitive.split(',')[5]):.2f}" in text
    assert "-4.569" in text  # the draft's -3.47 with log alpha
    assert "not run" in text
    assert "part of the suite paper_scale" in text


def test_without_results_everything_says_not_run(root, tmp_path):
    bare = tmp_path / "bare"
    copy_paper(bare)
    (bare / "results").mkdir()
    (bare / "results/summary.csv").write_text("experiment,seed,model,protocol,metric,split,value\n")
    write_rows(bare / "results/rounds.csv", ROUND_COLUMNS, [])
    write_tables(bare, bare / "paper/tables", plan=make_plan())
    text = text_of(compile_paper(bare))
    assert "Not yet assessed" in text
    assert "no results yet" in text


def test_names_are_text_and_no_markup(root, tmp_path):
    odd = tmp_path / "odd"
    shutil.copytree(root, odd)
    name = r"#x@y*b*_i_$z`q<l>\猫"  # Typst's fonts lack the last character
    for path in [*odd.glob("paper/tables/*.csv"), *odd.glob("results/*.csv")]:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("synthetic-9,", f"{name},"), encoding="utf-8")
    assert name[:-1] in text_of(compile_paper(odd))


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("fixed(-4.5651, 2)", "−4.57"),
        ("fixed(3, 2)", "3.00"),
        ("fixed(0.4, 0)", "0"),
        ("fixed(-0.001, 2)", "0.00"),
        ("fixed(99.96, 1)", "100.0"),
        ("grouped(1234567)", "1 234 567"),
        ("power(23400)", "2.3 ⋅ 10"),
    ],
)
def test_numbers_are_rounded_and_padded(tmp_path, call, shown):
    copy_paper(tmp_path)
    (tmp_path / "number.typ").write_text(f'#import "paper/lib.typ": *\n#{call}')
    typst.compile(tmp_path / "number.typ", output=tmp_path / "number.pdf", root=tmp_path)
    assert text_of(tmp_path / "number.pdf").replace("\u202f", " ").strip().startswith(shown)


def test_a_broken_source_is_a_clear_error(root, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(root, broken)
    (broken / "paper/sections/method.typ").write_text("#unknown-word")
    with pytest.raises(UserError, match="unknown variable: unknown-word"):
        compile_paper(broken)


def test_only_files_that_exist_are_offered(root):
    files = list_files(root)
    assert "results/summary.csv" in files
    assert "paper/figures/scores.svg" in files
    assert all((root / name).is_file() for name in files)
