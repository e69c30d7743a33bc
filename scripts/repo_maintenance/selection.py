"""Which of the listed repositories are backed up: by name, then by the filters. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from repo_maintenance.errors import SettingsError
from repo_maintenance.hosts.base import Repository
from repo_maintenance.settings import BackupSettings, FilterSettings

BYTES_PER_MB = 1_000_000
NAMES_SHOWN = 3


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


def explain_nothing(repositories: Sequence[Repository], settings: BackupSettings) -> SettingsError | None:
    """Return why none of the listed repositories is selected; None where one is, or where none is listed."""
    if not repositories or select(repositories, settings):
        return None
    count = f"none of the {len(repositories)} repositories"
    if select(repositories, settings.model_copy(update={"filters": FilterSettings(max_size_mb=None)})):
        return SettingsError(f"backup.filters leave {count} whose names match", hint="ask for less there")
    names = [repository.name for repository in repositories]
    plain = [re.sub(r"\\.|[^\w-]", "", pattern) for pattern in settings.patterns]
    near = {name: None for text in plain for name in difflib.get_close_matches(text, names, cutoff=0.4)}
    examples = ", ".join(([*near] or names)[:NAMES_SHOWN])
    return SettingsError(
        f"backup.patterns, backup.exclude: {count} match",
        hint=f"patterns match whole names, such as {examples}; .* stands for anything",
    )


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
