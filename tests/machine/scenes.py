"""Scenes for signals: a run that hangs at a known point, is told to stop, and is run again."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.conftest import TOKEN
from tests.machine.places import ORGANIZATION, from_folder, from_github, into_bucket, make_source
from tests.machine.running import Child, Running
from tests.servers.github import Account, FakeGitHub, Fault, Request, matching
from tests.servers.proxy import Break, FaultProxy
from tests.servers.repositories import make_lfs_repository
from tests.servers.seaweed import SeaweedServer
from tests.workflow.workspace import Finished, Workspace

NAMES = tuple(f"repository-{number}" for number in range(7))
HANG_SECONDS = 60.0
GIVEN_UP_AFTER_SECONDS = 30.0
CORES = 4
# Larger than a request for a small answer, smaller than a tarball: the upload hangs in its middle.
MIDDLE_BYTES = 100_000


@dataclass(frozen=True)
class Stage:
    """A run that is about to be told to stop."""

    workspace: Workspace
    hangs: Callable[[Running], object]
    """Whether the run hangs where it was meant to."""
    heal: Callable[[], None]


@dataclass(frozen=True)
class Stopped:
    """How a run ended that was told to stop, and how the next one did."""

    code: int
    seconds: float
    """From the signal to the end."""
    output: str
    had: list[Child]
    """What the run had started when the signal came."""
    left: list[Child]
    """What of it was alive once Snakemake had ended."""
    begun: set[str]
    summary: dict[str, Any] | None
    following: Finished | None
    """How the next run ended, where there was one."""
    following_summary: dict[str, Any] | None


def play(stage: Stage, number: signal.Signals, *, again: bool) -> Stopped:
    """Stop a run that hangs, heal what it hung on, and run again if so asked."""
    with Running(stage.workspace) as run:
        run.wait_for(lambda: stage.hangs(run))
        had = run.children()
        told_at = time.monotonic()
        run.signal(number)
        code = run.wait(GIVEN_UP_AFTER_SECONDS)
        seconds = time.monotonic() - told_at
        left = run.children()
        output = run.output()
    file = stage.workspace.path / "results" / "summary.json"
    summary = json.loads(file.read_text()) if file.exists() else None
    stage.heal()
    following = stage.workspace.backup() if again else None
    return Stopped(
        code=code,
        seconds=seconds,
        output=output,
        had=had,
        left=left,
        begun=set(Finished(code, output).made),
        summary=summary,
        following=following,
        following_summary=stage.workspace.summary() if again else None,
    )


@contextmanager
def slow_clones(root: Path, *, by_git: bool) -> Iterator[Stage]:
    """Let the packs of four repositories hang; the others have not begun."""
    with FakeGitHub(root / "github", tokens={TOKEN: Account("robot")}) as github:
        for name in NAMES:
            github.add_repository(ORGANIZATION, name)
        # Settings that git's own client heeds alone leave the transfer to it.
        environment = {"GIT_SSL_CIPHER_LIST": "DEFAULT"} if by_git else {}
        yield _hanging_github(root, github, _every_pack(), CORES, environment)


def _every_pack() -> Callable[[Request], bool]:
    """Return a matcher for what a pack answers: the second request of each repository, after the refs."""
    is_upload_pack = matching("/git-upload-pack", "POST")
    seen: Counter[str] = Counter()

    def match(request: Request) -> bool:
        seen[request.path] += is_upload_pack(request)
        return is_upload_pack(request) and seen[request.path] % 2 == 0

    return match


@contextmanager
def slow_lfs(root: Path) -> Iterator[Stage]:
    """Let git-lfs hang in the objects of a repository."""
    with FakeGitHub(root / "github", tokens={TOKEN: Account("robot")}) as github:
        make_lfs_repository(root / "media.git", {"a.bin": b"a" * 5000, "b.bin": b"b" * 5000})
        github.add_repository(ORGANIZATION, "media", root / "media.git")
        yield _hanging_github(root, github, matching("/info/lfs/storage/"), 1)


@contextmanager
def slow_listing(root: Path) -> Iterator[Stage]:
    """Let GitHub's answer to the listing hang."""
    with FakeGitHub(root / "github", tokens={TOKEN: Account("robot")}) as github:
        github.add_repository(ORGANIZATION, NAMES[0])
        yield _hanging_github(root, github, matching("/orgs/"), 1)


@contextmanager
def stalled_uploads(root: Path, seaweed: SeaweedServer) -> Iterator[Stage]:
    """Let the uploads of four repositories hang in their middle; the others have not begun."""
    source = make_source(root / "source", NAMES, size_bytes=3 * MIDDLE_BYTES)
    with FaultProxy("127.0.0.1", seaweed.ports["s3"]) as proxy:
        workspace = _through(proxy, root, source, seaweed)
        proxy.plan(Break("stall", MIDDLE_BYTES, "up"), 1000)
        yield Stage(workspace, lambda run: run.output().count(": Upload ") == CORES, lambda: _heal(proxy))


@contextmanager
def stalled_lookups(root: Path, seaweed: SeaweedServer) -> Iterator[Stage]:
    """Let the store hang while a run without receipts asks it what is stored."""
    source = make_source(root / "source", NAMES)
    with FaultProxy("127.0.0.1", seaweed.ports["s3"]) as proxy:
        workspace = _through(proxy, root, source, seaweed)
        assert workspace.backup().code == 0
        for receipt in (workspace.path / "results" / "uploaded").iterdir():
            receipt.unlink()
        (workspace.path / "results" / "summary.json").unlink()
        _heal(proxy)
        proxy.pass_on()  # the list itself
        proxy.plan(Break("stall", 0, "up"), 1000)
        broken = proxy.broken
        yield Stage(workspace, lambda _run: proxy.broken > broken, lambda: _heal(proxy))


def _hanging_github(
    root: Path,
    github: FakeGitHub,
    match: Callable[[Request], bool],
    requests: int,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Stage:
    fault = github.fault(Fault(match, stall_seconds=HANG_SECONDS))

    def heal() -> None:
        github.clear_faults()
        github.cut_connections()

    workspace = from_github(root / "workspace", github)
    workspace.environment = {**workspace.environment, **environment}
    return Stage(workspace, lambda _run: fault.hits >= requests, heal)


def _through(proxy: FaultProxy, root: Path, source: Path, seaweed: SeaweedServer) -> Workspace:
    workspace = from_folder(root / "workspace", source)
    return into_bucket(workspace, seaweed, seaweed.new_bucket(), proxy.url)


def _heal(proxy: FaultProxy) -> None:
    proxy.heal()
    proxy.drop_open()
