"""The machine, the versions and the commit that a report was made with."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any


def describe_machine(root: Path = Path()) -> dict[str, Any]:
    """Metadata for the report: processor, cores, memory in GiB, GPU or None, versions, and the commit of `root`."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": _first_line("nvidia-smi", "--query-gpu=name", "--format=csv,noheader"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "commit": _first_line("git", "-C", str(root), "rev-parse", "--short=12", "HEAD") or "unknown",
    }


def _processor() -> str:
    """The processor's name; the architecture where the system does not give one."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _first_line(program: str, *arguments: str) -> str | None:
    """The first line that a program prints; None where there is no such program or it fails."""
    if shutil.which(program) is None:
        return None
    result = subprocess.run([program, *arguments], capture_output=True, encoding="utf-8", errors="replace", check=False)
    return result.stdout.splitlines()[0].strip() if result.returncode == 0 and result.stdout else None
