"""Promises of git over HTTP: the token opens what it may, and is seen nowhere; faults are told apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from repo_maintenance.errors import GitError, TransientGitError
from repo_maintenance.hosts import open_host
from repo_maintenance.mirror import mirror_repository
from tests.conftest import TOKEN
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.proxy import FaultProxy
from tests.servers.repositories import corrupt, make_repository, refs
from tests.unit.making import files_below, settings_with

pytestmark = pytest.mark.usefixtures("workspace")
PACK = matching("/git-upload-pack")


@pytest.fixture
def upstream(github: FakeGitHub, tmp_path: Path) -> Path:
    """Serve the private repository `acme/one`; return where it stands."""
    path = make_repository(
        tmp_path / "one.git",
        branches=("b",),
        tags=("v1",),
        extra_refs=("refs/pull/1/head",),
        size_bytes=2_000_000,
    )
    github.add_repository("acme", "one", path, private=True, has_wiki=False)
    return path


def mirror(
    github: FakeGitHub,
    folder: Path,
    *,
    token: str | None = TOKEN,
    attempts: int = 1,
    clone_url: str | None = None,
    **backup: Any,
) -> Path:
    """Mirror `acme/one` as a run does that lists it first; returns the mirror's path."""
    settings = settings_with(
        organization="acme",
        github={"api_url": github.api_url},
        git={"attempts": attempts, "wait_seconds": 0},
        lfs=False,
        **backup,
    ).backup
    [source] = open_host(settings, {"GITHUB_TOKEN": TOKEN}).list_repositories()
    host = open_host(settings, {} if token is None else {"GITHUB_TOKEN": token})
    changed = source.model_copy(update={"clone_url": clone_url} if clone_url else {})
    access = partial(replace, host.git_access(), stall_seconds=1)
    mirror_repository(changed, folder, settings, access)
    return folder / "one.git"


@contextmanager
def watched_arguments() -> Iterator[set[str]]:
    """Collect the arguments of all processes of this machine while the block runs."""
    seen: set[str] = set()
    done = Event()

    def watch() -> None:
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue
            time.sleep(0.01)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(watch)
        try:
            yield seen
        finally:
            done.set()


@pytest.mark.parametrize("cached", [False, True])
def test_a_private_repository_is_mirrored(
    github: FakeGitHub, upstream: Path, tmp_path: Path, cached: bool
) -> None:
    """With the token every ref of a private repository comes, with a cache and without."""
    cache = str(tmp_path / "cache") if cached else None
    assert refs(upstream) == refs(mirror(github, tmp_path / "m", cache=cache))
    assert refs(upstream) == refs(mirror(github, tmp_path / "n", cache=cache))


@pytest.mark.parametrize("by_git", [False, True])
def test_the_token_is_in_no_argument_and_no_file(
    github: FakeGitHub, upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_git: bool
) -> None:
    """While git runs, no process shows the token in its arguments; afterwards no file holds it."""
    _ = upstream
    if by_git:  # as where there are settings that only git's own client heeds
        monkeypatch.setenv("GIT_SSL_CIPHER_LIST", "DEFAULT")
    github.fault(Fault(PACK, times=1, delay=0.5))
    with watched_arguments() as seen:
        path = mirror(github, tmp_path / "m", cache=str(tmp_path / "cache"))

    shown = "acme/one.git" if by_git else "index-pack"
    assert [line for line in seen if shown in line and "git" in line.split()[0]] != []
    assert [line for line in seen if TOKEN in line] == []
    for folder in (path.parent, tmp_path / "cache", tmp_path / "workspace"):
        assert [name for name in files_below(folder) if TOKEN.encode() in (folder / name).read_bytes()] == []
    assert [request for request in github.git_requests() if request.authorization] != []


def test_the_token_goes_to_its_own_host_only(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """An address on another host, such as a listing could be made to name, never gets the token."""
    _ = upstream
    with FaultProxy("127.0.0.1", github.port) as other, pytest.raises(GitError):
        mirror(github, tmp_path / "m", clone_url=f"{other.url}/acme/one.git")

    assert github.git_requests() != []
    assert {None} == {request.authorization for request in github.git_requests()}


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_refused_token_is_explained(
    github: FakeGitHub, upstream: Path, tmp_path: Path, token: str | None
) -> None:
    """Without a token, or with a wrong one, the error says so, repeats nothing, and is one for good."""
    _ = upstream
    with pytest.raises(GitError, match=r"(?i)token") as failed:
        mirror(github, tmp_path / "m", token=token, attempts=3)

    assert (failed.value.transient, "wrong" in str(failed.value)) == (False, False)
    assert not (tmp_path / "m").exists()


def test_what_is_gone_is_not_tried_again(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """A repository that was deleted since the listing is an error at once, with a hint."""
    _ = upstream
    with pytest.raises(GitError) as failed:
        mirror(github, tmp_path / "m", clone_url=f"{github.url}/acme/two.git", attempts=3)

    assert (failed.value.transient, failed.value.hint is not None) == (False, True)
    assert len(github.git_requests()) <= 2


FAULTS = {
    "503": Fault(matching("one.git/"), times=1, status=503),
    "429": Fault(matching("one.git/"), times=1, status=429),
    "502 for the pack": Fault(PACK, times=1, status=502),
    "cut at once": Fault(PACK, times=1, after_bytes=0),
    "cut in the pack": Fault(PACK, times=2, after_bytes=500_000),
    "stall": Fault(PACK, times=1, stall_seconds=20),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_is_known_as_such(
    github: FakeGitHub, upstream: Path, tmp_path: Path, fault: str
) -> None:
    """A cut, stalled or refused transfer is an error that may pass, and leaves nothing of a mirror."""
    _ = upstream
    made = github.fault(replace(FAULTS[fault]))
    with pytest.raises(TransientGitError):
        mirror(github, tmp_path / "m")

    assert (made.hits > 0, (tmp_path / "m").exists()) == (True, False)


@pytest.mark.parametrize("cached", [False, True])
def test_a_fault_that_passes_costs_an_attempt(
    github: FakeGitHub, upstream: Path, tmp_path: Path, cached: bool
) -> None:
    """With attempts left the transfer is made again, and the mirror is whole."""
    github.fault(Fault(matching("info/refs"), times=1, status=503))
    github.fault(Fault(PACK, times=1, after_bytes=10))

    path = mirror(github, tmp_path / "m", attempts=5, cache=str(tmp_path / "cache") if cached else None)

    assert refs(upstream) == refs(path)


def test_damage_upstream_is_not_tried_again(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """A repository that GitHub itself can't read fails for good, and leaves nothing."""
    corrupt(upstream)
    with pytest.raises(GitError) as failed:
        mirror(github, tmp_path / "m", attempts=3)

    assert (failed.value.transient, (tmp_path / "m").exists()) == (False, False)
    assert "git fsck" in (failed.value.hint or "")


def test_altered_bytes_are_found(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """A byte flipped on the way does not get into a mirror."""
    _ = upstream
    with FaultProxy("127.0.0.1", github.port) as proxy:
        github.announce_as(proxy.url)
        github.repository("acme", "one").visibility = "public"
        proxy.alter(1_500_000, connections=20)
        with pytest.raises(GitError):
            mirror(github, tmp_path / "m", token=None)

    assert not (tmp_path / "m").exists()
