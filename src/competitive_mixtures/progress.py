"""Progress of a long step: a bar on a terminal, a plain line every few seconds in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

LOG_INTERVAL_S = 10.0

Progress = Callable[[int], None]
"""What is told the number of further steps done."""

_hidden: ContextVar[bool] = ContextVar("hidden", default=False)


def tell(sentence: str) -> None:
    """Print a sentence to stderr, a rule's log; a log on a full disk ends no job."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)


@contextmanager
def hide_progress(hidden: bool = True) -> Iterator[None]:
    """Show nothing of the steps inside the block, or all of them where a block around it hides its own."""
    token = _hidden.set(hidden)
    try:
        yield
    finally:
        _hidden.reset(token)


@contextmanager
def show_progress(what: str, total: int) -> Iterator[Progress]:
    """Give a function that is told how many more steps are done.

    Args:
        what: named in front of the bar or line.
        total: steps in all.

    Yields:
        A function of the number of further steps.
    """
    if _hidden.get():
        yield lambda steps: None
        return
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=what, unit="step") as bar:
            yield bar.update
        return
    start = last = time.monotonic()
    done = 0

    def report(steps: int) -> None:
        nonlocal last, done
        done += steps
        now = time.monotonic()
        if now - last >= LOG_INTERVAL_S or done == total:
            last = now
            tell(f"{what}: {done}/{total} steps, {now - start:.1f} s")

    yield report
