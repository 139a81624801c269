"""Texts of the user's in a figure: as they are written, no formulas, and without boxes for what no font can show."""

import sys
import unicodedata
from collections.abc import Mapping

from competitive_mixtures.report.figures.style import FONTS

MAX_LENGTH = 32  # characters of a title; longer ones would leave no room for the panels
MAX_LABEL = 24  # characters of a label's name
MAX_NAMED = 5  # names in a message
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode's categories of control characters, halves of pairs and line ends
JOINERS = "\u200c\u200d"  # control characters that Persian and the scripts of India are written with


def plain_text(text: str, limit: int = MAX_LENGTH) -> str:
    """A text for Matplotlib to draw as it is: dollar signs are no formula, and what is longer than `limit` is cut.

    Characters that no font of the figures has are written as their code points, say `U+732B`.
    """
    shown = "".join(c if has_glyph(c) else f"U+{ord(c):04X}" for c in text)
    shown = shown if len(shown) <= limit else f"{shown[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"
    return shown.replace("$", r"\$")


def label_texts(names: Mapping[int, str], figure: str) -> list[str]:
    """Names of labels for a figure; a name with a character that no font has gives way to the label's number.

    Args:
        names: by the label's number, in the order of the figure.
        figure: its name, for the message on the standard error that says which names are numbers.

    Returns:
        One text a label, ready for Matplotlib.
    """
    missing = {number: f"label {number}" for number, name in names.items() if not all(map(has_glyph, name))}
    if missing:
        named = ", ".join(f"{names[number]!r} is {text!r}" for number, text in list(missing.items())[:MAX_NAMED])
        print(
            f"figure {figure}: {len(missing)} of {len(names)} names of labels have characters that the figures' fonts "
            f"lack, and are drawn as numbers: {named}{', ...' if len(missing) > MAX_NAMED else ''}",
            file=sys.stderr,
        )
    return [missing.get(number) or plain_text(name, MAX_LABEL) for number, name in names.items()]


def has_glyph(character: str) -> bool:
    """Whether one of the figures' fonts can draw a character; none can draw line ends and other control characters."""
    from matplotlib.font_manager import findfont, get_font

    if unicodedata.category(character) in UNSEEN and character not in JOINERS:
        return False
    return any(get_font(findfont(font)).get_char_index(ord(character)) for font in FONTS)
