"""One run at a time in one folder, and no lock that outlives its holder."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.machine.places import ORGANIZATION, backups_in, from_github, left_overs, upstream_refs
from tests.machine.running import Child, Running
from tests.servers.github import Account, FakeGitHub, Fault, matching

NAMES = ("one", "two", "three")
# The clones hang for this long: whoever waits for them is found out.
HANG_SECONDS = 300.0


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitHub]:
    """Serve three repositories."""
    with FakeGitHub(tmp_path_factory.mktemp("github"), tokens={TOKEN: Account("robot")}) as server:
        for name in NAMES:
            server.add_repository(ORGANIZATION, name)
        yield server


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory, github: FakeGitHub) -> Iterator[Running]:
    """Return a run that holds the lock and whose three clones hang."""
    hanging = github.fault(Fault(matching("/git-upload-pack|/info/refs"), stall_seconds=HANG_SECONDS))
    workspace = from_github(tmp_path_factory.mktemp("workspace"), github)
    # Settings that git's own client heeds alone leave the transfer to it: a child that can outlive the run.
    workspace.environment = {**workspace.environment, "GIT_SSL_CIPHER_LIST": "DEFAULT"}
    with Running(workspace) as run:
        run.wait_for(lambda: hanging.hits == len(NAMES))
        yield run


def test_a_second_run_says_who_holds_the_lock_and_exits_at_once(holder: Running) -> None:
    """Who starts a second run reads which process works here, on which host, since when; nothing changes."""
    before = state_of(holder.workspace.path)

    began = time.monotonic()
    second = holder.workspace.backup()
    seconds = time.monotonic() - began

    assert second.code == 1
    (line,) = [line for line in second.output.splitlines() if line.startswith("Error: ")]
    assert "another run works in this folder" in line
    for said in (f"process {holder.pid} on {socket.gethostname()}", "since 20", f"kill {holder.pid}"):
        assert said in line
    assert "Traceback" not in second.output
    assert seconds < HANG_SECONDS / 4
    assert before == state_of(holder.workspace.path)
    assert not holder.has_ended


def test_the_lock_is_free_as_soon_as_its_holder_is_killed(holder: Running, github: FakeGitHub) -> None:
    """After ``kill -9`` the next run begins at once, though git children live on, and stores everything."""
    holder.kill_main()
    github.clear_faults()

    following = holder.workspace.backup()

    assert len(NAMES) == len(clones(holder)), "the clones of the killed run were to live on meanwhile"
    assert following.code == 0, following.output
    assert upstream_refs(github.state.root / ORGANIZATION) == backups_in(holder.workspace)
    assert not left_overs(holder.workspace)


def clones(run: Running) -> list[Child]:
    """Return the clones that a run, or what is left of it, has going."""
    return [child for child in run.children() if child.command.startswith("git clone")]


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file of a run, but for Snakemake's own."""
    files = [path for name in ("results", "backups") for path in (folder / name).rglob("*")]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
