"""Whether the packs of a repository are as git wrote them: each ends with a digest of all that is before."""

from __future__ import annotations

import hashlib
from pathlib import Path

from repo_maintenance.errors import GitError

CHUNK_BYTES = 1 << 20
# A pack and its index end so: https://git-scm.com/docs/gitformat-pack
TRAILERS = {"sha1": 20, "sha256": 32}


def check_packs(git_dir: Path) -> None:
    """Read every pack and index of a repository, and raise GitError where one is not what git wrote.

    It costs what reading the files costs: a fetch reads of what is there already only what it needs.
    """
    for path in sorted((git_dir / "objects" / "pack").glob("*")):
        if path.suffix in {".pack", ".idx"} and not _is_whole(path):
            raise GitError(f"{path} is damaged")


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
