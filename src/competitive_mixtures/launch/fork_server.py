"""Jobs forked from one process that has PyTorch imported: the import takes two seconds of each job otherwise.

`snakemake` starts the server (`snakemake_entry.py`) and tells its jobs where it listens. A job's command
(`pipeline.fork_client`) hands over its words, environment, folder and output, and waits; the server forks, and the copy
works. Nothing else changes: the copy is a process of its own with its own memory, and a command that finds no server
does its work itself.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from competitive_mixtures.pipeline.fork_client import ADDRESS, LENGTH_BYTES, THREADS

MODULES = (
    "competitive_mixtures.pipeline.jobs",
    "competitive_mixtures.pipeline.evaluate",
)  # imported once; they start no threads
BACKLOG = 64


@contextmanager
def serve_jobs() -> Iterator[None]:
    """Have a server for the jobs that are started inside the block; it imports nothing before the first of them."""
    with tempfile.TemporaryDirectory(prefix="competitive-mixtures-") as folder:
        address = os.path.join(folder, "socket")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen(BACKLOG)
        # the server ends when its standard input does, however this process may end
        command = [sys.executable, "-m", __name__, str(listener.fileno())]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()], env=os.environ | dict.fromkeys(THREADS, "1")
        ):
            listener.close()
            os.environ[ADDRESS] = address
            try:
                yield
            finally:
                os.environ.pop(ADDRESS, None)


def serve(listener: socket.socket, run: Callable[[], None]) -> None:
    """Fork a copy for each connection until the standard input ends.

    Args:
        listener: a listening socket.
        run: reads its words from `sys.argv`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the jobs and for Snakemake
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        import_modules()
        if os.fork():
            connection.close()
        else:
            listener.close()
            work(connection, run)


def import_modules() -> None:
    """Import what all jobs need, once; frozen objects stay shared between the copies."""
    if MODULES[0] not in sys.modules:
        for name in MODULES:
            importlib.import_module(name)
        gc.freeze()


def work(connection: socket.socket, run: Callable[[], None]) -> None:
    """Do one job in this copy of the server, tell its exit status and end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        accept_job(connection)
        threading.Thread(target=end_with, args=[connection], daemon=True).start()
        run()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        with suppress(OSError):  # nobody waits any more
            connection.sendall(bytes([status & 255]))
        os._exit(status & 255)


def accept_job(connection: socket.socket) -> None:
    """Take over the environment, the folder, the output and the words of the command that asks."""
    length, files, _, _ = socket.recv_fds(connection, LENGTH_BYTES, 2)
    if not length:
        raise SystemExit(1)  # the command that wanted to ask was killed
    for number, file in enumerate(files, start=1):
        os.dup2(file, number)
        os.close(file)
    with connection.makefile("rb") as stream:
        request = json.loads(stream.read(int.from_bytes(length)))
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = request["words"]


def end_with(connection: socket.socket) -> None:
    """End this job when the command that asked for it is gone, killed perhaps."""
    connection.recv(1)
    os._exit(1)


if __name__ == "__main__":
    from competitive_mixtures.pipeline.cli import run_command

    serve(socket.socket(fileno=int(sys.argv[1])), run_command)
