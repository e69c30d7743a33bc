"""What the scripts that ask one question share: their options, and how they say what they found."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.harness import Measurement
from benchmarks.servers import ROOT
from benchmarks.tables import Goal, describe_machine, render_measurements


@dataclass(frozen=True)
class Found:
    """Everything that a script found."""

    title: str
    measurements: dict[str, list[Measurement]]
    labels: dict[str, str]
    goals: list[Goal]
    remarks: list[str] = field(default_factory=list)
    machine: dict[str, str] = field(default_factory=describe_machine)


def options_of(module: str, description: str | None, *, repeats: int) -> argparse.ArgumentParser:
    """Return a parser of the options that all scripts have."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, default=repeats, help="rounds")
    parser.add_argument("--latency-ms", type=int, default=20, help="of the network to GitHub, one way")
    parser.add_argument(
        "--checkout", type=Path, default=ROOT, help="of the workflow to time; this one by default"
    )
    parser.add_argument("--json", type=Path, help="a file for all figures")
    parser.add_argument(
        "--work", type=Path, help="a folder to work in, instead of the system's temporary one"
    )
    return parser


def show(found: Found, target: Path | None) -> None:
    """Print the table and the goals, and write all figures to a file if one is named."""
    lines = [
        f"### {found.title}",
        "",
        ", ".join(f"{name} {value}" for name, value in found.machine.items()),
        "",
        render_measurements(found.measurements, found.labels),
        "",
        *found.remarks,
        *([""] if found.remarks else []),
        *map(str, found.goals),
    ]
    print("\n".join(lines))
    if target is not None:
        target.write_text(json.dumps(asdict(found), indent=2) + "\n")


def say(text: str) -> None:
    """Tell who waits how far the work is."""
    print(text, file=sys.stderr, flush=True)


def folder_maker(root: Path) -> Callable[[], Path]:
    """Return a function that gives an empty folder, a new one each time.

    None is removed before the end: for some seconds after many files were removed, ext4 makes new ones at a
    tenth of its pace (``recently_deleted`` in the kernel's fs/ext4/ialloc.c), and who comes next would pay.
    """
    numbers = itertools.count(1)

    def fresh() -> Path:
        target = root / f"run-{next(numbers)}"
        target.mkdir(parents=True)
        return target

    return fresh


def wall_times(measurements: Sequence[Measurement]) -> list[float]:
    """Return the wall times of all rounds, in seconds."""
    return [one.seconds for one in measurements]
