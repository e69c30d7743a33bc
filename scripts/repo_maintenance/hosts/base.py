"""What a host of repositories is: it lists them, and says how git reaches them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict


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
    fork: bool = False
    topics: tuple[str, ...] = ()


@dataclass(frozen=True)
class GitAccess:
    """How git may reach a host: the protocols it may use, and what it answers when asked for a password."""

    protocols: tuple[str, ...]
    username: str = "x-access-token"
    password: str | None = field(default=None, repr=False)


class Host(Protocol):
    """Where repositories come from."""

    @property
    def description(self) -> str:
        """What a user calls this source, such as ``GitHub organisation quantecon``."""
        ...

    def list_repositories(self) -> list[Repository]:
        """Return every repository that the host shows, in the order of their names.

        Raises HostError where the list can't be had whole; a part of it is never returned.
        """
        ...


def parse_time(moment: dt.datetime) -> dt.datetime:
    """Return ``moment`` in UTC, taking a time without a zone as UTC, as PyGithub gives it."""
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
