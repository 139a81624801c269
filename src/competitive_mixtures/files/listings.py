"""Lists of files with their checksums, one file that stands for all of them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from competitive_mixtures.files.formats import write_text_if_changed


def write_listing(path: Path, files: Iterable[Path]) -> None:
    """List files as `sha256sum` does, where that is not what the file at `path` says already.

    An edited file makes the list a newer one, for Snakemake; a file that was only touched does not.
    """
    lines = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.as_posix()}\n" for file in files)
    write_text_if_changed(path, "".join(lines))
