"""Texts are UTF-8 whatever the locale is: everything that opens one names its encoding."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def opens_text_by_locale(call):
    """Whether a call opens a file, or a program's output, as text and leaves the encoding to the locale."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    words = {word.arg: word.value for word in call.keywords}
    if "encoding" in words:
        return False
    if name in ("read_text", "write_text"):
        return isinstance(call.func, ast.Attribute)
    if name in ("run", "Popen", "check_output"):
        return bool({"text", "universal_newlines"} & words.keys())
    if name in ("TextIOWrapper", "NamedTemporaryFile", "TemporaryFile", "fdopen"):
        return not any("b" in str(getattr(mode, "value", "")) for mode in modes(call, words))
    if name == "open":
        owner = getattr(getattr(call.func, "value", None), "id", "")
        return owner not in ("Image", "tarfile") and not any("b" in text(mode) for mode in modes(call, words))
    return False


def modes(call, words):
    """Constants among a call's arguments that may be a mode, `"rb"` say."""
    return [*call.args, *([words["mode"]] if "mode" in words else [])]


def text(node):
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) and set(value) <= set("rwxabt+") else ""


def find_calls(source):
    return [
        node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and opens_text_by_locale(node)
    ]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("open('a')", True),
        ("path.open()", True),
        ("path.open('a+', buffering=1)", True),
        ("path.read_text()", True),
        ("path.write_text(words)", True),
        ("subprocess.run(words, text=True)", True),
        ("open('a', 'rb')", False),
        ("path.open(mode='wb')", False),
        ("path.read_text('utf-8')", True),  # by name, so that it can be found
        ("path.read_text(encoding='utf-8')", False),
        ("path.open('w', encoding='utf-8')", False),
        ("Image.open(data)", False),
        ("run(words, capture_output=True)", False),
    ],
)
def test_calls_are_told_apart(source, found):
    assert bool(find_calls(source)) == found


def test_every_text_names_its_encoding():
    assert len(SOURCES) > 100
    found = [
        f"{path.relative_to(ROOT)}:{line}" for path in SOURCES for line in find_calls(path.read_text(encoding="utf-8"))
    ]
    assert found == []
