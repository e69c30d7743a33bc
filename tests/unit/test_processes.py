"""Promises of a run that is told to stop: it ends, whatever its threads wait for."""

from __future__ import annotations

import signal
import subprocess
import sys

TIMEOUT_SECONDS = 20
BEGIN = """
import os, signal, threading, time
from repo_maintenance import processes
"""
# Snakemake's scheduler takes a lock in its handler, and holds it in the main thread most of the time.
LOCKED = """
lock, told = threading.Lock(), threading.Event()

def exit_gracefully(*_):
    with lock:
        told.set()

signal.signal(signal.SIGTERM, exit_gracefully)
processes.stop_on_signals(lambda: None)
with lock:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.2)
print("told" if told.wait(5) else "not told")
"""
STUCK = """
processes.EXIT_SECONDS = processes.LAST_WORDS_SECONDS = 0.1
processes.stop_on_signals(threading.Event().wait)
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    command = [sys.executable, "-c", BEGIN + script]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)


def test_a_lock_that_is_held_does_not_stop_the_stopping() -> None:
    """Where the main thread holds what Snakemake's handler needs, Snakemake is told once it is free."""
    done = run(LOCKED)

    assert (0, "told\n") == (done.returncode, done.stdout), done.stderr


def test_last_words_that_never_end_do_not_hold_the_process() -> None:
    """Where even the summary hangs, the process ends, by the code of its signal."""
    assert 128 + signal.SIGTERM == run(STUCK).returncode
