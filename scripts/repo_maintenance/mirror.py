"""Makes a complete bare mirror of a repository, anew or from the object cache."""

from __future__ import annotations

import errno
import logging
import shutil
from pathlib import Path

from repo_maintenance.errors import GitError, TransientGitError
from repo_maintenance.git import run_git
from repo_maintenance.hosts.base import GitAccess, Repository

logger = logging.getLogger(__name__)

ALL_REFS = "+refs/*:refs/*"
NOT_PULL_REQUESTS = "^refs/pull/*"


def mirror_repository(
    repository: Repository, folder: Path, *, access: GitAccess, cache: Path | None, pull_requests: bool
) -> Path:
    """Make ``{folder}/{name}.git``, a bare mirror with every ref that upstream offers, and return its path.

    With a cache, only what is new is fetched, and the mirror shares its files with the cache by hard links.
    A mirror that fails half-way is removed. Raises GitError.
    """
    target = folder / f"{repository.name}.git"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        if cache is None:
            _mirror_anew(repository, target, access, pull_requests)
        else:
            cached = cache / f"{repository.name}.git"
            _refresh(repository, cached, access, pull_requests)
            shutil.copytree(cached, target, copy_function=_link, ignore=shutil.ignore_patterns("FETCH_HEAD"))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return target


def _mirror_anew(repository: Repository, target: Path, access: GitAccess, pull_requests: bool) -> None:
    """Make a mirror where there is none.

    ``git clone --mirror`` writes all refs at once and is the fastest way, but takes everything: it heeds no
    negative refspec (git 2.39).
    """
    if pull_requests:
        run_git(
            ["clone", "--quiet", "--mirror", "--template=", "--", repository.clone_url, target], access=access
        )
        return
    run_git(["init", "--quiet", "--bare", "--template=", "--", target])
    run_git(["remote", "add", "--mirror=fetch", "--", "origin", repository.clone_url], cwd=target)
    _fetch(repository, target, access, pull_requests)


def _fetch(repository: Repository, target: Path, access: GitAccess, pull_requests: bool) -> None:
    """Bring a mirror to what upstream offers now: new refs come, moved ones move, vanished ones go."""
    refspecs = [ALL_REFS] if pull_requests else [ALL_REFS, NOT_PULL_REQUESTS]
    run_git(
        ["fetch", "--quiet", "--prune", "--no-write-fetch-head", "--", repository.clone_url, *refspecs],
        cwd=target,
        access=access,
    )
    if repository.default_branch:
        run_git(["symbolic-ref", "HEAD", f"refs/heads/{repository.default_branch}"], cwd=target)
    run_git(["pack-refs", "--all"], cwd=target)


def _refresh(repository: Repository, cached: Path, access: GitAccess, pull_requests: bool) -> None:
    """Bring a cached mirror up to date; one that can't be used is made anew."""
    if cached.is_dir():
        try:
            _fetch(repository, cached, access, pull_requests)
        except TransientGitError:
            raise
        except GitError as error:
            logger.warning("the cached mirror %s can't be used and is made anew: %s", cached, error)
            shutil.rmtree(cached)
        else:
            return
    partial = cached.with_name(f".partial-{cached.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        _mirror_anew(repository, partial, access, pull_requests)
        partial.rename(cached)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _link(source: str, target: str) -> None:
    """Link a file, or copy it where the cache is on another file system.

    Git replaces its files and never writes into them, so a shared one stays as it is.
    """
    try:
        Path(target).hardlink_to(source)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
            raise
        shutil.copy2(source, target)
