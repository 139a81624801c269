"""Names of labels and experiments in figures: as they are written, or numbers that a message explains."""

import warnings

import pytest

from competitive_mixtures.report.figures.style import house_style, make_figure
from competitive_mixtures.report.figures.texts import has_glyph, label_texts, plain_text

DRAWN = ["cat", "Wölfe", "γάτα", "кошка", "قطة", "חתול", "😀", "☀\ufe0f", "می\u200cخواهم", "caf\u00e9\u00a0x", "→ 5 %"]
NOT_DRAWN = [
    "猫",
    "ねこ",
    "고양이",
    "बिल्ली",
    "แมว",
    "a\nb",
    "caf\udce9",
    "\x1b[0m",
    "\u202eabc",
    "\ufffe",
    "👨\u200d👩\u200d👧",
]


def draw(texts):
    """What Matplotlib makes of the texts, warnings being errors, as strings of the canvas."""
    with warnings.catch_warnings(), house_style():
        warnings.simplefilter("error")
        axes = (figure := make_figure(4, 4)).subplots()
        axes.set_yticks(range(len(texts)), texts)
        figure.canvas.print_figure("/dev/null", format="svg")
        return [label.get_text() for label in axes.get_yticklabels()]


def test_names_that_the_fonts_have_are_drawn(capsys):
    texts = label_texts(dict(enumerate(DRAWN)), "labels-own")
    assert texts == DRAWN
    assert draw(texts) == DRAWN
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", NOT_DRAWN)
def test_a_name_without_glyphs_gives_way_to_its_number_and_the_log_says_which(capsys, name):
    texts = label_texts({3: "a", 7: name}, "labels-own")
    assert draw(texts) == ["a", "label 7"]
    log = capsys.readouterr().err
    assert log.startswith("figure labels-own: 1 of 2 names of labels have characters that the figures' fonts lack")
    assert f"{name!r} is 'label 7'" in log
    assert log.count("\n") == 1


def test_many_names_without_glyphs_are_one_line(capsys):
    label_texts(dict.fromkeys(range(400), "猫"), "labels-own")
    log = capsys.readouterr().err
    assert log.count("'猫' is") == 5
    assert log.endswith(", ...\n")


@pytest.mark.parametrize("name", ["$x$", "$", "a$b_c^{d$", r"\$", r"$\frac", "$$", "%s", "{}", "_b", "#a", r"\alpha"])
def test_signs_of_formulas_are_drawn_as_they_are(name):
    from matplotlib.text import Text

    text = plain_text(name)
    shown, formula = Text(text=text)._preprocess_math(text)
    assert (shown, formula) == (name, False)


def test_titles_say_code_points_and_are_cut():
    assert plain_text("run 猫") == "run U+732B"
    assert plain_text("x" * 33) == "x" * 31 + "…"
    assert label_texts({0: "x" * 24, 1: "x" * 25}, "labels-own") == ["x" * 24, "x" * 23 + "…"]


def test_glyphs_are_those_of_fonts_that_matplotlib_brings():
    assert [has_glyph(c) for c in "aШق😀猫\n"] == [True, True, True, True, False, False]
