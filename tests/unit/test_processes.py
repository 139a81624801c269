"""Processes by number: alive, ended, a zombie, another one of the same number."""

import os
import subprocess
import sys

from competitive_mixtures.processes import find_start


def test_a_process_that_is_alive_has_one_start():
    assert find_start(os.getpid()) == find_start(os.getpid())
    assert find_start(1) is not None  # somebody else's, perhaps


def test_a_process_that_has_ended_has_none_and_a_zombie_has_ended():
    process = subprocess.Popen(["sleep", "60"])
    started = find_start(process.pid)
    assert started
    assert started != find_start(os.getpid())
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    assert find_start(process.pid) is None
    process.wait()
    assert find_start(process.pid) is None


def test_programs_that_a_job_has_started_end_with_it():
    program = (
        "import subprocess; from competitive_mixtures.processes import kill_children\n"
        "child = subprocess.Popen(['sleep', '60']); kill_children(); print(child.wait(timeout=10))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "-9"
