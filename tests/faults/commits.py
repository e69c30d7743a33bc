"""Commits with given files, made straight into a bare repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.servers.repositories import git


def commit_files(path: Path, ref: str, files: Mapping[str, bytes], *, on: str | None = None) -> str:
    """Make a commit that adds files, on top of the commit ``on`` if given, and let ``ref`` name it."""
    lines = [f"commit {ref}\ncommitter Test <test@example.org> 1700000000 +0000\ndata 0\n".encode()]
    lines += [f"from {on}\n".encode()] if on else []
    for name, content in files.items():
        lines += [f"M 100644 inline {name}\ndata {len(content)}\n".encode(), content, b"\n"]
    git(path, "fast-import", "--quiet", "--force", stdin=b"".join(lines))
    return git(path, "rev-parse", ref).strip()
