"""Owns the fake GitHub's accounts and repositories, by their ids, and where each stands on disk."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from tests.servers.repositories import disk_bytes, make_repository, refs, set_head

START = datetime(2024, 1, 1, tzinfo=UTC)
TICK = timedelta(minutes=1)
Visibility = Literal["public", "private", "internal"]
OwnerType = Literal["Organization", "User"]


class RepositoryFields(TypedDict, total=False):
    """What a test can set of a repository; the rest follows from the repository on disk."""

    private: bool
    visibility: Visibility
    archived: bool
    disabled: bool
    fork: bool
    parent: str | None
    size: int
    default_branch: str
    description: str | None
    homepage: str | None
    topics: list[str]
    has_issues: bool
    has_wiki: bool
    has_projects: bool
    is_template: bool
    is_protected: bool
    has_security_policy: bool
    language: str | None
    pushed_at: datetime | None
    updated_at: datetime
    created_at: datetime


@dataclass(slots=True)
class Owner:
    """An organisation or a user."""

    id: int
    login: str
    type: OwnerType
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Repository:
    """A repository: what GitHub knows of it, and the bare repository that holds it."""

    id: int
    owner: Owner
    name: str
    path: Path
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime | None
    size: int
    default_branch: str
    visibility: Visibility = "public"
    archived: bool = False
    disabled: bool = False
    fork: bool = False
    parent: str | None = None
    description: str | None = None
    homepage: str | None = None
    topics: list[str] = field(default_factory=list)
    has_issues: bool = True
    has_wiki: bool = True
    has_projects: bool = True
    is_template: bool = False
    is_protected: bool = False
    has_security_policy: bool = False
    language: str | None = None

    @property
    def private(self) -> bool:
        """GitHub calls an internal repository private, too."""
        return self.visibility != "public"

    @property
    def full_name(self) -> str:
        """Return `owner/name`."""
        return f"{self.owner.login}/{self.name}"

    @property
    def wiki_path(self) -> Path:
        """Return where the wiki's bare repository stands if there is one: `name.wiki.git` by `name.git`."""
        return self.path.with_name(f"{self.path.name.removesuffix('.git')}.wiki.git")

    def set_fields(self, fields: RepositoryFields) -> None:
        """Change what a test, or a PATCH, names."""
        if "visibility" not in fields and "private" in fields:
            self.visibility = "private" if fields["private"] else "public"
        for name, value in fields.items():
            if name != "private":
                setattr(self, name, value)


class State:
    """Accounts and repositories; its lock guards every change."""

    def __init__(self, root: Path) -> None:
        """Keep the repositories that it makes below `root`."""
        self.root = root
        self.lock = threading.RLock()
        self.repositories: dict[int, Repository] = {}
        self._owners: dict[str, Owner] = {}
        self._moved: dict[str, int] = {}
        self._last_id = 1000
        self._now = START

    def tick(self) -> datetime:
        """Return the next moment of GitHub's clock, a minute after the one before."""
        with self.lock:
            self._now += TICK
            return self._now

    def add_owner(self, login: str, kind: OwnerType = "Organization") -> Owner:
        """Return the account of that login, made when it's new."""
        with self.lock:
            if login.lower() not in self._owners:
                self._owners[login.lower()] = Owner(self._next_id(), login, kind, self.tick())
            return self._owners[login.lower()]

    def owner(self, login: str) -> Owner | None:
        """Return an account; logins don't mind the case."""
        return self._owners.get(login.lower())

    def add_repository(
        self, owner: str, name: str, bare_path: Path | None = None, **fields: Unpack[RepositoryFields]
    ) -> Repository:
        """Add a repository: `bare_path` where it stands, or a new one of three commits."""
        path = self.root / owner / f"{name}.git" if bare_path is None else bare_path
        if bare_path is None:
            make_repository(path, default_branch=fields.get("default_branch", "main"))
        with self.lock:
            now = self.tick()
            repository = Repository(
                id=self._next_id(),
                owner=self.add_owner(owner),
                name=name,
                path=path,
                created_at=now,
                updated_at=now,
                pushed_at=now,
                size=kilobytes(path),
                default_branch=head_branch(path),
            )
            repository.set_fields(fields)
            self.repositories[repository.id] = repository
            self._moved.pop(repository.full_name.lower(), None)
        return repository

    def find(self, owner: str, name: str) -> Repository | None:
        """Return the repository that has this name now; names don't mind the case."""
        wanted = f"{owner}/{name}".lower()
        with self.lock:
            found = (item for item in self.repositories.values() if item.full_name.lower() == wanted)
            return next(found, None)

    def moved(self, owner: str, name: str) -> Repository | None:
        """Return the repository that had this name before it was renamed or transferred."""
        return self.repositories.get(self._moved.get(f"{owner}/{name}".lower(), 0))

    def named(self, owner: str, name: str) -> Repository:
        """Return a repository; raises KeyError without it."""
        repository = self.find(owner, name)
        if repository is None:
            raise KeyError(f"{owner}/{name}")
        return repository

    def move(self, repository: Repository, owner: str, name: str) -> None:
        """Give a repository a new owner or name; its old one then redirects, as on GitHub."""
        with self.lock:
            self._moved[repository.full_name.lower()] = repository.id
            repository.owner, repository.name = self.add_owner(owner), name
            repository.updated_at = self.tick()
            self._moved.pop(repository.full_name.lower(), None)

    def remove(self, repository: Repository) -> None:
        """Delete a repository and, where it stands below the root, its files."""
        with self.lock:
            del self.repositories[repository.id]
            if repository.path.is_relative_to(self.root):
                shutil.rmtree(repository.path, ignore_errors=True)
                shutil.rmtree(repository.wiki_path, ignore_errors=True)

    def pushed(self, repository: Repository) -> None:
        """Note a push: its time, the size, and the first branch as default where that one doesn't exist."""
        heads = [
            ref.removeprefix("refs/heads/") for ref in refs(repository.path) if ref.startswith("refs/heads/")
        ]
        with self.lock:
            repository.pushed_at = repository.updated_at = self.tick()
            repository.size = kilobytes(repository.path)
            if heads and repository.default_branch not in heads:
                repository.default_branch = heads[0]
                set_head(repository.path, heads[0])

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id


def kilobytes(path: Path) -> int:
    """Return GitHub's `size` of a bare repository: KiB on disk, 0 while it has no object."""
    objects = path / "objects"
    if not objects.is_dir() or not any(item.is_file() for item in objects.rglob("*")):
        return 0
    return max(1, disk_bytes(path) // 1024)


def head_branch(path: Path) -> str:
    """Return the branch that HEAD names, `main` for a path without a repository."""
    head = path / "HEAD"
    return head.read_text().strip().removeprefix("ref: refs/heads/") if head.is_file() else "main"
