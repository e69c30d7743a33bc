"""Makes a mirror from what a server sends, without git's own client: a skeleton, one pack, packed refs."""

from __future__ import annotations

import logging
import mmap
import re
import struct
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import IO

from repo_maintenance import smart_http
from repo_maintenance.errors import GitError
from repo_maintenance.git import run_git
from repo_maintenance.hosts.base import GitAccess
from repo_maintenance.packed_refs import is_ref_name, write_packed_refs
from repo_maintenance.smart_http import OddServerError

logger = logging.getLogger(__name__)

PLAIN_URL = re.compile(r"[A-Za-z0-9._~:/%-]+")
PULL_REQUESTS = b"refs/pull/"
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


def mirror_directly(url: str, target: Path, access: GitAccess, *, pull_requests: bool) -> None:
    """Make at ``target`` what ``git clone --mirror`` makes; without ``refs/pull/*`` where not asked for.

    Raises OddServerError where git itself may fare better, and GitError where the transfer failed; then what
    stands at ``target`` is to be removed.
    """
    if not PLAIN_URL.fullmatch(url) or not smart_http.is_direct(url, access):
        raise OddServerError("this address is for git itself")
    offered = smart_http.list_refs(url, access)
    refs = _usable(offered.refs, pull_requests=pull_requests)
    if offered.head is None and refs:
        raise OddServerError("the server does not tell HEAD")
    head = offered.head or b"refs/heads/main"
    if not is_ref_name(head):
        raise OddServerError("HEAD has an odd name")
    _make_skeleton(target, url)
    if refs:
        wants = sorted(set(refs.values()))
        _receive(url, target, access, wants)
        write_packed_refs(target, refs)
    (target / "HEAD").write_bytes(b"ref: " + head + b"\n")


def _usable(refs: Mapping[bytes, bytes], *, pull_requests: bool) -> dict[bytes, bytes]:
    """Return the refs to keep; raises OddServerError for names that git would not take."""
    kept = {name: one for name, one in refs.items() if pull_requests or not name.startswith(PULL_REQUESTS)}
    for name in kept:
        if not is_ref_name(name) or any(parent in kept for parent in _parents(name)):
            raise OddServerError(f"an odd name of a ref: {name[:80]!r}")
    return kept


def _parents(name: bytes) -> Iterable[bytes]:
    parts = name.split(b"/")
    return (b"/".join(parts[:count]) for count in range(2, len(parts)))


def _make_skeleton(target: Path, url: str) -> None:
    for folder in ("objects/pack", "objects/info", "refs/heads", "refs/tags"):
        (target / folder).mkdir(parents=True)
    (target / "config").write_text(CONFIG.format(url=url), encoding="utf-8")
    (target / "HEAD").write_bytes(b"ref: refs/heads/main\n")  # or git would not know it for a repository


def _receive(url: str, target: Path, access: GitAccess, wants: Collection[bytes]) -> None:
    """Fetch the pack that holds all that ``wants`` lead to; raises GitError where it does not."""

    def feed(stdin: IO[bytes]) -> None:
        smart_http.fetch(url, access, wants, (), stdin.write)

    # Fails where an object names another one that the pack lacks, as git clone has it checked.
    command = ["index-pack", "--stdin", "--check-self-contained-and-connected"]
    said = run_git(command, git_dir=target, feed=feed)
    if _lacks_any(target / "objects" / "pack" / f"pack-{said.split()[-1]}.idx", wants):
        raise GitError("the pack lacks what was asked for")


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
