"""Folders that are full or cannot be written, by mounts that one command sees: for root, who may write anywhere."""

import os
import shutil
import subprocess
from functools import cache
from shlex import join, quote

from projects import Project


@cache
def can_mount() -> bool:
    """Whether this machine lets its user mount."""
    if shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", *_flags(), "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode
        == 0
    )


def run_on_full_disk(project: Project, folder: str, free_kb: int, *words: str) -> str:
    """Run a command while `folder`, which is emptied for it, is a disk with little space left."""
    mount = f"mount -t tmpfs -o size={free_kb}k none {quote(folder)}"
    return project.run("unshare", *_flags(), "bash", "-c", f"{mount} && exec {join(words)}", check=False)


def run_read_only(project: Project, folder: str, *words: str) -> str:
    """Run a command while nothing can be written below `folder`."""
    place = quote(folder)
    mount = f"mount --bind {place} {place} && mount -o remount,ro,bind {place}"
    return project.run("unshare", *_flags(), "bash", "-c", f"{mount} && exec {join(words)}", check=False)


def _flags() -> list[str]:
    return ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
