"""YAML as plain data; keys that hide each other are refused."""

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.yaml_files import read_yaml


@pytest.fixture
def write(tmp_path):
    def write(text):
        (tmp_path / "é.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "é.yaml"

    return write


def test_plain_data(write):
    assert read_yaml(write("a: [1, {b: é}]\nc: null\n")) == {"a": [1, {"b": "é"}], "c": None}
    assert read_yaml(write("# nothing")) is None


def test_every_repeated_key_is_named_with_its_lines(write):
    with pytest.raises(UserError) as caught:
        read_yaml(write("a: 1\nb:\n  - c: 1\n    d: {e: 1, e: 2, e: 3}\n    c: 2\na: 2\n"))
    places = [line.partition("é.yaml: ")[2].partition(";")[0] for line in str(caught.value).splitlines()]
    assert places == [
        "a: stands in line 1 and again in line 6",
        "b.0.c: stands in line 3 and again in line 5",
        "b.0.d.e: stands in line 4 and again in line 4",
        "b.0.d.e: stands in line 4 and again in line 4",
    ]


def test_keys_that_only_look_alike(write):
    assert read_yaml(write("1: a\n'1': b\n")) == {1: "a", "1": "b"}


def test_a_merged_key_may_be_overwritten(write):
    text = "a: &a {x: 1, y: 2}\nb: &b {z: 3}\nc: {<<: *a, <<: *b, x: 4}\nd: [*a, *a]\n"
    assert read_yaml(write(text))["c"] == {"x": 4, "y": 2, "z": 3}
    with pytest.raises(UserError, match=r"c\.x: stands in line 2 and again in line 2"):
        read_yaml(write("a: &a {x: 1}\nc: {<<: *a, x: 4, x: 5}\n"))


def test_what_stands_in_itself(write):
    assert read_yaml(write("a: &a {b: *a}\n"))["a"]["b"]["b"]


@pytest.mark.parametrize("text", ["a: [1", "a: 1\n\tb: 2", "a: 2020-13-01", "--- 1\n--- 2", "[" * 5000])
def test_no_yaml(write, text):
    with pytest.raises(UserError, match=r"é\.yaml: expected YAML"):
        read_yaml(write(text))


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml: cannot be read \(No such file"):
        read_yaml(tmp_path / "none.yaml")
