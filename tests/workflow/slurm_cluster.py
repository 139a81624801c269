"""A Slurm cluster of one node from Debian's packages, in a folder of its own: nothing outside of it is changed."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo", "srun")
PACKAGES = "slurm-wlm slurm-client slurmctld slurmd munge"
CONFIGURATION = """
ClusterName=tiny
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
StateSaveLocation={root}/ctld
SlurmdSpoolDir={root}/slurmd
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
CommunicationParameters=NoInAddrAny
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MinJobAge=3600
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
DEVICES = "AutoDetect=off\nName=gpu File=/dev/null\n"  # a stand-in for a GPU: Slurm only counts it


def find_missing_programs() -> list[str]:
    """The programs of Slurm that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=search_path()) is None]


def search_path() -> str:
    """Debian keeps the daemons where ordinary users do not look."""
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


@contextmanager
def run_cluster() -> Iterator[dict[str, str]]:
    """Start munge, the controller and one node; stop them and remove their files at the end.

    Yields:
        Environment variables with which Slurm's commands find the cluster.
    """
    with TemporaryDirectory(prefix="slurm-") as folder:
        root = Path(folder)
        root.chmod(0o755)  # munge wants its socket within everybody's reach
        with start_daemons(root) as environment:
            yield environment


@contextmanager
def start_daemons(root: Path) -> Iterator[dict[str, str]]:
    """The same in an empty folder for configuration, logs and spools."""
    configure(root)
    environment = {"PATH": f"{root}/bin:{search_path()}", "SLURM_CONF": str(root / "slurm.conf")}
    places = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    daemons = [
        ["munged", "--foreground", *(f"--{option}={root}/munge.{suffix}" for option, suffix in places.items())],
        ["slurmctld", "-D", "-f", f"{root}/slurm.conf"],
        ["slurmd", "-D", "-f", f"{root}/slurm.conf"],
    ]
    with ExitStack() as stack:
        for command in daemons:
            stack.enter_context(run_daemon(command, os.environ | environment, root / f"{command[0]}.out"))
        wait_until_idle(os.environ | environment, root)
        yield environment


def configure(root: Path) -> None:
    """Write the configuration and munge's key."""
    for name in ("ctld", "slurmd"):
        (root / name).mkdir(parents=True)
    host = socket.gethostname().partition(".")[0]
    ctld_port, slurmd_port = find_free_ports(2)
    settings = {"host": host, "user": getuser(), "root": root, "ctld_port": ctld_port, "slurmd_port": slurmd_port}
    (root / "slurm.conf").write_text(CONFIGURATION.format(**settings))
    (root / "gres.conf").write_text(DEVICES)
    write_srun(root)
    key = root / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(1024))


def write_srun(root: Path) -> None:
    """An `srun` that knows the cluster inside of jobs too, from whose environment Snakemake removes SLURM_CONF."""
    program = shutil.which("srun")
    script = root / "bin" / "srun"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nSLURM_CONF="{root}/slurm.conf" exec {program} "$@"\n')
    script.chmod(0o755)


def find_free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def run_daemon(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """Run a daemon in the foreground, with its output in a file, until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            time.sleep(1)
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended at once: {log.read_text()}")
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_until_idle(environment: dict[str, str], root: Path) -> None:
    """Wait for the node to report for work."""
    for _ in range(60):
        state = subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True)
        if "idle" in state.stdout:
            return
        time.sleep(0.5)
    logs = "\n".join(path.read_text() for path in sorted(root.glob("*.log")) if path.name != "munge.log")
    raise RuntimeError(f"the node did not become idle: {state.stdout}{state.stderr}\n{logs}")
