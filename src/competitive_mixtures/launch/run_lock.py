"""Going on after a kill: the lock that a killed Snakemake leaves on its folder is removed by the next run.

A run holds a file lock, which the system takes back when the process ends, however it ends. Who gets it and finds the
record of a run that has not ended well removes that run's lock; where another run is going on, Snakemake refuses.
"""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from competitive_mixtures.errors import UserError

NOT_A_RUN = re.compile(
    "-n|--dry-?run|--unlock|--report|--lint|-h|--help|-v|--version|--(dag|rulegraph|filegraph|d3dag)"
    "|-S|-D|--(detailed-)?summary|--list(-.*)?|-l|--l[tcipu]|-[kpfF]*n[kpfF]*"
)
"""Options with which Snakemake runs no job and locks nothing; `-np` is two."""
ELSEWHERE = frozenset({"-d", "--directory"})
"""Options that make Snakemake work, and lock, in another folder."""
TELLS = frozenset({"-h", "--help", "-v", "--version"})
"""Options with which Snakemake looks at no folder."""
RECORD = Path(".snakemake/run.pid")
LOCKS = Path(".snakemake/locks")


def split_options(words: Sequence[str]) -> list[str]:
    """The options among a command line's words, without their values."""
    return [word.partition("=")[0] for word in words if word.startswith("-")]


def runs_jobs(words: Sequence[str]) -> bool:
    """Whether Snakemake would run jobs on this command line (without the program's name)."""
    return not any(map(NOT_A_RUN.fullmatch, split_options(words)))


def check_folder(words: Sequence[str]) -> None:
    """Make the folder of Snakemake's own records, which it needs for a plan too.

    Args:
        words: the command line without the program's name.

    Raises:
        UserError: nothing can be written here.
    """
    if not works_here(words) or TELLS & set(words):
        return
    try:
        LOCKS.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{LOCKS}: cannot be written ({error.strerror}), and Snakemake keeps its records there; free space or "
            "permissions, or copy the project to where you may write"
        ) from error


def works_here(words: Sequence[str]) -> bool:
    """Whether Snakemake would work in this folder, and this is a project's."""
    return Path("Snakefile").is_file() and not ELSEWHERE & set(split_options(words))


@contextmanager
def record_run(words: Sequence[str]) -> Iterator[None]:
    """Keep a record of this run while the block lasts, and clean up after one that was killed.

    Args:
        words: the command line without the program's name.
    """
    if not runs_jobs(words) or not works_here(words):
        yield
        return
    with ExitStack() as stack:
        try:
            RECORD.parent.mkdir(exist_ok=True)
            record = stack.enter_context(RECORD.open("a+", buffering=1, encoding="utf-8"))
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
            record.seek(0)
            killed = record.read()
            record.truncate(0)
            record.write(f"{os.getpid()}\n")
        except OSError:  # another run is going on, or nothing can be written here: Snakemake says so
            yield
            return
        if killed:
            subprocess.run([sys.executable, "-m", "snakemake", "--unlock", "--quiet", "all"], check=False)
        try:
            yield
        finally:
            if not any(LOCKS.glob("*")):
                record.truncate(0)
