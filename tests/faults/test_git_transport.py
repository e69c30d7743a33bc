"""Git over a bad network: what is tried again, how often, what is not, and that nothing half-made stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_maintenance.errors import GitError, TransientGitError
from repo_maintenance.git import digest_refs, list_refs
from tests.faults.in_process import FAST, mirror
from tests.servers.github import FakeGitHub, Fault, Request, matching
from tests.servers.proxy import Break, FaultProxy
from tests.servers.repositories import git, make_repository, push_commit, refs
from tests.unit.making import files_below

pytestmark = pytest.mark.usefixtures("way")
FIRST = matching(r"/big\.git/")
UPLOAD_PACK = matching(r"/big\.git/git-upload-pack", "POST")
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


def every_pack() -> Callable[[Request], bool]:
    """Return a matcher for the requests that a pack answers: every other one, after that for the refs."""
    seen = 0

    def match(request: Request) -> bool:
        nonlocal seen
        seen += UPLOAD_PACK(request)
        return UPLOAD_PACK(request) and seen % 2 == 0

    return match


PASSING: dict[str, Callable[[], Fault]] = {
    "429 for the refs": lambda: Fault(FIRST, status=429, headers={"Retry-After": "1"}),
    "500 for the refs": lambda: Fault(FIRST, status=500),
    "503 for the refs": lambda: Fault(FIRST, status=503),
    "504 that says not found": lambda: Fault(FIRST, None, 504, PLAIN, "upstream host not found\n"),
    "502 for the pack": lambda: Fault(every_pack(), status=502),
    "429 for the pack": lambda: Fault(every_pack(), status=429),
    "cut in the refs": lambda: Fault(FIRST, after_bytes=30),
    "cut before the pack": lambda: Fault(every_pack(), after_bytes=0),
    "cut in the pack": lambda: Fault(every_pack(), after_bytes=100_000),
    "stalled in the pack": lambda: Fault(every_pack(), after_bytes=100_000, stall_seconds=60),
    "silent for the refs": lambda: Fault(FIRST, stall_seconds=60),
}


@pytest.fixture
def big(github: FakeGitHub, tmp_path: Path) -> Path:
    """Add the private repository ``big``, of 400 KB, and return where it stands at GitHub."""
    path = make_repository(tmp_path / "big.git", branches=("topic",), tags=("v1",), size_bytes=400_000)
    github.add_repository("acme", "big", path, private=True, has_wiki=False)
    return path


@pytest.mark.parametrize("kind", PASSING)
def test_what_may_pass_is_tried_again(github: FakeGitHub, big: Path, tmp_path: Path, kind: str) -> None:
    """One bad answer or broken transfer costs a second attempt; the mirror is upstream's, without a fault."""
    fault = PASSING[kind]()
    fault.times = 1
    github.fault(fault)

    mirror(github, "big", tmp_path / "m")

    assert 1 == fault.hits
    assert refs(big) == refs(tmp_path / "m" / "big.git")
    assert "" == git(tmp_path / "m" / "big.git", "fsck", "--strict")


BREAKS = {
    "reset before the answer": Break("reset", 0),
    "reset in the headers": Break("reset", 100),
    "cut in the headers": Break("cut", 100),
    "reset in the pack": Break("reset", 150_000),
    "reset of the request": Break("reset", 50, "up"),
}


@pytest.mark.usefixtures("big")
@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_a_broken_connection_is_made_again(github: FakeGitHub, tmp_path: Path, broken: Break) -> None:
    """Whatever the network does to one connection, no other content than upstream's is ever in a mirror."""
    with FaultProxy("127.0.0.1", github.port, longest_stall=20) as proxy:
        github.announce_as(proxy.url)
        github.api_url = f"{proxy.url}/api/v3"
        proxy.pass_on()  # the listing's
        proxy.plan(broken)
        mirror(github, "big", tmp_path / "m")

    assert 1 <= proxy.broken
    copy = tmp_path / "m" / "big.git"
    assert (refs(github.repository("acme", "big").path), "") == (refs(copy), git(copy, "fsck", "--strict"))


@pytest.mark.usefixtures("big")
@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("kind", ["503 for the refs", "cut in the pack"])
def test_attempts_are_counted_and_nothing_half_made_stays(
    github: FakeGitHub, tmp_path: Path, kind: str, cached: bool
) -> None:
    """What stays bad is tried ``git.attempts`` times, and leaves no part of a mirror behind."""
    fault = github.fault(PASSING[kind]())
    cache = tmp_path / "cache"

    with pytest.raises(TransientGitError) as failed:
        mirror(github, "big", tmp_path / "mirrors" / "m", cache=cache if cached else None)

    assert ("network", FAST["attempts"]) == (failed.value.kind, fault.hits)
    assert [] == [*(tmp_path / "mirrors").iterdir()]
    assert set() == (files_below(cache) if cached else set())


