"""A job's command: it has the work done by another process, waits, and says in the job's log how that one ended.

The process is forked by the server that has PyTorch imported (`launch.fork_server`), or by the command itself where
there is no server, where it would do otherwise than this process, or where it ended before it took the job on.
"""

import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from competitive_mixtures.pipeline.lifeline import CHECK_INTERVAL_S, follow_run
from competitive_mixtures.pipeline.worker import KILLED, STARTED, work

ADDRESS = "COMPETITIVE_MIXTURES_FORKSERVER"  # environment variable: name of the server's socket
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # read by libraries when they are imported
LENGTH_BYTES = 8  # of the number in front of a request
START_S = 60.0  # a server that has not taken a job on by then is stopped, or waits for a disk
UNKNOWN = 0  # the signal that ended a process whose parent was killed as well


class EndedEarlyError(Exception):
    """The process at the other end is gone, or slow, and has not begun with the job."""


def connect() -> socket.socket | None:
    """A connection to the server, where there is one that does the same as this process would.

    It has one thread a library. A job of Slurm's runs in its own process, where Slurm counts it.
    """
    address = os.environ.get(ADDRESS)
    if not address or "SLURM_JOB_ID" in os.environ or any(os.environ.get(name, "1") != "1" for name in THREADS):
        return None
    try:
        connection = socket.socket(socket.AF_UNIX)
    except OSError:  # no more open files
        return None
    try:
        connection.connect(f"\0{address}")
        if is_own(connection):
            return connection
    except OSError:  # it has ended, and its work can be done here
        pass
    connection.close()
    return None


def is_own(connection: socket.socket) -> bool:
    """Whether the process at the other end is this user's: everybody on a machine can see a socket without a file."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return bool(user == os.getuid())


def run_job(words: Sequence[str], run: Callable[[], None], *, by_server: bool) -> int:
    """Have a command run with this process's environment, folder and output, and see it through.

    Args:
        words: the command line, the program's name first.
        run: does the same, and reads its words from `sys.argv`.
        by_server: whether to ask the server first.

    Returns:
        The exit status; 128 and the signal's number where the process was killed.
    """
    is_awaited = follow_run()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end at once: the job does when this end of the connection is gone
    signal.signal(signal.SIGTERM, end_on_request)
    server = connect() if by_server else None
    if server:
        with server, suppress(EndedEarlyError):
            ask(server, words)
            return wait(server, is_awaited, START_S)
    try:
        connection, others_end = socket.socketpair()
        pid = os.fork()
    except OSError:  # no more processes or open files: without a witness, then
        run()
        return 0
    if not pid:
        connection.close()
        work(others_end, run)
    others_end.close()
    with connection:
        return wait(connection, is_awaited, pid=pid)


def ask(server: socket.socket, words: Sequence[str]) -> None:
    """Hand a job over.

    Raises:
        EndedEarlyError: the server has ended.
    """
    request = json.dumps({"words": list(words), "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
    server.settimeout(START_S)
    try:
        socket.send_fds(server, [len(request).to_bytes(LENGTH_BYTES)], [1, 2])
        server.sendall(request)
    except OSError as error:
        raise EndedEarlyError from error


def wait(
    connection: socket.socket, is_awaited: Callable[[], bool], start_s: float = float("inf"), pid: int | None = None
) -> int:
    """Wait for the end of a job; ends itself, and the job with it, when nobody waits for this command any more.

    Args:
        connection: to the process that works.
        is_awaited: from `follow_run`.
        start_s: seconds in which the job has to be begun.
        pid: of the process that works, where it is this one's child.

    Returns:
        The exit status.

    Raises:
        EndedEarlyError: the job has not been begun.
    """
    deadline = time.monotonic() + start_s
    connection.settimeout(CHECK_INTERVAL_S)
    told = b""
    while len(told) < 3:
        if not is_awaited():
            os._exit(1)
        try:
            part = connection.recv(3)
        except TimeoutError:
            if not told and time.monotonic() > deadline:
                raise EndedEarlyError from None
            continue
        except ConnectionError:
            part = b""
        if not part:
            break
        told += part
    if not told and pid is None:
        raise EndedEarlyError
    end = told.removeprefix(STARTED)  # a process that is killed at once has not said that it started
    if len(end) == 2 and end[0] != KILLED:
        return end[1]
    number = end[1] if len(end) == 2 else read_signal(pid)
    print(explain_kill(number), file=sys.stderr, flush=True)
    return 128 + number if number else 1


def read_signal(pid: int | None) -> int:
    """The signal that ended a child of this process."""
    if pid is None:
        return UNKNOWN
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else UNKNOWN


def explain_kill(number: int) -> str:
    """What a job's log says of a signal that ended it."""
    if number in (signal.SIGKILL, UNKNOWN):
        cause = "killed, by the system if the memory was full"
        remedy = (
            "run fewer jobs at once (--cores, or --resources mem_mb=<of this machine> with each experiment's "
            "resources.mem_mb), or smaller networks and batches; then run again"
        )
    elif number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        cause, remedy = "asked to end", "run again"
    else:
        cause, remedy = "a crash of a library", "run again, and report it if it comes back"
    name = f"signal {number} ({signal.Signals(number).name})" if number else "a signal"
    return f"error: the job was ended by {name}: {cause}; {remedy}"


def end_on_request(number: int, _: object) -> None:
    """Say so and end, and the job with it; a cluster asks so at a job's time limit."""
    with suppress(OSError):
        print(explain_kill(number), file=sys.stderr, flush=True)
    os._exit(128 + number)
