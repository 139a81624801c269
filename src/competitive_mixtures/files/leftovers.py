"""What killed processes of this machine leave, half files and temporary folders: the next one removes it."""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from competitive_mixtures.processes import MACHINE, find_start

TEMPORARY = "competitive-mixtures"  # how the names of temporary folders begin


def name_partial(path: Path) -> Path:
    """Where this process writes what is to replace `path`: the name tells whose it is."""
    return path.with_name(f".{MACHINE}-{os.getpid()}.{path.name}")


def remove_left_over(path: Path) -> None:
    """Remove what killed processes have left of writing `path`."""
    for left in path.parent.glob(f".{glob.escape(MACHINE)}-*.{glob.escape(path.name)}"):
        pid = left.name.removeprefix(f".{MACHINE}-").removesuffix(f".{path.name}")
        if pid.isdecimal() and find_start(int(pid)) is None:
            with suppress(OSError):  # somebody else's, or another process was faster
                left.unlink()


@contextmanager
def make_temporary_folder() -> Iterator[Path]:
    """A folder for the length of the block; those of this user's processes that were killed are removed."""
    import shutil
    import tempfile

    for left in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}-*-*"):
        pid = left.name.removeprefix(f"{TEMPORARY}-").partition("-")[0]
        is_mine = left.lstat().st_uid == os.getuid()
        if is_mine and pid.isdecimal() and find_start(int(pid)) is None:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}-{os.getpid()}-") as folder:
        yield Path(folder)
