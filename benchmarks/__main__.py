"""All benchmarks, each part in a process of its own, into one table: `python benchmarks --out results/bench.csv`."""

import argparse
import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import torch
from pairs import Row, write_rows

from competitive_mixtures.report.environment import describe_machine

FOLDER = Path(__file__).parent
PARTS = ("scores.py", "training.py", "curves.py", "overhead.py", "gpu")
REPEATED = ("scores.py", "training.py")  # what has two sides


def describe_run() -> Row:
    """A row that says on what machine the others were measured, of which commit, when, and beside what load."""
    machine = describe_machine(FOLDER)
    kernels, today = torch.backends.cpu.get_cpu_capability(), datetime.now(tz=UTC).date()
    notes = (
        f"{machine['processor']}, {kernels}, {machine['cores']} cores, PyTorch {machine['torch']}, "
        f"commit {machine['commit'][:7]}, {today}, load {os.getloadavg()[0]:.1f}"
    )
    return {"name": "machine", "notes": notes}


def run_parts(parts: list[str], repeats: int | None) -> Iterator[Row]:
    """A row on the machine, and those of every part; a part that gives none, or fails, is a row that says so."""
    yield describe_run()
    for part in parts:
        options = ["--repeats", str(repeats)] if repeats and part in REPEATED else []
        print(f"benchmarks: {part}", file=sys.stderr)
        command = [sys.executable, FOLDER / part, *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        yield from (dict(row) for row in csv.DictReader(io.StringIO(done.stdout)))
        if done.returncode:
            yield {"name": Path(part).stem, "notes": f"failed with exit status {done.returncode}"}
        elif part == "gpu" and not done.stdout.count("\n") > 1:
            yield {"name": "gpu", "device": "cuda", "notes": "not run: this machine has no CUDA device"}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/bench.csv"))
    parser.add_argument("--repeats", type=int, help="alternating runs of each side, in place of each part's own number")
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"some of {', '.join(PARTS)}; all by default")
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open("w", newline="") as file:
        write_rows(run_parts(arguments.parts, arguments.repeats), file)
    print(f"{arguments.out} written", file=sys.stderr)
