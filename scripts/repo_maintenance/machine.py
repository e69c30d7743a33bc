"""Whether this machine has what a run needs: git, git-lfs, and room on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import humanfriendly

from repo_maintenance.errors import RepoMaintenanceError
from repo_maintenance.findings import Finding, failure, ok, warning
from repo_maintenance.git import run_git

# `rev-list --filter=object:type` came with 2.32, and finds the LFS pointers.
OLDEST_GIT = (2, 32)
LEAST_FREE_BYTES = 1_000_000_000


def check_machine(folder: Path, *, lfs: bool) -> Iterator[Finding]:
    """Yield what is found of git, git-lfs, and the disk that ``folder`` is on."""
    yield _check_git()
    if lfs:
        yield _check_lfs()
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    readable = f"{humanfriendly.format_size(free)} free for {folder}"
    if free < LEAST_FREE_BYTES:
        yield warning("disk", readable, "free disk space, or bound the run with --resources disk_mb=…")
    else:
        yield ok("disk", readable)


def _check_git() -> Finding:
    if shutil.which("git") is None:
        return failure("git", "not installed", "install git 2.32 or newer")
    try:
        said = run_git(["version"]).removeprefix("git version ").strip()
    except RepoMaintenanceError as error:
        return failure("git", str(error), "install git 2.32 or newer")
    numbers = tuple(int(part) for part in said.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_GIT:
        return failure("git", said, "install git 2.32 or newer")
    return ok("git", said)


def _check_lfs() -> Finding:
    remedy = "install git-lfs, or set backup.lfs: false; repositories that use it are stored incomplete"
    if shutil.which("git-lfs") is None:
        return warning("git-lfs", "not installed", remedy)
    try:
        return ok("git-lfs", run_git(["lfs", "version"]).split()[0])
    except RepoMaintenanceError as error:
        return warning("git-lfs", str(error), remedy)
