"""A job's side of the fork server: its command hands over what it was asked to do, and waits.

See `launch.fork_server`. A command that finds no server does its work itself.
"""

import json
import os
import signal
import socket
from collections.abc import Sequence

ADDRESS = "COMPETITIVE_MIXTURES_FORKSERVER"  # environment variable: the server's socket
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # read by libraries when they are imported
LENGTH_BYTES = 8  # of the number in front of a request


def connect() -> socket.socket | None:
    """A connection to the server, where there is one that does the same as this process would.

    It has one thread a library. A job of Slurm's runs in its own process, where Slurm counts it.
    """
    address = os.environ.get(ADDRESS)
    if not address or "SLURM_JOB_ID" in os.environ or any(os.environ.get(name, "1") != "1" for name in THREADS):
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address)
    except OSError:  # it has ended, and its work can be done here
        connection.close()
        return None
    return connection


def run_job(connection: socket.socket, words: Sequence[str]) -> int:
    """Have the server run a command with this process's environment, folder and output.

    Args:
        connection: from `connect`.
        words: the command line, the program's name first.

    Returns:
        The exit status; 1 where the job was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end at once: the job does when this end of the connection is gone
    request = json.dumps({"words": list(words), "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
    socket.send_fds(connection, [len(request).to_bytes(LENGTH_BYTES)], [1, 2])
    connection.sendall(request)
    status = connection.recv(1)
    return status[0] if status else 1
