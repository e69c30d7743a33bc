"""Owns a bare repository's Git LFS store: `lfs/objects/aa/bb/<sha256>`, as git-lfs lays it out itself."""

from __future__ import annotations

import hashlib
from pathlib import Path


def object_id(content: bytes) -> str:
    """Return the LFS object id: the content's SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def pointer(content: bytes) -> bytes:
    """Return the pointer file that git stores in place of `content` (git-lfs `docs/spec.md`)."""
    lines = (
        "version https://git-lfs.github.com/spec/v1",
        f"oid sha256:{object_id(content)}",
        f"size {len(content)}",
    )
    return ("\n".join(lines) + "\n").encode()


def object_path(repository: Path, oid: str) -> Path:
    """Return where a repository keeps an LFS object, which may not exist."""
    return repository / "lfs" / "objects" / oid[:2] / oid[2:4] / oid


def put_object(repository: Path, content: bytes) -> str:
    """Store an object; returns its id."""
    oid = object_id(content)
    path = object_path(repository, oid)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return oid


def lose_object(repository: Path, oid: str) -> None:
    """Make an object missing: the batch API then answers 404 for it."""
    object_path(repository, oid).unlink()


def corrupt_object(repository: Path, oid: str) -> None:
    """Change one byte of an object and keeps its size."""
    path = object_path(repository, oid)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
