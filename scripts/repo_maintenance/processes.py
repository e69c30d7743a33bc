"""Runs child processes so that none outlives the run: each in a group of its own, ended on a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO

from repo_maintenance.beside import Beside
from repo_maintenance.errors import InterruptedRunError

NOTHING = Path(os.devnull)
EXIT_SECONDS = 7.0
LAST_WORDS_SECONDS = 2.0
STOPPING = (signal.SIGTERM, signal.SIGINT)
EXIT_CODE_OF_SIGNALS = 128

_running: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


def run_process(
    command: Sequence[str],
    *,
    cwd: Path | None,
    environment: Mapping[str, str],
    stdin: Path = NOTHING,
    stdout: IO[bytes] | None = None,
    feed: Callable[[IO[bytes]], None] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end and return what it printed, or send that to the file ``stdout``.

    ``feed`` writes what the command reads, in place of the file ``stdin``; what it raises ends the command.

    Raises InterruptedRunError once the run is stopping.
    """
    if _stopping.is_set():
        raise InterruptedRunError("not begun: the run is stopping")
    with (
        stdin.open("rb") as stream,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=stream if feed is None else subprocess.PIPE,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process,
    ):
        _running.add(process)
        if _stopping.is_set():  # the signal came between the start and the noting of it
            _end(process)
        try:
            output, errors = process.communicate() if feed is None else _feed(process, feed)
        except BaseException:
            _end(process)
            raise
        finally:
            _running.discard(process)
    if _stopping.is_set() and process.returncode:
        raise InterruptedRunError("cut off: the run is stopping")
    return subprocess.CompletedProcess(command, process.returncode, output or b"", errors)


def _feed(process: subprocess.Popen[bytes], feed: Callable[[IO[bytes]], None]) -> tuple[bytes, bytes]:
    """Let ``feed`` write what a process reads, and read meanwhile what it says: it waits for who listens.

    One that stops reading says why by its exit.
    """
    stream, process.stdin = process.stdin, None
    said = Beside(process.communicate)
    if stream is not None:
        try:
            with suppress(BrokenPipeError), stream:
                feed(stream)
        except BaseException:
            _end(process)
            said.result()  # nobody else may close what is still being read
            raise
    return said.result()


def is_stopping() -> bool:
    """Whether a signal has told this process to end: what can wait for the next run, is left to it."""
    return _stopping.is_set()


def exit_on_signals() -> None:
    """From now on, SIGTERM and SIGINT end this process at once, with its children.

    For the time before the jobs, when nothing is half-done, and when an event loop would hold a signal back.
    """

    def leave(received: int, _frame: FrameType | None) -> None:
        for process in list(_running):
            _end(process)
        os._exit(EXIT_CODE_OF_SIGNALS + received)

    for number in STOPPING:
        signal.signal(number, leave)


def stop_on_signals(last_words: Callable[[], None]) -> None:
    """From now on, SIGTERM and SIGINT end all children at once, and this process within ten seconds.

    Snakemake starts no more jobs, sums up, and exits. Should it not be done in time, ``last_words`` are said
    and the process ends all the same: whatever is half-done then is not believed by the next run.

    The signal only wakes a thread. Snakemake's own handler takes a lock (``JobScheduler.exit_gracefully``)
    that the main thread, in which signals are handled, may hold just then, and would wait for ever.
    """
    graceful = signal.getsignal(signal.SIGTERM)
    told: list[int] = []

    def watch() -> None:
        _stopping.wait()
        for process in list(_running):
            _end(process)
        if told[0] == signal.SIGTERM and callable(graceful):
            threading.Thread(target=graceful, args=(told[0], None), daemon=True).start()
        time.sleep(EXIT_SECONDS)
        words = threading.Thread(target=last_words, daemon=True)
        words.start()
        words.join(LAST_WORDS_SECONDS)
        os._exit(EXIT_CODE_OF_SIGNALS + told[0])

    def stop(received: int, frame: FrameType | None) -> None:
        told.append(received)
        _stopping.set()
        if received == signal.SIGINT:
            signal.default_int_handler(received, frame)

    threading.Thread(target=watch, daemon=True).start()
    for number in STOPPING:
        signal.signal(number, stop)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it has started; git's helpers and git-lfs outlive their parent otherwise."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
