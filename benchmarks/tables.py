"""Tables, machines and goals, as Markdown."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.harness import Measurement, median_of


@dataclass(frozen=True)
class Goal:
    """A figure to reach."""

    text: str
    reached: bool
    measured: str

    def __str__(self) -> str:
        return f"- {'reached' if self.reached else 'MISSED'}: {self.text} — {self.measured}"


def render_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text and all others figures."""
    marks = ["---", *["---:"] * (len(headers) - 1)]
    lines = [headers, marks, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def render_measurements(found: Mapping[str, Sequence[Measurement]], labels: Mapping[str, str]) -> str:
    """Return the table of all contenders: medians, the span of wall times, and the largest peak memory."""
    headers = (
        "",
        "wall, s",
        "fastest to slowest",
        "CPU, s",
        "servers' CPU, s",
        "others' CPU, s",
        "peak of main process, MB",
    )
    rows = []
    for name, every in found.items():
        middle = median_of(every)
        fastest, slowest = min(one.seconds for one in every), max(one.seconds for one in every)
        rows.append(
            (
                labels[name],
                f"{middle.seconds:.2f}",
                f"{fastest:.2f} to {slowest:.2f}",
                f"{middle.cpu_seconds:.2f}",
                f"{middle.server_cpu_seconds:.2f}",
                f"{middle.others_cpu_seconds:.2f}",
                "" if middle.peak_bytes is None else megabytes(middle.peak_bytes),
            )
        )
    return render_table(headers, rows)


def megabytes(size: int) -> str:
    """Return a size in MB (10^6 bytes), whole."""
    return f"{size / 1_000_000:.0f}"


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios of each round, since what is close in time is alike in noise."""
    return median(above / below for above, below in zip(numerators, denominators, strict=True))


def describe_machine() -> dict[str, str]:
    """Return what a reader must know of where the figures come from."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "snakemake": version("snakemake"),
        "git": git.split()[2],
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
