"""Web pages for Snakemake's report, which shows neither CSV nor GIF files: tables, animations, and its first screen."""

import base64
from html import escape
from pathlib import Path
from textwrap import indent

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.formats import write_text
from competitive_mixtures.files.tables import read_fields
from competitive_mixtures.report.names import word_verdict

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5em; }
table { border-collapse: collapse; }
th, td { padding: .2em .7em; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; }
th { position: sticky; top: 0; background: #fff; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
"""
OVERVIEW_STYLE = """
div:has(> #rulegraph) { flex-direction: column; align-self: flex-start; }
div:has(> .prose #verdicts) { min-height: 96vh; }
#rulegraph { max-height: none; }
.prose.max-w-lg { max-width: none; }
#verdicts { display: flex; gap: 2em; align-items: flex-start; margin: 0; }
#verdicts table { font-size: 13px; line-height: 1.3; width: auto; margin: 0; flex: 3; }
#verdicts td, #verdicts th { padding: .3em .6em; vertical-align: top; text-align: left; }
#verdicts figure { margin: 0; flex: 2; }
#verdicts img { max-height: 78vh; margin: 0; }
"""
"""Snakemake's report has a graph of all rules beside the description; here it stands below."""
INTRODUCTION = (
    "k models compete for the points of a data set, each is trained on the points that it wins, and every round assigns"
    " the points anew. The verdicts on the paper's claims, and who won each point at the end, by each method; figures, "
    "tables and the report as a PDF are in the menu on the left, the steps that made them below."
)


def write_pages(root: Path, out: Path) -> None:
    """Write `tables/<name>.html` for every table, `animations/<name>.html` for every animation, and `overview.rst`.

    Args:
        root: the project's root, with `results/`, `paper/tables/` and `paper/figures/`.
        out: the folder to write to; each page stands alone, its picture included. The overview is a description as
            Snakemake's report takes it.

    Raises:
        UserError: a table is missing, is no CSV file or is cut short.
    """
    results, paper = Project(root).results, Project(root).paper
    for path in [results.summary.scores, results.claims, *sorted(paper.tables.glob("*.csv"))]:
        write_text(out / "tables" / f"{path.stem}.html", _page(path.stem, _table(path)))
    (out / "animations").mkdir(parents=True, exist_ok=True)  # even where there is nothing to animate
    for path in sorted(paper.figures.glob("*.gif")):
        data = base64.b64encode(path.read_bytes()).decode()
        image = f'<img src="data:image/gif;base64,{data}" alt="{escape(path.stem)}">'
        write_text(out / "animations" / f"{path.stem}.html", _page(path.stem, image))
    write_text(out / "overview.rst", _overview(root))


def _overview(root: Path) -> str:
    """The verdicts beside a picture, in a form that neither Jinja nor reStructuredText reads anything into."""
    header, rows = read_fields(Project(root).results.claims)
    claims = [dict(zip(header, row, strict=True)) for row in rows]
    lines = ["<tr><th></th><th>claim</th><th>verdict</th><th>at the authors' settings</th></tr>"]
    for row in claims:
        verdicts = [
            word_verdict(*(row.get(name, "") for name in names))
            for names in (("verdict", "preliminary", "scope"), ("authors_verdict", "authors_preliminary"))
        ]
        cells = (row["id"], row.get("claim", ""), *verdicts)
        lines.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    picture = Project(root).paper.figures / "partitions.png"
    image = ""
    if picture.is_file():
        data = base64.encodebytes(picture.read_bytes()).decode()  # in short lines, since docutils refuses long ones
        image = f'<figure><img src="data:image/png;base64,{data}" alt="who won each point at the end"></figure>'
    table = "\n".join(["<table>", *lines, "</table>"])
    body = f'{{% raw %}}\n<style>{OVERVIEW_STYLE}</style>\n<div id="verdicts">\n{table}\n{image}</div>\n{{% endraw %}}'
    return f"{INTRODUCTION}\n\n.. raw:: html\n\n{indent(body, '   ')}\n"


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _table(path: Path) -> str:
    """A CSV file as an HTML table."""
    header, rows = read_fields(path)
    lines = [f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in header)}</tr>"]
    lines += [f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _cell(text: str) -> str:
    """A field; a number is shown with six digits, a longer one in full when the pointer rests on it."""
    try:
        short = f"{float(text):.6g}"
    except ValueError:
        return f"<td>{escape(text)}</td>"
    title = "" if short == text else f' title="{escape(text)}"'
    return f'<td class="number"{title}>{short}</td>'
