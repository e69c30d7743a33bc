"""Promises about answers that git's server would not give: none becomes a mirror that is not upstream's."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from repo_maintenance.direct_fetch import mirror_directly
from repo_maintenance.errors import TransientGitError
from repo_maintenance.hosts import GitAccess
from repo_maintenance.smart_http import OddServerError
from tests.servers.raw_http import SILENTLY, RawServer, chunked, git_answer, raw_server
from tests.servers.repositories import git, git_environment, make_repository, refs

FLUSH = b"0000"


def packet(line: bytes) -> bytes:
    """Return a packet of git's protocol."""
    return b"%04x%b" % (len(line) + 4, line)


@dataclass(frozen=True)
class Upstream:
    """A repository with one branch, and what a good server answers of it."""

    refs: dict[str, str]
    pack: bytes

    @property
    def tip(self) -> bytes:
        """The branch's commit."""
        return self.refs["refs/heads/main"].encode()

    @property
    def listing(self) -> bytes:
        """The answer that lists its refs."""
        head = b"%b HEAD symref-target:refs/heads/main\n" % self.tip
        return packet(head) + packet(b"%b refs/heads/main\n" % self.tip) + FLUSH

    @property
    def transfer(self) -> bytes:
        """The answer that carries its pack, with all else that may stand between its pieces."""
        half = len(self.pack) // 2
        pieces = [b"\x02counting\n", b"\x01", b"\x01" + self.pack[:half], b"\x01", b"\x01" + self.pack[half:]]
        return packet(b"packfile\n") + b"".join(map(packet, pieces)) + FLUSH


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Upstream:
    """Make the repository."""
    path = make_repository(tmp_path_factory.mktemp("upstream") / "one.git")
    command = ["git", f"--git-dir={path}", "pack-objects", "--stdout", "-q", "--all"]
    pack = subprocess.run(command, env=git_environment(), input=b"", capture_output=True, check=True)
    return Upstream(refs(path), pack.stdout)


def fetch(answers: Iterable[bytes | None], target: Path) -> RawServer:
    """Mirror from a server that gives these answers."""
    with raw_server(answers) as server:
        access = GitAccess(("http",), stall_seconds=2)
        mirror_directly(f"{server.url}/acme/one.git", target, access, pull_requests=True)
    return server


@pytest.mark.parametrize("send", [git_answer, chunked])
def test_whatever_stands_between_is_no_part_of_a_pack(
    upstream: Upstream, tmp_path: Path, send: object
) -> None:
    """Progress and signs of life within a pack do no harm, and one connection serves for all."""
    assert callable(send)
    server = fetch([send(upstream.listing), send(upstream.transfer)], tmp_path / "m")

    assert (upstream.refs, "") == (refs(tmp_path / "m"), git(tmp_path / "m", "fsck", "--strict"))
    assert (1, 2) == (server.connections, len(server.heads))


def test_a_listing_cut_anywhere_is_no_listing(upstream: Upstream, tmp_path: Path) -> None:
    """After whichever byte a list of refs ends, also between two of them, it is not believed."""
    whole = upstream.listing
    with raw_server(git_answer(whole[:end]) for end in range(len(whole))) as server:
        for end in range(len(whole)):
            with pytest.raises(TransientGitError):
                mirror_directly(
                    f"{server.url}/one.git", tmp_path / f"{end}", GitAccess(("http",)), pull_requests=True
                )
    assert (len(whole), []) == (len(server.heads), [*tmp_path.iterdir()])


@pytest.mark.parametrize("left_out", [1, 4, 5, 30])
def test_a_pack_cut_near_its_end_is_no_pack(upstream: Upstream, tmp_path: Path, left_out: int) -> None:
    """A pack whose answer does not end as answers do makes no mirror, even where the pack itself is whole."""
    cut = upstream.transfer[:-left_out]

    with pytest.raises(TransientGitError):
        fetch([git_answer(upstream.listing), git_answer(cut)], tmp_path / "m")

    assert not (tmp_path / "m" / "packed-refs").exists()


LISTINGS = {
    "a line of one word": packet(b"word\n") + FLUSH,
    "an empty line": packet(b"\n") + FLUSH,
    "two ids for one ref": packet(b"1" * 40 + b" refs/heads/main\n"),
    "more than a listing": b"",
}


@pytest.mark.parametrize("kind", LISTINGS)
def test_an_odd_listing_is_left_to_git(upstream: Upstream, tmp_path: Path, kind: str) -> None:
    """What is no list of refs, or says two things at once, is judged by git itself."""
    body = LISTINGS[kind] + upstream.listing + (b"0008more" if kind == "more than a listing" else b"")

    with pytest.raises(OddServerError):
        fetch([git_answer(body), git_answer(upstream.transfer)], tmp_path / "m")

    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("more", [b" ../../../outside", b"x" * 60_000])
def test_what_follows_a_pack_is_left_to_git(upstream: Upstream, tmp_path: Path, more: bytes) -> None:
    """Git prints what follows a pack after its name: that is taken for no name, nor for a path."""
    body = packet(b"packfile\n") + packet(b"\x01" + upstream.pack) + packet(b"\x01" + more) * 4 + FLUSH

    with pytest.raises(OddServerError, match="more than a pack"):
        fetch([git_answer(upstream.listing), git_answer(body)], tmp_path / "m")


def test_a_connection_closed_meanwhile_costs_no_attempt(upstream: Upstream, tmp_path: Path) -> None:
    """Where the server closes a kept connection just as it is asked, it is asked anew at once, as by git."""
    server = fetch([git_answer(upstream.listing), None, git_answer(upstream.transfer)], tmp_path / "m")

    assert (upstream.refs, 2, 3) == (refs(tmp_path / "m"), server.connections, len(server.heads))


def test_a_connection_closed_before_is_not_used(upstream: Upstream, tmp_path: Path) -> None:
    """Where the server has closed a kept connection, another one is opened."""
    listing = git_answer(upstream.listing, headers=SILENTLY)
    server = fetch([listing, git_answer(upstream.transfer)], tmp_path / "m")

    assert (upstream.refs, 2, 2) == (refs(tmp_path / "m"), server.connections, len(server.heads))


def test_what_is_left_of_an_answer_is_no_other_s(upstream: Upstream, tmp_path: Path) -> None:
    """An answer that was given up half-way is not taken for the next repository's."""
    other = git_answer(packet(b"2" * 40 + b" refs/heads/other\n") + FLUSH)
    longer = git_answer(upstream.listing + other * 2000)
    access = GitAccess(("http",), stall_seconds=2)
    with raw_server([longer, git_answer(upstream.listing), git_answer(upstream.transfer)]) as server:
        with pytest.raises(OddServerError):
            mirror_directly(f"{server.url}/one.git", tmp_path / "one", access, pull_requests=True)
        mirror_directly(f"{server.url}/two.git", tmp_path / "two", access, pull_requests=True)

    assert (upstream.refs, 2) == (refs(tmp_path / "two"), server.connections)


def test_failed_transfers_leave_nothing_open(upstream: Upstream, tmp_path: Path) -> None:
    """Many repositories that fail half-way leave no file, pipe or connection open."""
    answers = [git_answer(upstream.listing), git_answer(upstream.transfer[:200])]
    opened = []
    with raw_server(answers * 25) as server:
        for number in range(25):
            with pytest.raises(TransientGitError):
                mirror_directly(
                    f"{server.url}/one.git", tmp_path / f"{number}", GitAccess(("http",)), pull_requests=True
                )
            opened.append(len([*Path("/proc/self/fd").iterdir()]))
    assert opened[-1] <= opened[4] + 1
