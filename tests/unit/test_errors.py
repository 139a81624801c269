"""Names as messages and figures can show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.errors import printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cats & dogs $_#<>{}\\", "cats & dogs $_#<>{}\\"),
        ("Käfer 猫 שלום 👨‍👩‍👧", "Käfer 猫 שלום 👨‍👩‍👧"),
        ("a\nb\tc\x1b[0m\x7f\x85", r"a\nb\tc\x1b[0m\x7f\x85"),
        ("caf\udce9 \ud800", r"caf\xe9 \ud800"),
        ("\u202egnp.exe \u2028", r"\u202egnp.exe \u2028"),
    ],
)
def test_what_would_disturb_the_text_is_escaped(name, shown):
    assert printable(name) == shown


@given(st.text(st.characters(codec=None)))
def test_every_name_becomes_one_line_of_utf_8(name):
    shown = printable(name)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert printable(shown) == shown
