"""Whether the packs of a repository are as git wrote them, and all still there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from repo_maintenance.errors import GitError
from repo_maintenance.git import run_git

CHUNK_BYTES = 1 << 20
PACKS_NOTED = "packs.noted"
LEFTOVER_AFTER_SECONDS = 24 * 3600
# A pack and its index end so: https://git-scm.com/docs/gitformat-pack
TRAILERS = {"sha1": 20, "sha256": 32}


def check_packs(git_dir: Path) -> None:
    """Read every pack and index of a repository, and raise GitError where one is not what git wrote.

    It costs what reading the files costs: a fetch reads of what is there already only what it needs.
    """
    for path in sorted((git_dir / "objects" / "pack").glob("*")):
        if path.suffix in {".pack", ".idx"} and not _is_whole(path):
            raise GitError(f"{path} is damaged")


def check_complete(git_dir: Path) -> None:
    """Raise GitError where a repository lacks some of what its refs lead to.

    Git itself asks for no more than what is new, and believes that the rest is there. So does this where the
    packs are those of ``note_packs``; else it follows all refs, a second for some 400,000 objects.
    """
    try:
        noted = (git_dir / PACKS_NOTED).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        noted = ""
    if noted != _list_packs(git_dir):
        run_git(["rev-list", "--objects", "--all", "--quiet"], git_dir=git_dir)


def note_packs(git_dir: Path) -> None:
    """Note the packs of a repository that is complete: as long as they are there, it is."""
    (git_dir / PACKS_NOTED).write_text(_list_packs(git_dir), encoding="utf-8")


def drop_leftovers(git_dir: Path, *, now: float) -> None:
    """Remove the half-received packs that are a day old or more: git leaves them where a transfer is cut off.

    ``now`` is in seconds since the epoch. A younger one may be another run's.
    """
    for path in (git_dir / "objects" / "pack").glob("tmp_*"):
        if now - path.stat().st_mtime > LEFTOVER_AFTER_SECONDS:
            path.unlink()


def _list_packs(git_dir: Path) -> str:
    found = sorted((git_dir / "objects" / "pack").glob("pack-*"))
    packs = [path for path in found if path.suffix in {".pack", ".idx"}]
    return "".join(f"{path.stat().st_size} {path.name}\n" for path in packs)


def _is_whole(path: Path) -> bool:
    return any(_ends_with_digest(path, algorithm, length) for algorithm, length in TRAILERS.items())


def _ends_with_digest(path: Path, algorithm: str, length: int) -> bool:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    left = path.stat().st_size - length
    with path.open("rb") as stream:
        while left > 0 and (chunk := stream.read(min(left, CHUNK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
        return left == 0 and stream.read() == digest.digest()
