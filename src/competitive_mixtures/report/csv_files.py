"""CSV files with fixed columns; one that is cut short is refused rather than half read."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from competitive_mixtures.errors import UserError
from competitive_mixtures.files import read_regular, write_text

MAX_BYTES = 2**28


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows with the given columns; a value that a row lacks becomes an empty field.

    Raises:
        ValueError: a row has a key that is not among the columns.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a file that must have exactly these columns, in this order.

    Raises:
        UserError: the file is missing, cut short or has other columns.
    """
    header, rows = read_fields(path)
    if tuple(header) != tuple(columns):
        raise UserError(f"{path}: found the columns {header}, expected {list(columns)}; run its step again")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def read_fields(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read the header and the rows of a file with any columns.

    Raises:
        UserError: the file is missing, is no CSV file or is cut short.
    """
    try:
        text = read_regular(path, MAX_BYTES).decode()
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run the step that writes it first") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        found = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected a CSV file, found: {found}; delete it and run its step again") from error
    if not text.endswith("\n") or any(len(row) != len(header) for row in rows):
        raise UserError(f"{path}: found a row without all of its fields; the file is cut short: delete it, run again")
    return header, rows


def to_number(text: str) -> float:
    """A field as a number; NaN where it holds the reason why there is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
