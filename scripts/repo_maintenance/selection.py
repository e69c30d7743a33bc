"""Which of the listed repositories are backed up: by name, then by the filters. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from repo_maintenance.hosts.base import Repository
from repo_maintenance.settings import BackupSettings, FilterSettings

BYTES_PER_MB = 1_000_000


def select(repositories: Iterable[Repository], settings: BackupSettings) -> list[Repository]:
    """Return the repositories whose whole name matches a pattern, no exclusion, and every filter."""
    patterns = [re.compile(pattern) for pattern in settings.patterns]
    exclude = [re.compile(pattern) for pattern in settings.exclude]
    return [
        repository
        for repository in repositories
        if any(pattern.fullmatch(repository.name) for pattern in patterns)
        and not any(pattern.fullmatch(repository.name) for pattern in exclude)
        and passes(repository, settings.filters)
    ]


def passes(repository: Repository, filters: FilterSettings) -> bool:
    """Whether a repository meets every filter."""
    limit = filters.max_size_mb
    return (
        _chosen(filters.archived, repository.archived)
        and _chosen(filters.forks, repository.fork)
        and repository.visibility in filters.visibility
        and (not filters.topics or not set(filters.topics).isdisjoint(repository.topics))
        and (limit is None or repository.size_bytes <= limit * BYTES_PER_MB)
    )


def _chosen(choice: str, is_so: bool) -> bool:
    return choice == "include" or is_so == (choice == "only")
