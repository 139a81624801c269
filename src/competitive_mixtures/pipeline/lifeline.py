"""Killed means ended: a job follows the run that it belongs to, however the run ends.

`snakemake` names its process in the environment of its jobs. A job's command looks twice a second whether that process
and the shell between them are still there; nobody is told of a kill.
"""

import os
from collections.abc import Callable
from pathlib import Path

from competitive_mixtures.processes import MACHINE, find_start

RUN = "COMPETITIVE_MIXTURES_RUN"  # environment variable: the run's process, see `name_run`
CHECK_INTERVAL_S = 0.5


def name_run() -> str:
    """Name this process for the jobs of the run: the machine, its number and when it started."""
    return " ".join([locate(), str(os.getpid()), find_start(os.getpid()) or "-"])


def locate() -> str:
    """Name what numbers of processes hold for: a machine, on it a container, and there a job of Slurm's."""
    try:
        container = os.readlink("/proc/self/ns/pid")
    except OSError:
        container = "-"
    return " ".join(["-".join([MACHINE, *Path(container).parts]), os.environ.get("SLURM_JOB_ID") or "-"])


def follow_run() -> Callable[[], bool]:
    """A function that says whether this command still works for anybody.

    It does without a run, which is a user's call, and for a run elsewhere: jobs of Slurm's go on without Snakemake.
    """
    *place, pid, start = os.environ.get(RUN, "- - -").split(" ")
    if " ".join(place) != locate():
        return lambda: True
    parent = os.getppid()

    def is_awaited() -> bool:
        return os.getppid() == parent and (find_start(int(pid)) or "-") == start

    return is_awaited
