"""Promises of the run as a child: shown as it comes, kept, muted, and ended when the job is cancelled."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.action.commands import Mute
from repo_maintenance.action.running import OUTPUT, forget_earlier_run, run_muted

MUTE = Mute("token")


def run(program: str) -> tuple[int, str]:
    """Run a program of Python; returns its exit code, and what stands on the screen."""
    screen = io.BytesIO()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = run_muted([sys.executable, "-c", program], dict(os.environ), screen, MUTE)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code, screen.getvalue().decode()


@pytest.mark.usefixtures("workspace")
def test_what_is_said_is_no_command_to_the_runner() -> None:
    """A line that would be a command stands between the lines that switch commands off and on again."""
    code, screen = run("print('::error::forged', end='')")

    assert 0 == code
    assert ["::stop-commands::token", "::error::forged", "::token::"] == screen.splitlines()
    assert "::error::forged" == OUTPUT.read_text()


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("program", "expected"),
    [("raise SystemExit(3)", 3), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137)],
    ids=["exit", "killed"],
)
def test_the_exit_code_is_the_runs(program: str, expected: int) -> None:
    """Whatever a run ends with, the step ends with; a killed one as a shell says it."""
    assert expected == run(program)[0]


def test_a_cancelled_job_ends_the_run(workspace: Path) -> None:
    """The runner tells one process only: that one hands the signal on, waits, and says how it ended."""
    program = (
        "import sys; from repo_maintenance.action.commands import Mute;"
        "from repo_maintenance.action.running import run_muted; import os;"
        "sys.exit(run_muted(sys.argv[1:], dict(os.environ), sys.stdout.buffer, Mute('token')))"
    )
    child = (
        "import signal, sys\n"
        "def stop(number, frame): print('stopped', flush=True); sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop); print('ready', flush=True); signal.pause()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, sys.executable, "-c", child], cwd=workspace, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert b"::stop-commands::token\n" == process.stdout.readline()
    assert b"ready\n" == process.stdout.readline()

    process.send_signal(signal.SIGINT)
    rest, _errors = process.communicate(timeout=30)

    assert b"stopped\n::token::\n" == rest
    assert 130 == process.returncode


@pytest.mark.usefixtures("workspace")
def test_an_earlier_run_is_not_taken_for_this_one() -> None:
    """A step that fails at once has no outcome, even where an earlier step of the job has left one."""
    left = [naming.SUMMARY, naming.SUMMARY.with_suffix(".md"), naming.failure_path("a"), OUTPUT]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")

    forget_earlier_run()

    assert [] == [path for path in left if path.exists()]
