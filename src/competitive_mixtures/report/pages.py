"""Tables and animations as web pages, since Snakemake's report shows neither CSV nor GIF files."""

import base64
from html import escape
from pathlib import Path

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.formats import write_text
from competitive_mixtures.files.tables import read_fields

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5em; }
table { border-collapse: collapse; }
th, td { padding: .2em .7em; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; }
th { position: sticky; top: 0; background: #fff; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
"""


def write_pages(root: Path, out: Path) -> None:
    """Write `tables/<name>.html` for every table and `animations/<name>.html` for every animation.

    Args:
        root: the project's root, with `results/`, `paper/tables/` and `paper/figures/`.
        out: the folder to write to; each page stands alone, its picture included.

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
