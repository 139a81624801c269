"""YAML as plain data; keys that hide each other are refused."""

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.yaml_files import find_line, read_words, read_yaml


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


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000])
def test_blocks_in_blocks_without_end(write, text):
    with pytest.raises(UserError, match="expected YAML of a few levels, found hundreds"):
        read_yaml(write(text))


def test_another_encoding_is_named_with_the_line(tmp_path):
    (tmp_path / "x.yaml").write_bytes("a: 1\n# größe\nb: é\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"x\.yaml: expected YAML in UTF-8, found other bytes in line 2; save it so"):
        read_yaml(tmp_path / "x.yaml")


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml: cannot be read \(No such file"):
        read_yaml(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *[("5e-05", 5e-05), ("1e-4", 1e-4), ("1e3", 1e3), ("1.e5", 1e5), (".5", 0.5), ("-.5e-3", -5e-4), ("+1.5", 1.5)],
        *[("1E-4", 1e-4), ("1.0e+6", 1e6), ("1_000", 1000), ("1_000.5", 1000.5), ("0", 0), ("-7", -7), ("3.", 3.0)],
        *[("010", 10), ("0o10", 8), ("0x1F", 31), ("true", True), ("False", False), ("null", None), ("~", None)],
        *[("yes", "yes"), ("off", "off"), ("1:30", "1:30"), ("e5", "e5"), ("1e", "1e"), ("'1e-4'", "1e-4"), (".", ".")],
        *[("1.2.3", "1.2.3"), ("0b1", "0b1"), ("-", None), ("_1", "_1"), ("6f2", "6f2"), ("12e03", 12e3)],
    ],
)
def test_numbers_and_switches_of_yaml_1_2(write, word, value):
    if word == "-":
        assert read_yaml(write("- ")) == [None]
        return
    found = read_yaml(write(f"a: {word}\n"))["a"]
    assert (type(found), found) == (type(value), value)


def test_infinite_numbers(write):
    assert read_yaml(write("[.inf, -.INF]")) == [float("inf"), -float("inf")]
    (number,) = read_yaml(write("[.nan]"))
    assert number != number


@pytest.mark.parametrize("number", [5e-05, 1e-300, 1e16, 123456.789, 1e-4, 0.1, -2.5e-7, 3.0, 12, 1e22])
def test_numbers_that_dvc_writes(write, tmp_path, number):
    from dvc.utils.serialize import dump_yaml

    dump_yaml(str(tmp_path / "dvc.yaml"), {"a": number})
    found = read_yaml(tmp_path / "dvc.yaml")["a"]
    assert (type(found), found) == (type(number), number)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("a", 1),
        ("b.x", 4),
        ("c.x", 4),
        ("c.y", 6),
        ("d.1", 10),
        ("d.1.z", 10),
        ("d.2", None),
        ("a.x", None),
        ("e", None),
    ],
)
def test_the_line_of_a_key(write, keys, line):
    path = write("a: 1\n\nb: &b\n  x: 1\nc:\n  y: 2\n  <<: *b\nd:\n  - 0\n  - {z: 2}\n")
    assert find_line(path, keys.split(".")) == line


def test_words_of_a_command_line():
    words = {"a": "3", "b": ["1e-4", "true"], "c": "mlp", "d": 2, "e": "null", "f": "[1", "g": "2020-01-01"}
    read = {"a": 3, "b": [1e-4, True], "c": "mlp", "d": 2, "e": None, "f": "[1", "g": "2020-01-01"}
    assert read_words(words) == read
