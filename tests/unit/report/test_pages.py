"""Tables and animations as pages: every field is text, whatever it holds."""

import base64

import pytest
from docutils.core import publish_parts
from jinja2 import Template

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.pages import write_pages


@pytest.fixture
def root(tmp_path):
    for folder in ("results", "paper/tables", "paper/figures"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "results/summary.csv").write_text('metric,value\n"<script>a</script>, é",0.123456789\npurity,\n')
    (tmp_path / "results/claims.csv").write_text("id,verdict\nC1,not run\n")
    (tmp_path / "paper/tables/density.csv").write_text("mean\n1.5\n")
    (tmp_path / "paper/figures/animation-dots.gif").write_bytes(b"GIF89a")
    return tmp_path


def test_pages_of_tables_and_animations(root, tmp_path):
    write_pages(root, tmp_path / "pages")
    pages = {path.relative_to(tmp_path / "pages").as_posix() for path in (tmp_path / "pages").rglob("*.html")}
    assert pages == {f"tables/{name}.html" for name in ("summary", "claims", "density")} | {
        "animations/animation-dots.html"
    }
    assert "verdict" in (tmp_path / "pages/overview.rst").read_text(encoding="utf-8")
    summary = (tmp_path / "pages/tables/summary.html").read_text(encoding="utf-8")
    assert "<td>&lt;script&gt;a&lt;/script&gt;, é</td>" in summary
    assert '<td class="number" title="0.123456789">0.123457</td>' in summary
    assert "<td></td>" in summary
    assert "R0lGODlh" in (tmp_path / "pages/animations/animation-dots.html").read_text()


def test_the_overview_is_a_description_that_nothing_is_read_into(root, tmp_path):
    """Through Jinja and docutils, as Snakemake's report takes it; docutils refuses lines above 10,000 characters."""
    (root / "results/claims.csv").write_text("id,claim,verdict\nC1,{{ a }} <b> *k*,not run\n")
    (root / "paper/figures/partitions.png").write_bytes(bytes(range(256)) * 60)
    write_pages(root, tmp_path / "pages")
    text = (tmp_path / "pages/overview.rst").read_text(encoding="utf-8")
    html = publish_parts(Template(text).render(), writer="html")["html_body"]
    assert "<td>{{ a }} &lt;b&gt; *k*</td><td>not run</td>" in html
    picture = html.split("data:image/png;base64,")[1].split('"')[0]
    assert base64.b64decode(picture) == bytes(range(256)) * 60
    assert "system-message" not in html


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"id,verdict\nC1,no", b"id,verdict\nC1\n"])
def test_a_broken_table_is_named(root, tmp_path, content):
    path = root / "results/claims.csv"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UserError, match=r"claims\.csv: (not found|expected a CSV file|found a row)"):
        write_pages(root, tmp_path / "pages")
