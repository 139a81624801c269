"""The process that does a job's work: it tells its command what becomes of it, and ends with it.

One connection binds the two. The process that works says `STARTED`, then how it ended, in two bytes: `EXITED` and the
status. Where it cannot, since it was killed, its parent says `KILLED` and the signal.
"""

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from competitive_mixtures.processes import kill_children

STARTED = b"\1"
EXITED, KILLED = 1, 2


def work(connection: socket.socket, run: Callable[[], None], *others: int) -> NoReturn:
    """Do one job in this process, tell its exit status and end.

    Args:
        connection: to the job's command.
        run: reads its words from `sys.argv`.
        others: open files that end with what this job must not outlive, besides `connection`.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    done = threading.Event()
    try:
        with suppress(OSError):  # a command that has ended already: the thread ends this process too
            connection.sendall(STARTED)
        threading.Thread(target=end_with, args=[done, connection.fileno(), *others], daemon=True).start()
        run()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # a full disk has been told already
                stream.flush()
        done.set()
        with suppress(OSError):  # nobody waits any more
            connection.sendall(bytes([EXITED, status & 255]))
        os._exit(status & 255)


def end_with(done: threading.Event, *files: int) -> None:
    """End this process when one of some files, connections or pipes, ends at its other end; unless its job is done."""
    poll = select.poll()
    for file in files:
        poll.register(file, select.POLLIN)
    poll.poll()
    if done.is_set():  # the command knows, and ends as well
        return
    with suppress(OSError):
        os.write(2, b"error: ended, since the run or the command that this job belongs to was ended; run again\n")
    kill_children()
    os._exit(1)


def tell_end(connection: socket.socket, wait_status: int) -> None:
    """Tell a job's command that its process was killed, in the name of that process; what exited told it itself.

    Args:
        connection: the job's.
        wait_status: as `os.waitpid` gives it.
    """
    with connection, suppress(OSError):
        if os.WIFSIGNALED(wait_status):
            connection.sendall(bytes([KILLED, os.WTERMSIG(wait_status)]))


def close_all(connections: Sequence[socket.socket]) -> None:
    """Let go of other jobs' connections, which would otherwise not end before this process does."""
    for connection in connections:
        connection.close()
