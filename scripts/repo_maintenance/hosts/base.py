"""What a host of repositories is: it lists them, and says how git reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict

from repo_maintenance.findings import Finding


class Repository(BaseModel):
    """One repository as its host describes it at listing time."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """What stays the same when the repository is renamed or transferred."""
    name: str
    full_name: str
    """``owner/name``."""
    clone_url: str
    """Where git fetches from; never holds a secret."""
    pushed_at: AwareDatetime
    """Time of the last push, by the host's clock."""
    size_bytes: int
    """What the host says it takes on disk: an estimate."""
    default_branch: str
    description: str = ""
    visibility: str = "public"
    archived: bool = False
    disabled: bool = False
    """Switched off by the host: it is listed, but git is refused."""
    fork: bool = False
    has_wiki: bool = False
    """Whether there may be a wiki; GitHub says so also where nobody has written one."""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True)
class GitAccess:
    """How git may reach a host: the protocols it may use, and what it answers when asked for a password."""

    protocols: tuple[str, ...]
    host: str = ""
    """The only host, with its port, that the password is for."""
    username: str = "x-access-token"
    password: str | None = field(default=None, repr=False)
    stall_seconds: int = 60
    """A transfer slower than 1,000 bytes a second for so long is given up."""


class Host(Protocol):
    """Where repositories come from."""

    @property
    def description(self) -> str:
        """What a user calls this source, such as ``GitHub organisation quantecon``."""
        ...

    def git_access(self) -> GitAccess:
        """Return how git reaches the repositories; raises HostError where no token can be had."""
        ...

    def check(self) -> Iterator[Finding]:
        """Yield what is to be known before a run: whether it can be reached, with which rights."""
        ...

    def list_repositories(self) -> list[Repository]:
        """Return every repository that the host shows, in the order of their names.

        Raises HostError where the list can't be had whole; a part of it is never returned.
        """
        ...

    def locate(self, repository_id: str) -> str | None:
        """Return the ``owner/name`` that a repository has now, or None where it is gone or out of sight."""
        ...
