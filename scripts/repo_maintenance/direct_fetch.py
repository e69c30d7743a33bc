"""Makes and updates mirrors without git's own client: a skeleton, packs, packed refs."""

from __future__ import annotations

import mmap
import re
import struct
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

from repo_maintenance import smart_http
from repo_maintenance.errors import GitError
from repo_maintenance.git import run_git
from repo_maintenance.hosts.base import GitAccess
from repo_maintenance.packed_refs import is_ref_name, read_packed_refs, write_packed_refs
from repo_maintenance.smart_http import OddServerError

PLAIN_URL = re.compile(r"[A-Za-z0-9._~:/%-]+")
INDEXED = re.compile(r"pack\t(?P<name>[0-9a-f]{40})\n")
PULLS = b"refs/pull/"
DEFAULT_HEAD = b"refs/heads/main"
# As git has it (gc.autoPackLimit): then packs are put together.
MOST_PACKS = 50
CONFIG = """\
[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
[remote "origin"]
	url = {url}
	fetch = +refs/*:refs/*
	mirror = true
"""
# A version 2 index: 8 bytes, 256 counts, then the sorted ids: https://git-scm.com/docs/gitformat-pack
FANOUT_OFFSET, IDS_OFFSET, ID_BYTES = 8, 8 + 256 * 4, 20


class _Upstream(NamedTuple):
    """What upstream offers, as far as it is wanted."""

    refs: dict[bytes, bytes]
    head: bytes
    """The ref that ``HEAD`` names."""


def mirror_directly(url: str, target: Path, access: GitAccess, *, pull_requests: bool) -> None:
    """Make at ``target`` what ``git clone --mirror`` makes; without ``refs/pull/*`` where not asked for.

    Raises OddServerError where git itself may fare better, and GitError where the transfer failed; then what
    stands at ``target`` is to be removed.
    """
    refs, head = _look(url, access, pull_requests=pull_requests)
    _make_skeleton(target, url, head)
    if refs:
        wants = sorted(set(refs.values()))
        _receive_whole(url, target, access, wants)
        write_packed_refs(target, refs)


def update_directly(url: str, mirror: Path, access: GitAccess, *, pull_requests: bool) -> None:
    """Bring a mirror to what upstream offers, as ``git fetch --prune`` does with all refs.

    Raises OddServerError where git itself may fare better, and GitError where the transfer failed; then the
    refs are as they were.
    """
    known = read_packed_refs(mirror)
    if known is None:
        raise OddServerError("the mirror has loose refs")
    refs, head = _look(url, access, pull_requests=pull_requests)
    haves = sorted(set(known.values()))
    if wants := sorted(set(refs.values()) - set(haves)):
        _receive(url, mirror, access, wants, haves, option="--fix-thin")
    _check_connected(mirror, sorted(set(refs.values())))
    if refs != known:
        try:
            write_packed_refs(mirror, refs)
        except FileExistsError:
            raise OddServerError("the refs of the mirror are locked") from None
    _write_head(mirror, head)
    if len(list((mirror / "objects" / "pack").glob("*.pack"))) > MOST_PACKS:
        run_git(["gc", "--auto", "--quiet"], git_dir=mirror)


def _look(url: str, access: GitAccess, *, pull_requests: bool) -> _Upstream:
    """Ask what upstream offers; raises OddServerError also where that is not what git would take."""
    if not PLAIN_URL.fullmatch(url) or not smart_http.is_direct(url, access):
        raise OddServerError("this address is for git itself")
    offered = smart_http.list_refs(url, access)
    refs = {name: one for name, one in offered.refs.items() if pull_requests or not name.startswith(PULLS)}
    for name in refs:
        if not is_ref_name(name) or any(parent in refs for parent in _parents(name)):
            raise OddServerError(f"an odd name of a ref: {name[:80]!r}")
    if offered.head is None and refs:
        raise OddServerError("the server does not tell HEAD")
    head = offered.head or DEFAULT_HEAD
    if not is_ref_name(head):
        raise OddServerError("HEAD has an odd name")
    return _Upstream(refs, head)


def _parents(name: bytes) -> Iterable[bytes]:
    parts = name.split(b"/")
    return (b"/".join(parts[:count]) for count in range(2, len(parts)))


def _make_skeleton(target: Path, url: str, head: bytes) -> None:
    """Make what git knows a repository by; it makes the folders below these as it needs them."""
    for folder in ("objects/pack", "refs"):
        (target / folder).mkdir(parents=True)
    (target / "config").write_text(CONFIG.format(url=url), encoding="utf-8")
    (target / "HEAD").write_bytes(_head_line(head))


def _write_head(target: Path, head: bytes) -> None:
    """Write ``HEAD``: whole, or as it was."""
    partial = target / "HEAD.lock"
    partial.write_bytes(_head_line(head))
    partial.replace(target / "HEAD")


def _head_line(head: bytes) -> bytes:
    return b"ref: %b\n" % head


def _receive_whole(url: str, target: Path, access: GitAccess, wants: Iterable[bytes]) -> None:
    """Fetch all that the tips lead to; raises OddServerError where some of it lacks in a pack that came."""
    try:
        # Fails where an object names another one that the pack lacks, as git clone has it checked.
        name = _receive(url, target, access, wants, (), option="--check-self-contained-and-connected")
    except GitError as error:
        if error.kind != "error":
            raise
        raise OddServerError(error.message) from error
    if _lacks_any(target / "objects" / "pack" / f"pack-{name}.idx", wants):
        raise OddServerError("the pack lacks what was asked for")


def _receive(
    url: str, target: Path, access: GitAccess, wants: Iterable[bytes], haves: Iterable[bytes], *, option: str
) -> str:
    """Fetch a pack and have git index it; returns its name. Git prints what comes after a pack, too."""

    def feed(stdin: IO[bytes]) -> None:
        smart_http.fetch(url, access, wants, haves, stdin.write)

    said = run_git(["index-pack", "--stdin", option], git_dir=target, feed=feed)
    if (found := INDEXED.fullmatch(said)) is None:
        raise OddServerError("there is more than a pack")
    return found["name"]


def _check_connected(mirror: Path, tips: Iterable[bytes]) -> None:
    """Have git follow each tip to what the refs lead to, as a fetch does; raises GitError."""

    def feed(stdin: IO[bytes]) -> None:
        stdin.writelines(b"%b\n" % tip for tip in tips)

    run_git(["rev-list", "--objects", "--stdin", "--not", "--all", "--quiet"], git_dir=mirror, feed=feed)


def _lacks_any(index: Path, object_ids: Iterable[bytes]) -> bool:
    """Whether a pack's index lacks one of the objects."""
    with index.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        (count,) = struct.unpack_from(">I", content, IDS_OFFSET - 4)
        ids = _Ids(content, count)
        return any(not ids.holds(bytes.fromhex(one.decode())) for one in object_ids)


class _Ids:
    """The sorted object ids of a pack's index."""

    def __init__(self, content: mmap.mmap, count: int) -> None:
        self._content = content
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> bytes:
        start = IDS_OFFSET + place * ID_BYTES
        return self._content[start : start + ID_BYTES]

    def holds(self, object_id: bytes) -> bool:
        place = bisect_left(self, object_id)
        return place < self._count and self[place] == object_id
