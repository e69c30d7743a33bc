"""What a check is given: one repository, seen from all sides."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from repo_maintenance.health.tree import Tree
from repo_maintenance.hosts.base import Repository
from repo_maintenance.settings.health import CheckSettings

if TYPE_CHECKING:
    from repo_maintenance.health.index import PackageIndex


class Facts(BaseModel):
    """What is known of a repository from listings alone, noted before any job begins."""

    model_config = ConfigDict(frozen=True)

    repository: Repository
    newest_backup: dt.date | None
    is_protected: bool | None = None
    """Whether a rule guards the default branch; None where nobody could say."""
    inherits_contributing: bool = False
    """Whether the host shows a contributing guide for it, also one of the whole organisation."""
    inherits_security_policy: bool = False
    """Whether the host shows a security policy for it, also one of the whole organisation."""


class Organization(BaseModel):
    """What is known of all repositories together."""

    model_config = ConfigDict(frozen=True)

    today: dt.date
    host: str = ""
    """The web host of the repositories, such as `github.com`; empty for a folder."""
    archived: list[str] = []
    """The archived ones, as ``owner/name``."""
    unprotected_unknown: str = ""
    """Why nobody could say which default branches are guarded; empty where that is known."""

    @property
    def is_hosted(self) -> bool:
        """Whether a service such as GitHub holds the repositories, not a mere folder."""
        return bool(self.host)


@dataclass(frozen=True)
class Examined:
    """One repository, as one check sees it."""

    facts: Facts
    organization: Organization
    tree: Tree
    index: PackageIndex
    settings: CheckSettings
    limits: Mapping[str, int]
    """The check's limits: the settings', else its own."""

    @property
    def repository(self) -> Repository:
        """What the host says of it."""
        return self.facts.repository

    @property
    def today(self) -> dt.date:
        """The day of the run, in UTC."""
        return self.organization.today

    def is_ignored(self, subject: str) -> bool:
        """Whether the settings tell this check to leave a path, a branch or a package alone."""
        return any(re.fullmatch(pattern, subject) for pattern in self.settings.ignore)
