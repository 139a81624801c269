"""Processes of this machine: whether one is alive, and which one a number means."""

import os
from pathlib import Path

MACHINE = os.uname().nodename.replace("/", "-")


def find_start(pid: int) -> str | None:
    """When a process started, which tells it from a later one of the same number.

    Args:
        pid: its number, on this machine.

    Returns:
        Ticks since the machine's start; "" where the system does not tell; None where no such process is alive.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:  # somebody else's
        return ""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # a system without /proc
        return ""
    state, *fields = status.rpartition(")")[2].split()  # what stands before is the program's name, in parentheses
    return None if state in "ZX" else fields[18]  # a zombie has ended and only waits for its parent to notice


def kill_children() -> None:
    """Kill the programs that this process has started, where the system tells which."""
    for file in Path("/proc/self/task").glob("*/children"):
        for pid in file.read_text(encoding="ascii").split():
            os.kill(int(pid), 9)
