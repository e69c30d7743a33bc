"""Makes a complete mirror of a repository, anew or from the object cache: its refs, LFS objects and wiki."""

from __future__ import annotations

import errno
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import stamina
from pydantic import BaseModel, ConfigDict

from repo_maintenance.direct_fetch import mirror_directly, update_directly
from repo_maintenance.errors import GitError, TransientGitError
from repo_maintenance.git import list_refs, run_git
from repo_maintenance.hosts.base import GitAccess, Repository
from repo_maintenance.lfs import drop_unreferenced, fetch_objects, find_pointers, has_git_lfs
from repo_maintenance.naming import MIRROR_CONTENTS, PARTIAL
from repo_maintenance.packs import PACKS_NOTED, check_complete, check_packs, drop_leftovers, note_packs
from repo_maintenance.records import write_json
from repo_maintenance.settings import LOOPBACK_HOSTS, BackupSettings
from repo_maintenance.smart_http import OddServerError
from repo_maintenance.tally import count_retry

logger = logging.getLogger(__name__)

ALL_REFS = "+refs/*:refs/*"
NOT_PULL_REQUESTS = "^refs/pull/*"
MAX_WAIT_SECONDS = 300.0


class MirrorContents(BaseModel):
    """What a mirror holds besides the repository itself."""

    model_config = ConfigDict(frozen=True)

    has_wiki: bool = False
    lfs_objects: int = 0
    lfs_missing: list[str] = []
    """LFS objects that the history points to and that could not be had, by SHA-256."""
    lacks_git_lfs: bool = False
    """Whether they could not be had because git-lfs is not installed."""


def mirror_repository(
    repository: Repository, folder: Path, settings: BackupSettings, access: Callable[[], GitAccess]
) -> MirrorContents:
    """Make ``{folder}/{name}.git``, with every ref that upstream offers, and beside it the wiki, if any.

    ``access`` is called anew for each transfer, so that a token is never an old one. What fails in a way that
    may pass is tried again. Everything is made under another name first, so that ``folder`` is never half a
    mirror, whatever ends the run. Raises GitError.
    """
    _refuse_plain_http(repository.clone_url)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=folder.parent, prefix=f"{PARTIAL}{repository.name}-", ignore_cleanup_errors=True
    ) as scratch:
        partial = Path(scratch) / repository.name
        contents = _mirror_parts(repository, partial, settings, access)
        write_json(partial / MIRROR_CONTENTS, contents)
        partial.rename(folder)
    return contents


