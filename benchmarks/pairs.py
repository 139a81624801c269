"""Two sides timed in turn, and the table that their seconds go into."""

import csv
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, TextIO

COLUMNS = ("name", "device", "ours_s", "reference_s", "ratio", "notes")
REPEATS = 3

Row = dict[str, str | float]
Timings = tuple[list[float], list[float]]
Clock = Callable[[], float]

# On a shared machine the seconds that a process gets say more of its work than those that pass. The wall is for
# several processes or threads.
CPU: Clock = time.process_time
WALL: Clock = time.perf_counter


def time_alternately(
    ours: Callable[[], Any], reference: Callable[[], Any], repeats: int, clock: Clock = CPU
) -> tuple[Any, Any, Timings]:
    """Run both sides in turn; gives their last results and the seconds of every run."""
    seconds: Timings = ([], [])
    results: list[Any] = [None, None]
    for _ in range(repeats):
        for side, function in enumerate((ours, reference)):
            start = clock()
            results[side] = function()
            seconds[side].append(clock() - start)
    return results[0], results[1], seconds


def make_row(name: str, timings: Timings, notes: str, *, per: int = 1) -> Row:
    """A row of the medians; `per` is how many times a run does what the row counts."""
    ours_s, reference_s = (statistics.median(side) / per for side in timings)
    row = make_single_row(name, ours_s, notes)
    return row | {"reference_s": float(f"{reference_s:.4g}"), "ratio": round(reference_s / ours_s, 2)}


def make_single_row(name: str, seconds: float, notes: str) -> Row:
    """A row without a reference."""
    return {"name": name, "device": "cpu", "ours_s": float(f"{seconds:.4g}"), "notes": notes}


def write_rows(rows: Iterable[Row], file: TextIO = sys.stdout) -> None:
    """Write rows as CSV, each as soon as it is known."""
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row)
        file.flush()
