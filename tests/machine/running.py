"""Runs the workflow in a process that a test watches, signals and kills, with all that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.workflow.workspace import Workspace

# All that a run starts inherits this variable, whatever session it is in: so its orphans are found.
MARK = "RUN_OF_A_TEST"
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Child:
    """A process that a run has started."""

    pid: int
    command: str


class Running:
    """A run of the workflow in a session of its own, from ``with`` to the end of its block."""

    def __init__(self, workspace: Workspace, *arguments: str) -> None:
        """Take what is run; nothing runs yet."""
        self.workspace = workspace
        self._mark = f"{MARK}={uuid.uuid4().hex}"
        self._arguments = arguments or ("--cores", "4", "backup")
        self.log = workspace.path / f"output-{self._mark[-8:]}.txt"

    def __enter__(self) -> Self:
        """Start the run."""
        self.workspace.write_config()
        name, value = self._mark.split("=")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.workspace.command(*self._arguments),
                cwd=self.workspace.path,
                env=self.workspace.child_environment() | {name: value},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started_at = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End whatever is left of the run."""
        self.kill_all()

    @property
    def pid(self) -> int:
        """The process id of Snakemake itself."""
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        """Whether Snakemake itself has ended."""
        return self.process.poll() is not None

    def output(self) -> str:
        """Return what the run has printed so far."""
        return self.log.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a condition holds; AssertionError where the run ends before, or it takes too long."""

        def is_over() -> bool:
            return bool(condition()) or self.has_ended

        assert wait_until(is_over, seconds), f"waited {seconds} s in vain:\n{self.output()}"
        assert condition(), f"the run ended with {self.process.poll()} too early:\n{self.output()}"

    def wait_for_text(self, text: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the run has printed a text."""
        self.wait_for(lambda: text in self.output(), seconds)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait until Snakemake itself has ended; returns its exit code, negative for a signal."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            error.add_note(self.output())
            raise

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to Snakemake itself, and to nothing that it has started."""
        self.process.send_signal(number)

    def kill_main(self) -> None:
        """End Snakemake itself by SIGKILL; what it has started lives on."""
        self.process.kill()
        self.process.wait()

    def kill_all(self) -> None:
        """End Snakemake and all that it has started by SIGKILL, as a loss of power does."""
        self.kill_main()
        while children := self.children():
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)

    def children(self) -> list[Child]:
        """Return what the run has started, at any depth, and what is still alive, orphans included."""
        return [child for child in _processes_with(self._mark) if child.pid != self.process.pid]


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Poll until a condition holds; returns whether it did in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _processes_with(variable: str) -> list[Child]:
    """Return the processes that were started with ``NAME=value`` in their environment (proc(5))."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):  # it has ended meanwhile, or belongs to somebody else
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(Child(int(folder.name), command.strip()))
    return found
