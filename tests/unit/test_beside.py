"""Work beside other work."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextvars import ContextVar
from pathlib import Path

import pytest

from repo_maintenance.beside import Beside
from repo_maintenance.errors import StoreError

SCRIPTS = Path(__file__).parents[2] / "scripts"
NEVER_DONE = """
import threading
from repo_maintenance.beside import Beside
Beside(threading.Event().wait)
raise SystemExit("said at once")
"""
whose: ContextVar[str] = ContextVar("whose", default="nobody's")


def test_both_go_on_at_once() -> None:
    """The work has begun before anybody asks for its result."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        return go_on.wait(10)

    beside = Beside(work)
    assert begun.wait(10)
    go_on.set()

    assert beside.result()


def test_its_error_is_raised_where_the_result_is_wanted() -> None:
    """What fails beside is told as if it had been done there."""

    def work() -> None:
        raise StoreError("no such bucket")

    with pytest.raises(StoreError, match="no such bucket"):
        Beside(work).result()


def test_it_belongs_to_the_same_job() -> None:
    """What a job has done beside is logged as that job's."""
    token = whose.set("mirror's")
    try:
        found = Beside(whose.get).result()
    finally:
        whose.reset(token)

    assert "mirror's" == found


def test_an_error_elsewhere_does_not_wait_for_it() -> None:
    """A run that fails meanwhile ends, and says so, though a server beside never answers."""
    done = subprocess.run(
        [sys.executable, "-c", NEVER_DONE],
        env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (1, "said at once\n") == (done.returncode, done.stderr)
