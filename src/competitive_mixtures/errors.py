"""Errors that are the user's to mend: one clear sentence, never a traceback."""

import unicodedata

BIDI_MARKS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # they turn the text around them


class UserError(ValueError):
    """A mistake in the input, named with its key or file, what was found, what was expected and what to do."""


class UserTypeError(UserError, TypeError):
    """The same of a thing that is of a wrong type, for callers who expect Python's TypeError."""


class TrainingDivergedError(UserError):
    """A training that produced a non-finite or exploding loss; names the component and the step."""


def printable(name: object) -> str:
    r"""A name as messages, figures and tables can show it.

    Control characters, line breaks, marks that turn the direction of the text around them, and bytes that are no UTF-8
    (as Python keeps them in names of files) become escapes such as `\n` and `\xe9`.
    """
    return "".join(_escape(character) if _is_unprintable(character) else character for character in str(name))


def _is_unprintable(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in BIDI_MARKS


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python writes a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def explain_missing(error: ModuleNotFoundError) -> str | None:
    """What brings a package that is missing, in a sentence; None for a module of our own, which is a fault."""
    missing = error.name or ""
    if missing.partition(".")[0] == "competitive_mixtures":
        return None
    return f"this command needs {missing}; install competitive-mixtures[pipeline]"
