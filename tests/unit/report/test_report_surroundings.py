"""Figures, tables and the report are the same bytes whatever Matplotlib, locale, NumPy or PyTorch the user has set."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import copy_paper, make_plan

from competitive_mixtures.report.summary import summarize
from competitive_mixtures.report.tables.write import write_tables

PROGRAM = Path(__file__).with_name("make_report.py")
HOSTILE = {
    "a notebook's backend and other numerics": {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline", "COLUMNS": "20",
        "OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "GIT_DIR": "/nowhere",
    },
    "a backend that does not exist, no encoding, no locale": {
        "MPLBACKEND": "nonsense", "DISPLAY": ":99",
        "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "LANG": "C",
    },
    "other interpreter and terminal": {
        "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo",
        "PYTHONIOENCODING": "ascii", "TERM": "dumb", "NO_COLOR": "1", "SOURCE_DATE_EPOCH": "1",
    },
}  # fmt: skip
MATPLOTLIBRC = """\
backend: TkAgg
axes.formatter.use_locale: True
font.family: DejaVu Sans Mono
figure.dpi: 41
figure.autolayout: True
savefig.dpi: 43
savefig.bbox: tight
savefig.transparent: True
text.usetex: True
lines.linewidth: 7
svg.fonttype: none
axes.prop_cycle: cycler('color', ['ff0000'])
image.cmap: hot
"""
CUSTOMIZE = """\
import locale
import numpy
import torch
numpy.set_printoptions(precision=2, legacy="1.13")
numpy.seterr(all="raise")
torch.set_default_dtype(torch.float64)
locale.setlocale(locale.LC_ALL, "C")
import matplotlib
matplotlib.rcParams.update({"axes.facecolor": "red", "savefig.facecolor": "blue", "path.sketch": (3, 50, 2)})
"""


@pytest.fixture(scope="module")
def root(project, tmp_path_factory):
    """The made-up project with an ablation, and texts beyond ASCII."""
    root = tmp_path_factory.mktemp("surroundings") / "project"
    shutil.copytree(project, root)
    shutil.copytree(root / "results/experiments/synthetic-9", root / "results/experiments/synthetic-9-no-pretraining")
    copy_paper(root)
    meta = root / "data/processed/synthetic-3/meta.json"
    meta.write_text(meta.read_text(encoding="utf-8").replace("mode 1", "قطة, Wölfe"), encoding="utf-8")
    summarize(sorted(root.glob("results/experiments/*/seed-*")), root / "results")
    write_tables(root, root / "paper/tables", plan=make_plan())
    return root


def make(root, out, environment, cwd):
    plain = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    ran = subprocess.run(
        [sys.executable, PROGRAM, root, out], env=plain | environment, cwd=cwd, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def expected(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("plain")
    made = make(root, out, {}, out)
    assert len(made) > 25
    return made


def differing(made, expected):
    assert made.keys() == expected.keys()
    return [str(path) for path in made if made[path] != expected[path]]


@pytest.mark.parametrize("environment", HOSTILE.values(), ids=HOSTILE)
def test_the_environment_changes_no_byte(root, expected, tmp_path, environment):
    assert differing(make(root, tmp_path / "out", environment, tmp_path), expected) == []


def test_the_users_matplotlib_changes_no_byte(root, expected, tmp_path):
    """Its file in the working folder, which comes before all other places."""
    (tmp_path / "matplotlibrc").write_text(MATPLOTLIBRC, encoding="utf-8")
    assert differing(make(root, tmp_path / "out", {}, tmp_path), expected) == []


def test_libraries_set_up_at_the_interpreters_start_change_no_byte(root, expected, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(CUSTOMIZE, encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    assert differing(make(root, tmp_path / "out", {"PYTHONPATH": paths}, tmp_path), expected) == []
