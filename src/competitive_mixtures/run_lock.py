"""Going on after a kill: the lock that a killed Snakemake leaves on its folder is removed by the next run.

A run holds a file lock, which the system takes back when the process ends, however it ends. Who gets it and finds the
record of a run that has not ended well removes that run's lock; where another run is going on, Snakemake refuses.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

NOT_A_RUN = frozenset({"-n", "--dry-run", "--dryrun", "--unlock", "--report", "--lint", "--help", "-h", "--version"})
"""Options with which Snakemake runs no job."""
ELSEWHERE = frozenset({"-d", "--directory"})
"""Options that make Snakemake work, and lock, in another folder."""
RECORD = Path(".snakemake/run.pid")
LOCKS = Path(".snakemake/locks")


@contextmanager
def record_run(words: Sequence[str]) -> Iterator[None]:
    """Keep a record of this run while the block lasts, and clean up after one that was killed.

    Args:
        words: the command line without the program's name.
    """
    options = {word.partition("=")[0] for word in words}
    if options & (NOT_A_RUN | ELSEWHERE) or not Path("Snakefile").is_file():
        yield
        return
    with ExitStack() as stack:
        try:
            RECORD.parent.mkdir(exist_ok=True)
            record = stack.enter_context(RECORD.open("a+", buffering=1))
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
