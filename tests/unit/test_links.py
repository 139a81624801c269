"""The documents' links lead somewhere, without a network: files, folders, and headings of other pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("paper/**/*.md")])
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(\s*([^)\s]+)\s*\)")


def list_anchors(path):
    """What GitHub and MyST call the headings of a page."""
    found = []
    for heading in HEADING.findall(FENCE.sub("", path.read_text())):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = sum(other == anchor or re.fullmatch(rf"{re.escape(anchor)}-\d+", other) is not None for other in found)
        found.append(f"{anchor}-{count}" if count else anchor)
    return found


def find_broken_links(path):
    broken = []
    for link in LINK.findall(CODE.sub("`code`", path.read_text())):
        name, _, anchor = link.partition("#")
        if re.match(r"https?://[^/]+", link):
            continue
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in list_anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    assert find_broken_links(path) == []


def test_every_page_is_looked_at():
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "index.md", "settings.md"} <= {p.name for p in DOCUMENTS}
    assert sum(len(LINK.findall(path.read_text())) for path in DOCUMENTS) > 50


def test_broken_links_are_found(tmp_path):
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# One `<b>` of two, at last\n## Twice\n## Twice\n```\n# no heading\n```\n")
    sound = ["other.md", "#a-page", "other.md#one-b-of-two-at-last", "other.md#twice-1", "https://a.org/b#c", "../"]
    broken = ["gone.md", "#gone", "other.md#no-heading", "other.md#twice-2", "http:///"]
    links = "\n".join(f"[words]({link})" for link in [*sound, *broken])
    page.write_text(f"# A page\n{links}\n`[code](nowhere)`\n```\n[code](nowhere)\n```\n")
    assert find_broken_links(page) == broken