@pytest.mark.usefixtures("big")
def test_a_transfer_that_hangs_is_given_up(github: FakeGitHub, tmp_path: Path) -> None:
    """A server that stops sending holds an attempt for about ``git.stall_seconds``, not for ever."""
    github.fault(PASSING["stalled in the pack"]())
    began = time.monotonic()

    with pytest.raises(TransientGitError):
        mirror(github, "big", tmp_path / "mirrors" / "m", git={"attempts": 1, "stall_seconds": 1})

    assert time.monotonic() - began < 10
    assert [] == [*(tmp_path / "mirrors").iterdir()]


@pytest.mark.usefixtures("big")
def test_a_byte_altered_on_the_way_is_never_stored(github: FakeGitHub, tmp_path: Path) -> None:
    """Where a pack is not what was sent, git finds it by its digests, and there is no mirror."""
    with FaultProxy("127.0.0.1", github.port) as proxy:
        github.announce_as(proxy.url)
        github.api_url = f"{proxy.url}/api/v3"
        proxy.pass_on()
        proxy.alter(150_000, connections=5)
        with pytest.raises(GitError):
            mirror(github, "big", tmp_path / "mirrors" / "m")

    assert [] == [*(tmp_path / "mirrors").iterdir()]


@pytest.mark.usefixtures("big")
@pytest.mark.parametrize(
    ("status", "kind"), [(403, "access denied"), (404, "not found"), (451, "blocked for legal reasons")]
)
def test_what_will_not_pass_is_asked_once(github: FakeGitHub, tmp_path: Path, status: int, kind: str) -> None:
    """A refusal for good is not tried again, and is named as what it is."""
    fault = github.fault(Fault(FIRST, status=status))

    with pytest.raises(GitError) as refused:
        mirror(github, "big", tmp_path / "m")

    assert (kind, False, 1) == (refused.value.kind, refused.value.transient, fault.hits)


@pytest.mark.usefixtures("big")
def test_attempts_wait_ever_longer(github: FakeGitHub, tmp_path: Path, waits: list[float]) -> None:
    """Between attempts there are growing waits, with some chance in them, from ``git.wait_seconds`` on."""
    github.fault(Fault(FIRST, status=503))

    with pytest.raises(TransientGitError):
        mirror(github, "big", tmp_path / "m", git={"attempts": 4, "wait_seconds": 5})

    assert 3 == len(waits)
    for seconds, (least, most) in zip(waits, [(5, 10), (10, 15), (20, 25)], strict=True):
        assert least <= seconds <= most


@pytest.mark.parametrize("status", [401, 403, 404, 451, 503])
def test_a_refusal_keeps_the_cache(github: FakeGitHub, big: Path, tmp_path: Path, status: int) -> None:
    """A repository that GitHub refuses for a day is not fetched whole again on the next."""
    cache = tmp_path / "cache"
    mirror(github, "big", tmp_path / "m", cache=cache)
    packs = {pack.stat().st_ino for pack in (cache / "big.git" / "objects" / "pack").glob("*.pack")}
    github.fault(Fault(FIRST, status=status))

    with pytest.raises(GitError):
        mirror(github, "big", tmp_path / "n", cache=cache)

    kept = {pack.stat().st_ino for pack in (cache / "big.git" / "objects" / "pack").glob("*.pack")}
    assert packs == kept
    github.clear_faults()
    push_commit(big)
    mirror(github, "big", tmp_path / "o", cache=cache)
    assert digest_refs(refs(big)) == digest_refs(list_refs(tmp_path / "o" / "big.git"))


def test_a_push_during_the_transfer_is_no_fault(github: FakeGitHub, big: Path, tmp_path: Path) -> None:
    """A branch that moves between the listing of refs and the pack does not spoil the mirror."""
    github.fault(Fault(every_pack(), times=1, delay=0.5))
    before = refs(big)

    mirror(github, "big", tmp_path / "m")

    copy = tmp_path / "m" / "big.git"
    assert (before, "") == (refs(copy), git(copy, "fsck", "--strict"))


def test_a_spoilt_cache_never_leads_git_elsewhere(
    github: FakeGitHub, big: Path, tmp_path: Path, workspace: Path
) -> None:
    """Where a cached mirror lost its HEAD, git does not take the checkout around it for the mirror."""
    cache = workspace / "cache"
    mirror(github, "big", tmp_path / "m", cache=cache)
    (cache / "big.git" / "HEAD").write_text("")
    around = make_repository(workspace / ".git", default_branch="elsewhere", branches=("mine",))
    before = refs(around)

    mirror(github, "big", tmp_path / "n", cache=cache)

    assert (before, refs(big)) == (refs(around), refs(tmp_path / "n" / "big.git"))
