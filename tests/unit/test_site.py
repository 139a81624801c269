"""The documentation site is built without a network and without warnings, and needs no network to be read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the extra docs is not installed")

ROOT = Path(__file__).parents[2]
BUILD = """
import socket, sys
from sphinx.cmd.build import main

def refuse(*arguments, **options):
    raise SystemExit(f"asked for the network: {arguments}")

socket.getaddrinfo = socket.socket.connect = refuse
sys.exit(main(["--quiet", "--fail-on-warning", "--keep-going", *sys.argv[1:]]))
"""
LOADED = re.compile(r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']([^"']+)|<link\b[^>]*\bhref=["']([^"']+)""")
LOADED_BY_STYLE = re.compile(r"""(?:url\(|@import )["']?([^"')]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", BUILD, "-d", folder / "doctrees", ROOT / "docs", folder / "html"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


def test_every_document_is_a_page(site):
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert pages <= {path.stem for path in site.glob("*.html")}


def test_nothing_is_loaded_from_elsewhere(site):
    styles = [found for path in site.rglob("*.css") for found in LOADED_BY_STYLE.findall(path.read_text())]
    pages = [a or b for path in site.rglob("*.html") for a, b in LOADED.findall(path.read_text())]
    assert len(pages) > 100
    assert [address for address in styles + pages if re.match(r"(?:https?:)?//", address)] == []


def test_the_estimator_is_described_whole(site):
    from competitive_mixtures import CompetitiveMixture

    page = (site / "estimator.html").read_text()
    anchors = set(re.findall(r'id="competitive_mixtures\.CompetitiveMixture\.(\w+)"', page))
    own = {name for name in vars(CompetitiveMixture) if not name.startswith("_")}
    assert own | {"weights_", "labels_", "history_", "lower_bound_", "converged_", "seed_"} <= anchors
    assert all(f"<strong>{name}</strong>" in page for name in CompetitiveMixture().get_params())


def test_formulas_are_drawn_by_the_browser(site):
    page = (site / "method.html").read_text()
    assert page.count("<math ") > 20
    assert "$" not in re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
