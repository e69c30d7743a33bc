"""A Slurm cluster of one node on loopback: munged, slurmctld and slurmd, ended with the block.

Debian's packages `slurm-wlm` and `munge` are needed, and root. The settings are those of a node without
cgroups, accounting and a fabric of its own: https://slurm.schedmd.com/slurm.conf.html
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
CONF = Path("/etc/slurm/slurm.conf")
NODE = "one"
READY_SECONDS = 30.0
# `config_overrides`: the node has as many CPUs as it is said to have.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
SlurmUser=root
SlurmdUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MinJobAge=300
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName={node} NodeAddr=127.0.0.1 Port={slurmd} CPUs={cpus} RealMemory=8000
PartitionName=main Nodes={node} Default=YES State=UP MaxTime=INFINITE
"""


def missing_programs() -> list[str]:
    """Return what of Slurm is not installed here."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class SlurmCluster:
    """One node, which takes what `sbatch` sends."""

    def __init__(self, place: Path, cpus: int = 2) -> None:
        self.place = place
        self._cpus = cpus
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _begin(self) -> None:
        for name in ("state", "spool", "munge"):
            (self.place / name).mkdir(parents=True)
        (self.place / "munge").chmod(0o700)
        key = self.place / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        conf = self.place / "slurm.conf"
        ports = {"ctld": _free_port(), "slurmd": _free_port()}
        conf.write_text(
            CONFIGURATION.format(
                node=NODE, host=socket.gethostname(), place=self.place, cpus=self._cpus, **ports
            )
        )
        # The executor plugin takes SLURM_CONF away inside of jobs, so the file must stand where Slurm looks.
        CONF.parent.mkdir(exist_ok=True)
        CONF.unlink(missing_ok=True)
        CONF.symlink_to(conf)
        munge = self.place / "munge"
        self._start(
            "munged",
            "--foreground",
            f"--key-file={key}",
            f"--socket={self.place}/munge.socket",
            f"--pid-file={munge}/pid",
            f"--log-file={munge}/log",
            f"--seed-file={munge}/seed",
            "--force",
        )
        _wait((self.place / "munge.socket").exists)
        self._start("slurmctld", "-D", "-f", str(conf))
        self._start("slurmd", "-D", "-f", str(conf), "-N", NODE)
        _wait(self._is_idle)

    def _end(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            process.wait(timeout=30)
        CONF.unlink(missing_ok=True)

    def _start(self, *command: str) -> None:
        with (self.place / f"{command[0]}.out").open("wb") as output:
            self._processes.append(subprocess.Popen(command, stdout=output, stderr=output))

    def _is_idle(self) -> bool:
        done = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True, check=False)
        return done.stdout.strip() == "idle"

    def job_scripts(self) -> list[str]:
        """Return the scripts of all jobs that Slurm's controller remembers."""
        return [path.read_text(errors="replace") for path in (self.place / "state").rglob("script")]

    def describe_jobs(self) -> list[str]:
        """Return what Slurm says of each job that it remembers."""
        done = subprocess.run(["scontrol", "show", "job"], capture_output=True, text=True, check=True)
        return done.stdout.split("\n\n")


def _wait(is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready after {READY_SECONDS} seconds")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
