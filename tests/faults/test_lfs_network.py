"""Git LFS on a bad day: what is tried again, what fails the repository, and what is a lack."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from repo_maintenance.errors import GitError, TransientGitError
from tests.faults.in_process import mirror
from tests.faults.media import upstream, whole
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import refs

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
BATCH = matching(r"/info/lfs/objects/batch")
STORAGE = matching(r"/info/lfs/storage/")


@pytest.mark.usefixtures("media")
def test_a_refused_token_does_not_loop(github: FakeGitHub, tmp_path: Path) -> None:
    """Where LFS refuses the token, git-lfs, which asks again for ever, is ended, and the refusal is named."""
    fault = github.fault(Fault(BATCH, status=401, headers={"LFS-Authenticate": 'Basic realm="GitHub"'}))
    began = time.monotonic()

    with pytest.raises(GitError) as refused:
        mirror(github, "media", tmp_path / "m")

    assert ("access denied", False) == (refused.value.kind, refused.value.transient)
    assert time.monotonic() - began < 20
    assert fault.hits < 100
    assert not (tmp_path / "m").exists()


def test_a_used_up_lfs_budget_is_a_lack(github: FakeGitHub, media: dict[str, str], tmp_path: Path) -> None:
    """Where GitHub gives out no objects since nobody pays, the history is stored and the lack named."""
    message = "This repository exceeded its LFS budget."
    github.fault(Fault(BATCH, status=403, body={"message": message}))

    contents = mirror(github, "media", tmp_path / "m")

    assert sorted(media.values()) == contents.lfs_missing
    assert refs(upstream(github)) == refs(tmp_path / "m" / "media.git")


PASSING = {
    "batch 503": Fault(BATCH, status=503),
    "batch 429": Fault(BATCH, status=429, headers={"Retry-After": "1"}),
    "batch cut": Fault(BATCH, after_bytes=10),
    "object 503": Fault(STORAGE, status=503),
    "object 500": Fault(STORAGE, status=500),
    "object cut": Fault(STORAGE, after_bytes=50),
    "object stalled": Fault(STORAGE, after_bytes=50, stall_seconds=60),
    "object silent": Fault(STORAGE, stall_seconds=60),
}


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_costs_no_object(
    github: FakeGitHub, media: dict[str, str], tmp_path: Path, kind: str
) -> None:
    """A transfer that fails or hangs once is made again, soon, and the mirror is whole."""
    fault = PASSING[kind]
    github.fault(
        Fault(fault.match, 1, fault.status, fault.headers, b"", fault.after_bytes, fault.stall_seconds)
    )
    began = time.monotonic()

    contents = mirror(github, "media", tmp_path / "m")

    assert (set(media.values()), []) == (whole(tmp_path / "m"), contents.lfs_missing)
    assert time.monotonic() - began < 15


@pytest.mark.usefixtures("media")
def test_an_lfs_server_that_stays_ill_fails_the_repository(github: FakeGitHub, tmp_path: Path) -> None:
    """Objects that may be had another time are no lack: the repository fails, and the next run tries."""
    github.fault(Fault(BATCH, status=503))
    with pytest.raises(TransientGitError):
        mirror(github, "media", tmp_path / "m", git={"attempts": 2, "wait_seconds": 0})
    assert not (tmp_path / "m").exists()
