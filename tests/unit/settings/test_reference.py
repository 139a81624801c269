"""The documents that are made of the schema: current, complete, and their links lead somewhere."""

import re

import pytest
from examples import ROOT

from competitive_mixtures.settings.json_schema import make_schema
from competitive_mixtures.settings.reference import COMMAND, find_places, make_anchor, make_documents, render

SCHEMA = make_schema()
TEXT = render(SCHEMA)


def read_row(text, title, key):
    """The cells of a key's row in the table below a heading."""
    _, _, section = text.partition(f"\n## {title}\n")
    (row,) = re.findall(rf"^\| `{key}` \|.*$", section.partition("\n## ")[0], re.MULTILINE)
    return [cell.strip() for cell in row.strip("|").split(" | ")]


@pytest.mark.parametrize("path", ["params.schema.json", "docs/settings.md"])
def test_the_documents_are_current(path):
    assert (ROOT / path).read_text() == make_documents()[path], f"{path} is not what the code says: run `{COMMAND}`"


def test_every_key_of_the_file_has_its_row():
    places = find_places(SCHEMA)
    assert places["Optimizer"] == [
        "experiments.<name>.components[].optimizer",
        "experiments.<name>.components[].critic_optimizer",
        "experiments.<name>.scoring.optimizer",
        "experiments.<name>.representation.optimizer",
        "experiments.<name>.autoencoder.optimizer",
    ]
    whole = {name for name in SCHEMA["$defs"] if not name.endswith(".partial")}
    assert places.keys() == whole
    keys = sum(len(SCHEMA["$defs"][name]["properties"]) for name in whole) + len(SCHEMA["properties"])
    assert len(re.findall(r"^\| `", TEXT, re.MULTILINE)) == keys


def test_a_row_tells_range_unit_and_default():
    assert read_row(TEXT, "`training`", "batch_size") == [
        "`batch_size`",
        "points of its cell that a component draws in one step",
        "1 ≤ integer ≤ 10,000,000",
        "points",
        "*required*",
    ]
    assert read_row(TEXT, "`evaluation`", "fid_features")[2:] == [
        "`64`, `192`, `768`, `2048` or `null`",
        "features",
        "`null`",
    ]
    assert read_row(TEXT, "`resources`", "gpu")[2:4] == ["0 ≤ integer ≤ 1,000 or `auto`", "GPUs"]
    assert read_row(TEXT, "`optimizer`, `critic_optimizer`", "beta1")[2] == "0 ≤ number < 1"
    assert read_row(TEXT, "`datasets.<name>` of kind `gaussians`", "seed")[2] == "0 ≤ integer < 4,294,967,296"
    assert read_row(TEXT, "`encoder`, `decoder`, `generator`, `critic`, `network` of kind `mlp`", "hidden")[2:4] == [
        "list (1 to 100) of 1 ≤ integer ≤ 100,000",
        "units",
    ]


def test_links_lead_to_headings():
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    anchors = [make_anchor(heading) for heading in headings]
    assert len(set(anchors)) == len(anchors)
    links = re.findall(r"\]\(#([^)]*)\)", TEXT)
    assert set(links) == set(anchors) - {"the-file"}
    assert make_anchor("`scoring` of kind `soft_bound`") == "scoring-of-kind-soft_bound"
