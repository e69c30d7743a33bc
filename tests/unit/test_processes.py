"""Promises of child processes that are fed: neither side waits for the other for ever."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO

import pytest

from repo_maintenance.processes import run_process

ENVIRONMENT = {"PATH": os.environ["PATH"]}
MEBIBYTE = 1 << 20


def feed(stdin: IO[bytes]) -> None:
    """Write more than a pipe holds."""
    stdin.write(bytes(MEBIBYTE))


@pytest.mark.parametrize("says", [">&2", ""])
def test_a_child_may_say_much_before_it_reads(says: str) -> None:
    """A child that complains at length before it takes its input is heard, and gets its input."""
    script = f"head -c {MEBIBYTE} /dev/zero {says}; wc -c >&2"

    command = ["timeout", "10", "sh", "-c", script]
    done = run_process(command, cwd=None, environment=ENVIRONMENT, feed=feed)

    assert 0 == done.returncode
    assert str(MEBIBYTE) == done.stderr.decode().replace("\0", "").strip()
    assert (0 if says else MEBIBYTE) == len(done.stdout)


def test_a_child_that_stops_reading_says_why() -> None:
    """A child that ends early is not an error of the pipe: its own words and exit code count."""
    script = "echo why >&2; exit 3"

    done = run_process(["sh", "-c", script], cwd=None, environment=ENVIRONMENT, feed=feed)

    assert (3, b"why\n") == (done.returncode, done.stderr)


def test_what_fails_to_feed_ends_the_child(tmp_path: Path) -> None:
    """Where the input can't be had, the child and what it started are ended, and the reason is raised."""
    ended = tmp_path / "ended"

    def fail(_stdin: IO[bytes]) -> None:
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        raise LookupError("no input")

    script = f"trap 'touch {ended}; exit' TERM; touch {tmp_path / 'begun'}; sleep 30 & wait"
    began = time.monotonic()
    with pytest.raises(LookupError, match="no input"):
        run_process(["sh", "-c", script], cwd=None, environment=ENVIRONMENT, feed=fail)

    assert (True, True) == (ended.exists(), time.monotonic() - began < 10)
