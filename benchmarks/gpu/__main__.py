"""Timings on one NVIDIA GPU: k networks at once against one by one, a DCGAN's step, a round of `mnist-paper-short`.

`PYTHONPATH=src python benchmarks/gpu --out gpu.csv` needs PyTorch, NumPy and pydantic, no data and no network, and ends
within four minutes: each row is printed and written as soon as it is known, and a watchdog stops the rest.
`--device cpu --small` runs the same code on a processor in seconds, to see that it works.
"""

import argparse
import csv
import faulthandler
import sys
import time
import traceback
from pathlib import Path

import torch
from components import benchmark_compiled, benchmark_components
from dcgan import benchmark_dcgan
from rounds import benchmark_round
from timing import Bench

from competitive_mixtures.method.device import choose_kernels

COLUMNS = ("name", "device", "ours_s", "reference_s", "ratio", "notes")
DEADLINE_S = 230


def main() -> int:
    """Run all benchmarks; the exit status is 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=None, help="CSV file to write")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="a trial of the script itself")
    arguments = parser.parse_args()
    faulthandler.dump_traceback_later(DEADLINE_S, exit=True)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("benchmarks/gpu: no CUDA device on this machine: nothing is timed", file=sys.stderr)
        return 0
    choose_kernels(1)
    bench = Bench(arguments.device, *((0.3, 600, 3) if arguments.small else (3.0, 60000, 400)))
    failed = 0
    with (arguments.out or Path("/dev/stdout")).open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for benchmark in (benchmark_components, benchmark_round, benchmark_dcgan, benchmark_compiled):
            try:
                for row in benchmark(bench):
                    writer.writerow(row)
                    file.flush()
                    print(row["name"], row.get("ours_s", ""), row.get("ratio", ""), row["notes"], file=sys.stderr)
            except Exception:
                failed += 1
                print(f"{benchmark.__name__} failed:", file=sys.stderr)
                traceback.print_exc()
    print(f"{failed} failed; {time.perf_counter() - bench.start:.0f} s", file=sys.stderr)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
