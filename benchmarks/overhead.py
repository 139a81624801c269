"""What share of a finished `snakemake all` is not numeric work: process starts, imports, files, Snakemake itself.

`python benchmarks/overhead.py` prints one row from what the last run left: Snakemake's record of when each job began
and ended, and the seconds that the jobs' own `metrics.json` count. Both are wall time of jobs that share cores.
"""

import argparse
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pairs import Row, write_rows

UNCOUNTED = ("evaluate", "train_classifier")  # numeric work of which no file tells the seconds
FILES = ("load", "write")  # phases that are no numeric work


@dataclass
class Job:
    """A job of the run: its rule, its folder, when it ran."""

    rule: str
    out: Path
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def numeric_s(self) -> float | None:
        """Seconds of numeric work by the job's own count."""
        metrics = self.out / "metrics.json"
        phases = json.loads(metrics.read_text()).get("seconds") if metrics.exists() else None
        return None if phases is None else sum(s for phase, s in phases.items() if phase not in FILES)


def measure_overhead(root: Path) -> Iterator[Row]:
    """The row of the run in `root`, or one that says that there is none."""
    jobs = read_jobs(root)
    counted = {id(job): job.numeric_s for job in jobs if job.numeric_s is not None}
    if not counted:
        yield {"name": "overhead_of_all", "device": "cpu", "notes": "not run: no finished run here, see make reproduce"}
        return
    starts = statistics.median(job.seconds - counted[id(job)] for job in jobs if id(job) in counted)
    total, numeric = sum(job.seconds for job in jobs), sum(counted.values())
    numeric += sum(max(0.0, job.seconds - starts) for job in jobs if job.rule in UNCOUNTED)
    wall = max(job.end for job in jobs) - min(job.start for job in jobs)
    yield {
        "name": "overhead_of_all",
        "device": "cpu",
        "ours_s": round(total - numeric, 1),
        "reference_s": round(total, 1),
        "ratio": round(total / (total - numeric), 2),
        "notes": f"{1 - numeric / total:.0%} of the wall time of {len(jobs)} jobs is no numeric work; {starts:.1f} s "
        f"for the start, files and end of one (median); {wall:.0f} s from the first job to the last",
    }


def read_jobs(root: Path) -> list[Job]:
    """All jobs of which Snakemake keeps a record, one for all outputs of a job."""
    jobs: dict[tuple[str, ...], Job] = {}
    for path in sorted((root / ".snakemake" / "metadata").rglob("*")):
        if not path.is_file():
            continue
        record = json.loads(path.read_text())
        words = (record.get("shellcmd") or "").split()
        if not record.get("endtime") or "--out" not in words:
            continue
        job = Job(record["rule"], root / words[words.index("--out") + 1], record["starttime"], record["endtime"])
        known = jobs.setdefault((job.rule, *record["log"]), job)
        known.start, known.end = min(known.start, job.start), max(known.end, job.end)
    return list(jobs.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, nargs="?", default=Path(), help="where the run was made")
    write_rows(measure_overhead(parser.parse_args().root))