def _refuse_plain_http(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise GitError(f"plain http to {parts.hostname} is not allowed", hint="let the server offer https")


def _mirror_parts(
    repository: Repository, folder: Path, settings: BackupSettings, access: Callable[[], GitAccess]
) -> MirrorContents:
    fetcher = _Fetcher(repository, settings, access)
    target = folder / f"{repository.name}.git"
    fetcher.fetch(repository.clone_url, target, repository.default_branch, repository.size_bytes)
    pointers, missing = fetcher.fetch_lfs(target)
    has_wiki = settings.wikis and repository.has_wiki and fetcher.fetch_wiki(folder)
    return MirrorContents(
        has_wiki=has_wiki,
        lfs_objects=len(pointers),
        lfs_missing=missing,
        lacks_git_lfs=bool(missing) and not has_git_lfs(),
    )


class _Fetcher:
    """Fetches the parts of one repository, each with its own attempts."""

    def __init__(
        self, repository: Repository, settings: BackupSettings, access: Callable[[], GitAccess]
    ) -> None:
        self._repository = repository
        self._settings = settings
        self._access = access
        self._is_direct = True

    def fetch(self, url: str, target: Path, default_branch: str, size_bytes: int = 0) -> None:
        """Make a mirror at ``target``: from the cache where there is one, else anew.

        Where the host lists a size, and yet no ref is offered, the server is ill, and there is no mirror.
        """
        cache = self._settings.cache
        if cache is None:
            self._try(lambda: self._mirror_anew(url, target, default_branch), target, size_bytes)
            return
        cached = cache / target.name
        try:
            self._try(lambda: self._from_cache(url, cached, target, default_branch), target, size_bytes)
        except GitError as error:
            if not cached.is_dir() or error.kind not in {"error", "network"}:
                raise  # upstream refuses, or the disk is full: the cache is not to blame
            logger.warning("the cached mirror %s may be damaged: %s", cached, error)
            self._remake(url, cached, default_branch)
            self._try(lambda: self._from_cache(url, cached, target, default_branch), target, size_bytes)

    def _try(self, work: Callable[[], None], target: Path, size_bytes: int) -> None:
        """Do some work that makes ``target``, again where its failure may pass."""
        for attempt in self._attempts():
            with attempt:
                shutil.rmtree(target, ignore_errors=True)
                target.parent.mkdir(parents=True, exist_ok=True)
                work()
                if size_bytes and not list_refs(target):
                    raise TransientGitError(
                        f"no branch and no tag is offered, though {size_bytes:,} bytes are listed",
                        hint="run again later; where it was emptied on purpose, see backup.exclude",
                        kind="emptied",
                    )

    def fetch_lfs(self, target: Path) -> tuple[dict[str, int], list[str]]:
        """Fetch the LFS objects of a mirror; returns all that are pointed to, and those that can't be had."""
        pointers = find_pointers(target) if self._settings.lfs else {}
        missing: list[str] = []
        for attempt in self._attempts():
            with attempt:
                missing = fetch_objects(target, self._repository.clone_url, pointers, self._access())
        if pointers:
            drop_unreferenced(target, pointers)
            self._keep_lfs(target)
        return pointers, missing

    def fetch_wiki(self, folder: Path) -> bool:
        """Mirror the wiki, and return whether there is one: GitHub lists it also where nobody wrote one."""
        name = self._repository.name
        url = f"{self._repository.clone_url.removesuffix('.git')}.wiki.git"
        try:
            self.fetch(url, folder / f"{name}.wiki.git", default_branch="")
        except GitError as error:
            # Without a password, GitHub asks for one rather than say that there is nothing.
            absent = error.kind == "not found" or (
                error.kind == "access denied" and self._access().password is None
            )
            if absent:
                logger.info("no wiki")
                return False
            raise
        return True

    def _attempts(self) -> Iterator[stamina.Attempt]:
        """Yield attempts until one succeeds; only what may pass is tried again, after growing waits."""
        git = self._settings.git
        attempts = stamina.retry_context(
            on=TransientGitError,
            attempts=git.attempts,
            timeout=None,
            wait_initial=git.wait_seconds,
            wait_jitter=git.wait_seconds,
            wait_max=MAX_WAIT_SECONDS,
        )
        for attempt in attempts:
            if attempt.num > 1:
                count_retry("git")
                logger.warning("attempt %d of %d", attempt.num, git.attempts)
            yield attempt

    def _mirror_anew(self, url: str, target: Path, default_branch: str) -> None:
        """Make a mirror where there is none: directly, or by git where the server or its address is odd.

        Of git's ways, ``git clone --mirror`` writes all refs at once and is the fastest, but takes
        everything: it heeds no negative refspec (git 2.39).
        """
        if self._has_done_directly(mirror_directly, url, target):
            return
        shutil.rmtree(target, ignore_errors=True)
        if self._settings.pull_requests:
            command: list[str | Path] = ["clone", "--quiet", "--mirror", "--template=", "--", url, target]
            run_git(command, access=self._access())
            return
        run_git(["init", "--quiet", "--bare", "--template=", "--", target])
        run_git(["remote", "add", "--mirror=fetch", "--", "origin", url], git_dir=target)
        self._update(url, target, default_branch)

    def _has_done_directly(self, work: Callable[..., None], url: str, target: Path) -> bool:
        """Try to make or update a mirror without git's client, once: what fails that way is git's to do."""
        if not self._is_direct:
            return False
        try:
            work(url, target, self._access(), pull_requests=self._settings.pull_requests)
        except OddServerError as error:
            logger.info("left to git: %s", error)
            self._is_direct = False
        except BaseException:
            self._is_direct = False
            raise
        return self._is_direct

    def _update(self, url: str, target: Path, default_branch: str) -> None:
        """Bring a mirror to what upstream offers now: new refs come, moved ones move, vanished ones go."""
        refspecs = [ALL_REFS] if self._settings.pull_requests else [ALL_REFS, NOT_PULL_REQUESTS]
        command = ["fetch", "--quiet", "--prune", "--no-write-fetch-head", "--", url, *refspecs]
        run_git(command, git_dir=target, access=self._access())
        if not self._settings.pull_requests:
            _drop_pull_requests(target)
        if default_branch:
            run_git(["symbolic-ref", "HEAD", f"refs/heads/{default_branch}"], git_dir=target)
        run_git(["pack-refs", "--all"], git_dir=target)

    def _from_cache(self, url: str, cached: Path, target: Path, default_branch: str) -> None:
        """Bring the cached mirror up to date, check that it is whole, and link it to ``target``."""
        if cached.is_dir() and not (cached / "shallow").exists():  # that upstream may have what it lacks
            drop_leftovers(cached, now=time.time())
            check_complete(cached)
            if not self._has_done_directly(update_directly, url, cached):
                self._update(url, cached, default_branch)
            check_packs(cached)
        else:
            self._remake(url, cached, default_branch)
        note_packs(cached)
        _link_tree(cached, target)

    def _remake(self, url: str, cached: Path, default_branch: str) -> None:
        """Make a cached mirror anew; the old one stays until the new one is whole."""
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=cached.parent, prefix=PARTIAL, ignore_cleanup_errors=True
        ) as scratch:
            partial = Path(scratch) / cached.name
            self._mirror_anew(url, partial, default_branch)
            if cached.exists():
                cached.rename(Path(scratch) / "damaged")
            partial.rename(cached)

    def _keep_lfs(self, target: Path) -> None:
        """Link the LFS objects of a mirror into the cache, from where the next mirror has them."""
        if self._settings.cache is None:
            return
        for path in (target / "lfs" / "objects").rglob("*"):
            kept = self._settings.cache / target.name / path.relative_to(target)
            if not path.is_file() or (kept.exists() and kept.samefile(path)):
                continue
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.unlink(missing_ok=True)
            link_file(str(path), str(kept))


def _drop_pull_requests(target: Path) -> None:
    """Remove the refs of pull requests that a mirror still has from when they were asked for.

    ``--prune`` leaves alone what a negative refspec leaves out.
    """
    with tempfile.NamedTemporaryFile(dir=target, prefix="tmp_") as commands:
        listing = ["for-each-ref", "--format=delete %(refname)", "refs/pull"]
        run_git(listing, git_dir=target, stdout=commands.file)
        run_git(["update-ref", "--stdin"], git_dir=target, stdin=Path(commands.name))


def _link_tree(source: Path, target: Path) -> None:
    """Make a copy of a repository that shares its files: git replaces them and never writes into them."""
    shutil.copytree(
        source, target, copy_function=link_file, ignore=shutil.ignore_patterns("FETCH_HEAD", PACKS_NOTED)
    )


def link_file(source: str, target: str) -> None:
    """Link a file, or copy it where the cache is on another file system."""
    try:
        Path(target).hardlink_to(source)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
            raise
        shutil.copy2(source, target)
