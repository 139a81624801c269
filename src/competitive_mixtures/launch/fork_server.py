"""Jobs forked from one process that has PyTorch imported: the import takes two seconds of each job otherwise.

`snakemake` starts the server (`snakemake_entry.py`) and tells its jobs where it listens. A job's command
(`pipeline.fork_client`) hands over its words, environment, folder and output, and waits; the server forks, and the copy
works. Nothing else changes: the copy is a process of its own with its own memory, and a command that finds no server
does its work itself. The socket has a name and no file, which only Linux knows: it needs no folder, and a kill leaves
nothing behind. Other systems do without the server.
"""

import ctypes
import gc
import importlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from competitive_mixtures.pipeline.fork_client import ADDRESS, LENGTH_BYTES, THREADS, is_own
from competitive_mixtures.pipeline.lifeline import RUN, name_run
from competitive_mixtures.pipeline.worker import close_all, tell_end, work

MODULES = (
    "competitive_mixtures.pipeline.jobs",
    "competitive_mixtures.pipeline.cli",
    "competitive_mixtures.pipeline.evaluate",
    "competitive_mixtures.pipeline.representation",
)
FEW_NEED = ("scipy.stats", "sklearn.cluster", "sklearn.mixture")  # as long to import as all of the above but PyTorch
MANY_JOBS = 10  # of a run that is likely to have some of the few
BACKLOG = 64
PR_SET_PDEATHSIG = 1  # of prctl(2)
LIFE_LINE = 0  # the server's standard input, and its copies': a pipe that ends with Snakemake's process


@contextmanager
def serve_jobs() -> Iterator[None]:
    """Have the jobs that are started inside the block end with this process, and a server for them where one starts.

    The server imports nothing before the first of them.
    """
    os.environ[RUN] = name_run()
    os.environ.pop(ADDRESS, None)  # of a run that this one is part of
    server = start_server()
    try:
        yield
    finally:
        os.environ.pop(ADDRESS, None)
        os.environ.pop(RUN, None)
        if server:
            server.kill()  # its jobs are done; it may be in the middle of an import
            server.communicate()


def start_server() -> subprocess.Popen[bytes] | None:
    """Start the server and name it in the environment; None where that cannot be done, which is said in a sentence."""
    if sys.platform != "linux":
        return None
    address = f"competitive-mixtures-{secrets.token_hex(16)}"
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"\0{address}")
            listener.listen(BACKLOG)
            command = [sys.executable, "-m", __name__, str(listener.fileno())]
            server = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
                env=os.environ | dict.fromkeys(THREADS, "1"),
            )
    except OSError as error:
        print(f"note: each job imports PyTorch itself, in two seconds ({error})", file=sys.stderr)
        return None
    os.environ[ADDRESS] = address
    return server


class Server:
    """Forks a copy for each connection until the standard input ends.

    Args:
        listener: a listening socket.
        run: what a copy does; it reads its words from `sys.argv`.

    Attributes:
        jobs: the connection of every copy that is at work, by its process's number.
        taken: copies so far.
    """

    def __init__(self, listener: socket.socket, run: Callable[[], None]) -> None:
        self.listener, self.run = listener, run
        self.jobs: dict[int, socket.socket] = {}
        self.taken = 0

    def serve(self) -> None:
        """Serve; an error of the system ends the server, and jobs do without it."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the jobs and for Snakemake
        self.ended, ended = os.pipe()
        os.set_blocking(ended, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ended, warn_on_full_buffer=False)
        while True:
            ready = select.select([self.listener.fileno(), LIFE_LINE, self.ended], [], [])[0]
            if LIFE_LINE in ready:
                return
            if self.ended in ready:
                os.read(self.ended, 4096)
                self.note_ends()
            if self.listener.fileno() in ready:
                self.take_job(self.listener.accept()[0])

    def take_job(self, connection: socket.socket) -> None:
        """Fork a copy for one job; a connection that is closed before tells the command to do it itself."""
        if not is_own(connection):
            connection.close()
            return
        if not self.taken:
            prepare()
        pid = os.fork()
        if pid:
            self.jobs[pid] = connection
            self.taken += 1
            if self.taken == MANY_JOBS:
                self.prepare_for_few()
            return
        signal.set_wakeup_fd(-1)
        os.close(self.ended)
        close_all([self.listener, *self.jobs.values()])
        start_copy(connection, self.run)

    def prepare_for_few(self) -> None:
        """Import what few jobs need; the ends of those that are at work are told in between."""
        for name in FEW_NEED:
            importlib.import_module(name)
            self.note_ends()
        gc.freeze()

    def note_ends(self) -> None:
        """Tell the commands of copies that were killed, and forget all that have ended."""
        while self.jobs:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if connection := self.jobs.pop(pid, None):  # else of a program that an import started
                tell_end(connection, status)


def prepare() -> None:
    """Import what all jobs need, and do what each of them does first."""
    jobs, cli, *_ = map(importlib.import_module, MODULES)
    jobs.prepare_forks()
    cli.prepare_forks()
    gc.freeze()  # so that objects stay shared between the copies


def start_copy(connection: socket.socket, run: Callable[[], None]) -> NoReturn:
    """Do one job in this copy of the server."""
    try:
        accept_job(connection)
    except OSError:  # the command was killed in the middle of asking
        os._exit(1)
    work(connection, run, LIFE_LINE)


def accept_job(connection: socket.socket) -> None:
    """Take over the environment, the folder, the output and the words of the command that asks.

    Raises:
        OSError: it is gone.
    """
    length, files, _, _ = socket.recv_fds(connection, LENGTH_BYTES, 2)
    if not length:
        raise ConnectionError
    for number, file in enumerate(files, start=1):
        os.dup2(file, number)
        os.close(file)
    with connection.makefile("rb") as stream:
        request = json.loads(stream.read(int.from_bytes(length)))
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = request["words"]


def end_with_parent() -> None:
    """Have the system kill this process when its parent ends, in the middle of an import too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    from competitive_mixtures.pipeline.cli import run_command

    end_with_parent()
    try:
        Server(socket.socket(fileno=int(sys.argv[1])), run_command).serve()
    except Exception as error:
        sys.exit(
            f"note: each job from here on imports PyTorch itself, in two seconds ({error or type(error).__name__})"
        )
