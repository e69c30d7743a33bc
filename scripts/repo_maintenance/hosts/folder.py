"""A folder of git repositories, bare or not, as a host."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from repo_maintenance.errors import HostError
from repo_maintenance.findings import Finding, failure, ok
from repo_maintenance.hosts.base import GitAccess, Repository


class FolderHost:
    """The git repositories that stand directly in one folder."""

    def __init__(self, folder: Path, description: str) -> None:
        self._folder = folder
        self.description = description

    def git_access(self) -> GitAccess:
        """Return that git reads files, and needs no password."""
        return GitAccess(protocols=("file",))

    def check(self) -> Iterator[Finding]:
        """Say how many repositories the folder holds."""
        try:
            yield ok("source", f"{self.description} holds {len(self.list_repositories())} repositories")
        except HostError as error:
            yield failure("source", error.message, error.hint)

    def locate(self, repository_id: str) -> str | None:  # noqa: ARG002
        """Return None: a folder's repositories are known by their names alone."""
        return None

    def list_repositories(self) -> list[Repository]:
        """Return the repositories in the folder; a name's ``.git`` at the end is not part of it."""
        try:
            entries = sorted(self._folder.iterdir())
        except OSError as error:
            raise HostError(
                f"backup.folder: can't list {self._folder}: {error.strerror}",
                hint="name a folder that holds git repositories",
            ) from error
        git_dirs = {entry: git_dir for entry in entries if (git_dir := find_git_dir(entry))}
        wikis = {entry for entry in git_dirs if _is_wiki(entry, git_dirs)}
        found = [_describe(entry, git_dir) for entry, git_dir in git_dirs.items() if entry not in wikis]
        names = [repository.name for repository in found]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise HostError(
                f"backup.folder: {self._folder} holds both NAME and NAME.git for {', '.join(twice)}",
                hint="rename one of each pair",
            )
        return sorted(found, key=lambda repository: repository.name)


def find_git_dir(folder: Path) -> Path | None:
    """Return the git directory of a repository, bare or not, or None where ``folder`` is none."""
    for candidate in (folder, folder / ".git"):
        if (candidate / "HEAD").is_file() and (candidate / "objects").is_dir():
            return candidate
    return None


def _is_wiki(entry: Path, git_dirs: Mapping[Path, Path]) -> bool:
    """Whether a repository is the wiki of another one beside it, by GitHub's naming: ``{name}.wiki.git``."""
    return entry.name.endswith(".wiki.git") and wiki_owner(entry) in git_dirs


def wiki_owner(wiki: Path) -> Path:
    """Return the path of the repository that a wiki belongs to."""
    return wiki.with_name(wiki.name.removesuffix(".wiki.git") + ".git")


def _describe(entry: Path, git_dir: Path) -> Repository:
    name = entry.name.removesuffix(".git") or entry.name
    return Repository(
        id=name,
        name=name,
        full_name=f"{entry.resolve().parent.name}/{name}",
        clone_url=git_dir.resolve().as_uri(),
        pushed_at=dt.datetime.fromtimestamp(_last_change(git_dir), dt.UTC),
        size_bytes=sum(_object_sizes(git_dir / "objects")),
        default_branch=_default_branch(git_dir),
        has_wiki=entry.name.endswith(".git") and entry.with_name(f"{name}.wiki.git").is_dir(),
    )


def _last_change(git_dir: Path) -> float:
    """Return when a ref last moved, as seconds since the epoch: what stands for the last push.

    A moved ref changes its own file or ``packed-refs``; a deleted one changes the folder that it stood in.
    """
    paths = [git_dir / "HEAD", git_dir / "packed-refs", git_dir / "refs", *(git_dir / "refs").rglob("*")]
    found = [status.st_mtime for path in paths if (status := _status(path))]
    return max(found, default=0.0)


def _default_branch(git_dir: Path) -> str:
    head = (git_dir / "HEAD").read_text(encoding="utf-8").strip()
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""


def _object_sizes(folder: Path) -> Iterator[int]:
    """Yield the sizes of loose objects and packs; ``info`` holds what git writes about them."""
    for root, folders, names in os.walk(folder):
        if "info" in folders:
            folders.remove("info")
        for name in names:
            if status := _status(Path(root) / name):
                yield status.st_size


def _status(path: Path) -> os.stat_result | None:
    """Return what the system knows of a file, or None where git has removed it since."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
