"""Times work: wall and CPU seconds, the peak memory of one process, and interleaved repeats."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

POLL_SECONDS = 0.05
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# These would slow Python children down, or send them elsewhere than the benchmark says.
UNSET = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "GH_TOKEN", "GITHUB_TOKEN")
UNSET_PREFIXES = ("REPO_MAINTENANCE_", "SNAKEMAKE_", "AWS_", "GIT_")


@dataclass(frozen=True)
class Measurement:
    """What one piece of work took."""

    seconds: float
    cpu_seconds: float
    """Of this process and of all that it started and waited for, without the servers."""
    server_cpu_seconds: float = 0.0
    """Of the servers that it talked to."""
    others_cpu_seconds: float = 0.0
    """Of all other processes of the machine meanwhile: a quiet machine has next to none."""
    peak_bytes: int | None = None
    """The most memory that the started process itself held (VmHWM), without its children."""


def measure(work: Callable[[], int | None]) -> Measurement:
    """Do `work`, which returns the peak memory of a process that it watched, and measure it."""
    cpu, begin = _cpu_seconds(), time.perf_counter()
    peak = work()
    return Measurement(time.perf_counter() - begin, _cpu_seconds() - cpu, peak_bytes=peak)


def run_watched(command: list[str], *, cwd: Path, environment: Mapping[str, str], log: Path) -> int:
    """Run a command, its output to `log`; returns its peak memory in bytes."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        watch = MemoryWatch(process.pid)
        code = process.wait()
        peak = watch.end()
    if code:
        words = log.read_text(errors="replace")[-3000:]
        raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{words}")
    return peak


class MemoryWatch:
    """Polls the peak memory of one process from a thread."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Return the peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak

    def _poll(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            self._peak = max(self._peak, self._read())

    def _read(self) -> int:
        try:
            found = re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text())
        except OSError:
            return 0
        return int(found[1]) * 1024 if found else 0


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for what is measured: without the caller's settings of Python, git and AWS."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in UNSET and not name.startswith(UNSET_PREFIXES)
    }
    return kept | dict(extra)


def process_cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and of the children that it has waited for (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS_PER_SECOND


def _machine_cpu_seconds() -> float:
    """Return the CPU seconds that all processes and the kernel have used since its start (proc(5))."""
    user, nice, system, _idle, _wait, irq, softirq, *_ = Path("/proc/stat").read_text().split()[1:11]
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS_PER_SECOND


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


Contender = Callable[[Path], Measurement]
"""Does its work once, in an empty folder that it is given, and says what that took."""


def run_interleaved(
    contenders: Mapping[str, Contender],
    repeats: int,
    *,
    fresh_folder: Callable[[], Path],
    server_pids: Iterable[int],
    say: Callable[[str], None],
) -> dict[str, list[Measurement]]:
    """Run all contenders in turn, `repeats` times over, so that a slow minute meets them all alike.

    Each round begins with another contender.
    """
    found: dict[str, list[Measurement]] = {name: [] for name in contenders}
    names, pids = list(contenders), list(server_pids)
    for repeat in range(repeats):
        turn = repeat % len(names)
        for name in names[turn:] + names[:turn]:
            folder = fresh_folder()
            served, busy = sum(map(process_cpu_seconds, pids)), _machine_cpu_seconds()
            measured = contenders[name](folder)
            served, busy = sum(map(process_cpu_seconds, pids)) - served, _machine_cpu_seconds() - busy
            others = max(0.0, busy - served - measured.cpu_seconds)
            found[name].append(replace(measured, server_cpu_seconds=served, others_cpu_seconds=others))
            say(f"round {repeat + 1} of {repeats}: {name}: {measured.seconds:.2f} s")
    return found


def median_of(measurements: Iterable[Measurement]) -> Measurement:
    """Return the median of each figure; the peak memory is the largest."""
    every = list(measurements)
    peaks = [one.peak_bytes for one in every if one.peak_bytes is not None]
    return Measurement(
        seconds=median(one.seconds for one in every),
        cpu_seconds=median(one.cpu_seconds for one in every),
        server_cpu_seconds=median(one.server_cpu_seconds for one in every),
        others_cpu_seconds=median(one.others_cpu_seconds for one in every),
        peak_bytes=max(peaks, default=None),
    )
