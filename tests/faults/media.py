"""A repository with Git LFS objects: what it holds, and what a mirror of it must hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

from repo_maintenance.lfs import object_path
from tests.servers.github import FakeGitHub

OBJECTS = {"a.bin": b"first " * 1000, "b.bin": bytes(100_000), "c.bin": b"third"}


def upstream(github: FakeGitHub) -> Path:
    """Return where the repository stands at GitHub."""
    return github.repository("acme", "media").path


def whole(folder: Path) -> set[str]:
    """Return the ids of the objects in a mirror, each of which must be what its id says, and nothing else."""
    paths = [path for path in (folder / "media.git" / "lfs").rglob("*") if path.is_file()]
    assert [] == [path for path in paths if hashlib.sha256(path.read_bytes()).hexdigest() != path.name]
    assert [] == [path for path in paths if path != object_path(folder / "media.git", path.name)]
    return {path.name for path in paths}
