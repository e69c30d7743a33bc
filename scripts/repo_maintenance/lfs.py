"""Git LFS: finds the objects that a repository's history points to, fetches them, and checks each."""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

from repo_maintenance.errors import GitError, TransientGitError
from repo_maintenance.git import run_git
from repo_maintenance.hosts.base import GitAccess

logger = logging.getLogger(__name__)

# What the metadata of a backup say that was made without git-lfs; a later run that has it makes a new one.
WITHOUT_GIT_LFS = "made without git-lfs"
# A pointer is a blob under 1,024 bytes: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer
POINTER_BYTES = 1024
# Its small blobs are 20 MB at the very most, since each takes some 50 bytes in a pack.
SMALL_BYTES = 1 << 20
_BLOB = re.compile(rb"^[0-9a-f]{40,64} blob (?P<length>[0-9]+)\n(?=\s*version )", re.MULTILINE)
# git-lfs also reads what it is not to write: the names that it had before, and any white space at the ends.
_POINTER = re.compile(
    rb"\s*version https?://(?:git-lfs\.github\.com|hawser\.github\.com|git-media\.io)/\S*\s*\n"
    rb"(?:ext-[^\n]*\n)*"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\s*\nsize (?P<size>[0-9]+)\s*"
)


def find_pointers(git_dir: Path) -> dict[str, int]:
    """Return the LFS objects that the history of any ref points to: SHA-256 → size in bytes.

    Needs no git-lfs, and holds no repository in memory: git writes the small blobs to a file that is scanned.
    Most repositories hold no pointer at all, and to see that costs a quarter of following their history.
    """
    return _read_pointers(git_dir, _list_all) and _read_pointers(git_dir, _list_reachable)


def _read_pointers(git_dir: Path, list_blobs: Callable[[Path, IO[bytes]], None]) -> dict[str, int]:
    """Return the objects that some small blobs point to; ``list_blobs`` writes the ids of these to a file."""
    with _scratch_file(git_dir) as names, _scratch_file(git_dir) as blobs:
        list_blobs(git_dir, names)
        names.seek(0)  # which also flushes
        if not os.fstat(names.fileno()).st_size:
            return {}
        command = ["cat-file", "--batch", "--buffer"]
        run_git(command, git_dir=git_dir, stdin=_path_of(names), stdout=blobs)
        with mmap.mmap(blobs.fileno(), 0, access=mmap.ACCESS_READ) as text:
            blobs_found = (text[one.end() : one.end() + int(one["length"])] for one in _BLOB.finditer(text))
            pointers = (_POINTER.fullmatch(blob) for blob in blobs_found)
            return {one["oid"].decode(): int(one["size"]) for one in pointers if one}


def _scratch_file(git_dir: Path) -> IO[bytes]:
    """Open a file for what git writes: of a small repository in memory, where making one costs nothing."""
    packs = sum(path.stat().st_size for path in (git_dir / "objects" / "pack").glob("*.pack"))
    if packs < SMALL_BYTES and hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("blobs"), "w+b")
    return tempfile.TemporaryFile(dir=git_dir, prefix="tmp_")


def _path_of(file: IO[bytes]) -> Path:
    """Return a path by which an open file, at its beginning, can be opened once more."""
    return Path(f"/dev/fd/{file.fileno()}")


def _list_all(git_dir: Path, names: IO[bytes]) -> None:
    """Write the small blobs that there are, whether a ref leads to them or not."""
    with _scratch_file(git_dir) as listing:
        kinds = "--batch-check=%(objecttype) %(objectsize) %(objectname)"
        command = ["cat-file", "--batch-all-objects", "--unordered", "--buffer", kinds]
        run_git(command, git_dir=git_dir, stdout=listing)
        listing.seek(0)
        for line in listing:
            kind, size, object_id = line.split(b" ")
            if kind == b"blob" and int(size) < POINTER_BYTES:
                names.write(object_id)


def _list_reachable(git_dir: Path, names: IO[bytes]) -> None:
    """Write the small blobs that the history of any ref holds."""
    small_blobs = f"--filter=combine:object:type=blob+blob:limit={POINTER_BYTES}"
    command = ["rev-list", "--objects", "--no-object-names", "--all", small_blobs]
    run_git(command, git_dir=git_dir, stdout=names)


def fetch_objects(git_dir: Path, clone_url: str, pointers: Mapping[str, int], access: GitAccess) -> list[str]:
    """Fetch the objects that are not there yet, and return those that can't be had, sorted.

    An object that the server lacks, or has with other content, is one of these; so are all where git-lfs is
    not installed. Raises GitError where the server refuses, and TransientGitError where it may pass.
    """
    missing = find_missing(git_dir, pointers)
    if not missing:
        return []
    if not has_git_lfs():
        logger.warning("git-lfs is not installed: %d LFS objects are left out", len(missing))
        return missing
    # .lfsconfig, which anybody who pushes can write, may name another server: what is given here prevails.
    for oid in missing:
        object_path(git_dir, oid).unlink(missing_ok=True)  # git-lfs takes what is there for whole
    url = clone_url if clone_url.startswith("file:") else f"{clone_url}/info/lfs"
    try:
        options = [f"lfs.url={url}", f"lfs.activitytimeout={access.stall_seconds}"]
        settings = [word for option in options for word in ("-c", option)]
        run_git([*settings, "lfs", "fetch", "--all", "origin"], git_dir=git_dir, access=access)
    except TransientGitError:
        raise
    except GitError as error:
        if error.kind not in {"error", "not found"}:
            raise
        logger.warning("not all LFS objects could be fetched: %s", error)
    return find_missing(git_dir, missing)


def has_git_lfs() -> bool:
    """Whether git-lfs is installed."""
    return shutil.which("git-lfs") is not None


def find_missing(git_dir: Path, expected: Iterable[str]) -> list[str]:
    """Return which objects are not there with the content that their name says, sorted."""
    return sorted(oid for oid in expected if not _is_whole(object_path(git_dir, oid), oid))


def held_objects(git_dir: Path) -> set[str]:
    """Return the objects that a repository holds, by SHA-256."""
    return {path.name for path in (git_dir / "lfs" / "objects").rglob("*") if path.is_file()}


def object_path(git_dir: Path, oid: str) -> Path:
    """Return where git-lfs keeps an object in a repository."""
    return git_dir / "lfs" / "objects" / oid[:2] / oid[2:4] / oid


def drop_unreferenced(git_dir: Path, pointers: Mapping[str, int]) -> None:
    """Remove what git-lfs keeps beside the objects that the history points to."""
    lfs = git_dir / "lfs"
    for path in [path for path in lfs.rglob("*") if path.is_file()]:
        if path.name not in pointers or path != object_path(git_dir, path.name):
            path.unlink()


def _is_whole(path: Path, oid: str) -> bool:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == oid
    except FileNotFoundError:
        return False
