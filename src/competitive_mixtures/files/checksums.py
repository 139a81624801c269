"""Checksums of files, and lists of them: one file that stands for all that it names."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from competitive_mixtures.files.access import check_regular
from competitive_mixtures.files.formats import write_text_if_changed


def sha256_of(path: Path) -> str:
    """SHA-256 of a regular file's content, in hex.

    Raises:
        OSError: it cannot be read, or is no regular file, see `check_regular`.
    """
    check_regular(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_listing(path: Path, files: Iterable[Path]) -> None:
    """List files as `sha256sum` does, where that is not what the file at `path` says already.

    An edited file makes the list a newer one, for Snakemake; a file that was only touched does not.

    Raises:
        OSError: one of the files cannot be read, or is no regular file.
        UserError: the list cannot be written.
    """
    write_text_if_changed(path, "".join(f"{sha256_of(file)}  {file.as_posix()}\n" for file in files))
