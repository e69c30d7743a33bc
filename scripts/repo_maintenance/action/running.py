"""Runs the workflow as a child: what it says is shown and kept, and none of it is taken for a command."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import BinaryIO

from repo_maintenance import naming
from repo_maintenance.action.commands import Mute

OUTPUT = naming.RESULTS / "logs" / "action.log"
KILLED = 128  # a shell's exit code for a process that a signal ended, less the signal


def forget_earlier_run() -> None:
    """Drop what tells of an earlier run in this folder, which would be taken for this one's outcome."""
    for path in (naming.SUMMARY, naming.SUMMARY.with_suffix(".md"), OUTPUT):
        path.unlink(missing_ok=True)
    shutil.rmtree(naming.FAILURES, ignore_errors=True)


def run_muted(command: Sequence[str], environment: Mapping[str, str], screen: BinaryIO, mute: Mute) -> int:
    """Run a command to its end, and return its exit code; signals to this process go on to it.

    Names and messages from outside are among what it says: between the lines of ``mute`` the runner takes
    none of them for a command.
    """
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    _say(screen, mute.begin)
    try:
        with (
            OUTPUT.open("wb") as log,
            subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ) as child,
        ):
            _pass_signals_on(child)
            for line in child.stdout or ():
                whole = line if line.endswith(b"\n") else line + b"\n"
                screen.write(whole)
                screen.flush()
                log.write(line)
    finally:
        _say(screen, mute.end)
    return child.returncode if child.returncode >= 0 else KILLED - child.returncode


def _pass_signals_on(child: subprocess.Popen[bytes]) -> None:
    """Have the child told to stop when this process is: the runner tells only the one that it started."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)


def _say(screen: BinaryIO, line: str) -> None:
    screen.write(f"{line}\n".encode())
    screen.flush()
