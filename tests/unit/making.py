"""What the tests of the library are made from: values of its types, real files, and whole backups."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from repo_maintenance import naming, steps
from repo_maintenance.hosts import GitAccess, Repository, open_host
from repo_maintenance.hosts.folder import FolderHost
from repo_maintenance.mirror import mirror_repository
from repo_maintenance.naming import BackupName
from repo_maintenance.settings import Settings, load_settings
from repo_maintenance.stores import Digests, Store

PUSHED_AT = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
TODAY = dt.date(2024, 5, 20)
LOGS = Path("results/logs")


def repository(name: str = "lecture", **fields: Any) -> Repository:
    """Return a repository as a host describes it, with `fields` in place of the usual values."""
    usual = {
        "id": f"id-{name}",
        "name": name,
        "full_name": f"acme/{name}",
        "clone_url": f"https://example.org/acme/{name}.git",
        "pushed_at": PUSHED_AT,
        "size_bytes": 1024,
        "default_branch": "main",
    }
    return Repository.model_validate(usual | fields)


def settings_with(**backup: Any) -> Settings:
    """Return settings whose section `backup` holds the given keys."""
    return load_settings({"backup": backup}, {})


def digests_of(content: bytes) -> Digests:
    """Return what a file of that content is known by."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Digests(len(content), md5, hashlib.sha256(content).hexdigest())


def listed(folder: Path) -> dict[str, Repository]:
    """Return the repositories of a folder by name, as the library lists them."""
    return {one.name: one for one in FolderHost(folder, "a folder").list_repositories()}


def mirror(
    source: Repository,
    folder: Path,
    *,
    cache: Path | None = None,
    pull_requests: bool = True,
    lfs: bool = True,
) -> Path:
    """Mirror a repository of a folder; returns the path of the mirror."""
    backup = settings_with(
        cache=cache, pull_requests=pull_requests, lfs=lfs, git={"attempts": 1, "wait_seconds": 0}
    ).backup
    mirror_repository(source, folder, backup, lambda: GitAccess(protocols=("file",)))
    return folder / f"{source.name}.git"


def age(path: Path, days: int = 1) -> None:
    """Set the times of all that `path` holds back, so that what changes from now on has another time."""
    for item in [path, *path.rglob("*")]:
        status = item.stat()
        os.utime(item, (status.st_atime - 86400 * days, status.st_mtime - 86400 * days))


def step_mirror(settings: Settings, repo: str) -> None:
    """Run the first step of a backup, as its rule does, after what was there before is deleted."""
    shutil.rmtree(naming.MIRRORS / repo, ignore_errors=True)
    steps.mirror(
        settings,
        lambda: open_host(settings.backup, os.environ),
        record=naming.record_path(repo),
        folder=naming.MIRRORS / repo,
        log=LOGS / "mirror" / f"{repo}.log",
    )


def step_archive(name: BackupName) -> None:
    """Run the second step."""
    steps.archive(
        naming.format_date(name.date),
        record=naming.record_path(name.repo),
        folder=naming.MIRRORS / name.repo,
        tarball=tarball_path(name),
        description=description_path(name),
        log=LOGS / "archive" / f"{name.repo}.log",
    )


def step_upload(store: Store, name: BackupName) -> None:
    """Run the third step."""
    steps.upload(
        lambda: store,
        naming.format_date(name.date),
        record=naming.record_path(name.repo),
        tarball=tarball_path(name),
        description=description_path(name),
        receipt=naming.receipt_path(name),
        log=LOGS / "upload" / f"{name.repo}.log",
    )


def back_up(settings: Settings, store: Store, name: BackupName) -> None:
    """Run the three steps of one backup, after its record was written."""
    step_mirror(settings, name.repo)
    step_archive(name)
    step_upload(store, name)


def tarball_path(name: BackupName) -> Path:
    """Return where the tarball of a backup stands before it is stored."""
    return naming.ARCHIVES / naming.tarball_name(name)


def description_path(name: BackupName) -> Path:
    """Return where the description of a tarball stands."""
    return tarball_path(name).with_name(naming.tarball_name(name).removesuffix(".tar.gz") + ".json")


def unpack(tarball: Path, target: Path) -> Path:
    """Extract a tarball with the `tar` of the system; returns `target`."""
    target.mkdir(parents=True)
    run("tar", "-xzf", str(tarball), "-C", str(target))
    return target


def run(*command: str, **options: Any) -> str:
    """Return what a program of the system prints; it must neither fail nor complain."""
    done = subprocess.run(command, capture_output=True, check=False, text=True, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return str(done.stdout)


def files_below(folder: Path) -> set[str]:
    """Return the paths of all files below a folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def full_disk(largest_file: int) -> Iterator[None]:
    """Refuse to write a file beyond that many bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
