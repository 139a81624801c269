"""Figures and paper call a model, a protocol or a metric what `report/names.py` calls it, and nothing else."""

import json
import re
import shutil
from typing import get_args

import pytest
from fakes import ROOT, copy_paper, make_plan
from matplotlib import pyplot as plt
from matplotlib.text import Text
from pdf_text import text_of

from competitive_mixtures.report import names
from competitive_mixtures.report.compile import compile_paper
from competitive_mixtures.report.figures import compute, scores, style
from competitive_mixtures.report.figures.draw import plot_figure
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.summary import MODEL_ORDER
from competitive_mixtures.report.tables.write import write_tables
from competitive_mixtures.settings.baselines import BaselineName

RENAMED = (
    (names.MODELS, "bagging", "many of one kind"),
    (names.PROTOCOLS, "equal_compute", "the same budget"),
    (names.AXES, "log_likelihood", "how likely"),
    (names.METRICS, "nmi", "shared information"),
    (names.METRICS, "share_changed", "wanderers"),
    (names.METHODS, "plain", "as printed, but small"),
)


@pytest.fixture
def texts(monkeypatch):
    """The texts of the figures that are drawn, in place of their files."""
    found = set()

    def save(figure, out):
        found.update(text.get_text() for text in figure.findobj(Text))
        plt.close(figure)

    monkeypatch.setattr(style, "save", save)
    return found


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        ("scores", {"many of one kind (the same budget)", "as printed, but small", "how likely"}),
        ("compute", {"many of one kind (the same budget)", "as printed, but small", "how likely"}),
        ("mixture-synthetic-3", {"many of one kind", "the same budget"}),
        ("rounds", {"wanderers", "as printed, but small"}),
    ],
)
def test_a_new_name_appears_in_every_figure(project, tmp_path, monkeypatch, texts, figure, shown):
    old = {table[key] for table, key, _ in RENAMED}
    for table, key, name in RENAMED:
        monkeypatch.setitem(table, key, name)
    monkeypatch.setattr(scores, "ROWS", scores.make_rows())
    monkeypatch.setattr(compute, "ROWS", scores.ROWS)
    plan = make_plan()
    plot_figure(figure, tmp_path / "unused", root=project, plan=plan, scores=Scores(project, plan))
    assert shown <= texts
    assert not any(name in text for name in old for text in texts)


def test_a_new_name_appears_in_the_paper(project, tmp_path, monkeypatch):
    for table, key, name in RENAMED:
        monkeypatch.setitem(table, key, name)
    root = tmp_path / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    write_tables(root, root / "paper/tables", plan=make_plan())
    text = text_of(compile_paper(root))
    for name in ("many of one kind", "the same budget", "shared information"):
        assert name in text


def test_the_papers_source_spells_no_name_out_in_its_tables():
    """Prose may; a string in a cell's place would go its own way when a name changes."""
    spelled = {name for table in (names.MODELS, names.PROTOCOLS) for name in table.values() if name}
    for path in (ROOT / "paper").rglob("*.typ"):
        strings = set(re.findall(r'"([^"\n]*)"', path.read_text(encoding="utf-8")))
        assert not spelled - {"bagging"} & strings, path  # the key of bagging is its name


def test_every_baseline_has_a_name_and_looks():
    assert tuple(names.MODELS) == MODEL_ORDER
    models = {"competitive", "data", *get_args(BaselineName)}
    assert models == names.MODELS.keys() == style.MODEL_COLORS.keys() == style.MODEL_MARKERS.keys()


def test_every_metric_of_the_tables_has_a_name(project, tmp_path):
    copy_paper(tmp_path)
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    write_tables(tmp_path, tmp_path / "tables", plan=make_plan())
    written = json.loads((tmp_path / "tables/names.json").read_text())
    for table in ("density", "images", "clustering", "precision_recall", "compute", "ablations"):
        lines = (tmp_path / f"tables/{table}.csv").read_text().splitlines()
        place = lines[0].split(",").index("metric")
        assert {line.split(",")[place] for line in lines[1:]} <= written["metrics"].keys()


def test_no_mixture_goes_without_its_method():
    """What is called a competitive mixture says whose: the paper's, at whose settings, or ours."""
    sources = [*(ROOT / "paper").rglob("*.typ"), *(ROOT / "src/competitive_mixtures/report").rglob("*.py")]
    named = [path for path in sources if "competitive mixture" in path.read_text(encoding="utf-8").lower()]
    assert {path.name for path in named} <= {"demo.typ", "names.py", "mixture.py"}


def test_a_method_has_one_name_and_no_other():
    """Neither `the plain method` nor `our remedies`: prose and tables have the names of `METHODS`."""
    others = re.compile(
        r"plain method|our remed(?:y|ies)|paper's method,? at (?:our|the authors') settings", re.IGNORECASE
    )
    sources = [*(ROOT / "paper").rglob("*.typ"), ROOT / "docs/results.md", ROOT / "paper/verdict/claims.csv"]
    sources.append(ROOT / "src/competitive_mixtures/report/tables/rivals.py")
    for path in sources:
        assert not others.findall(path.read_text(encoding="utf-8")), path


def test_every_relative_names_the_method_that_it_varies():
    """Each row of ablations, and each rival with an assignment from the literature."""
    rows = (ROOT / "paper/verdict/ablations.csv").read_text(encoding="utf-8").splitlines()
    place = rows[0].split(",").index("method")
    assert {row.split(",")[place] for row in rows[1:]} == {"plain", "ours"} <= names.METHODS.keys()
