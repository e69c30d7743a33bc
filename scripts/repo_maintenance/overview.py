"""Whether everything is safe: each repository's state, from the listing and the store, not from memory.

Report, metrics and alerts all read this.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from repo_maintenance import __version__
from repo_maintenance.alert import Alert
from repo_maintenance.health.findings import HealthFinding
from repo_maintenance.history import RunFailure, RunRecord

SCHEMA_VERSION = 1


class State(StrEnum):
    """How safe a repository is; the first that holds, from the worst on."""

    NEVER = "never backed up"
    FAILED = "failed"
    """In the last run."""
    BAD = "not restorable"
    """Its newest backup, or what that is an increment on, was tried and can't be restored, or is gone."""
    LATE = "late"
    """Its newest backup is older than ``alerts.max_age_days``, or a push has waited too long for one."""
    INCOMPLETE = "incomplete"
    UNPROVEN = "not yet proven"
    """No backup that is kept of it was ever proven restorable."""
    GONE = "gone upstream"
    """Not listed any more, its backups are kept."""
    LEFT_OUT = "left out"
    """Stored, and listed, but no pattern matches it any more."""
    SAFE = "safe"


class RepositoryState(BaseModel):
    """How one repository stands."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    name: str
    """Its name without the owner, as its backups are stored under."""
    full_name: str | None
    """``owner/name`` upstream; None where it is gone."""
    state: State
    """How safe it is; the worst that holds."""
    is_matched: bool
    """Whether the settings select it."""
    is_listed: bool
    """Whether the host shows it under this name."""
    pushed_at: AwareDatetime | None
    """Of the last push upstream."""
    waiting_since: AwareDatetime | None
    """The last push, where the newest backup holds another one; None where nothing waits."""
    upstream_bytes: int | None
    """What the host says it takes."""
    backups: int
    """How many are stored."""
    stored_bytes: int
    """Of all its backups."""
    cost: float
    """Estimated, a month, in the report's currency."""
    oldest: dt.date | None
    """Day of its oldest backup."""
    newest: dt.date | None
    """Day of its newest backup."""
    newest_at: AwareDatetime | None
    """When the newest backup was stored, by the store's clock."""
    newest_bytes: int | None
    """Size of the newest backup; of an increment, with what it stands on."""
    previous_bytes: int | None
    """Size of the backup before the newest; of an increment, with what it stands on."""
    age_days: int | None
    """Of the newest backup."""
    last_proven: dt.date | None
    """The newest day on which one of its backups was restored and found whole."""
    proven_at: AwareDatetime | None
    """When the newest good proof was made."""
    restore_seconds: float | None
    """How long the newest good proof took to bring it back and check it."""
    growth_bytes: int | None
    """The newest backup's size less that of the newest one at least 30 days older."""
    incomplete: str
    """What the newest backup lacks, in words."""
    note: str
    """What is out of the ordinary about the newest backup, though nothing is missing."""
    movement: str | None
    """``renamed to …``, ``transferred to …`` or ``vanished``, where it is not listed under its name."""
    failure: RunFailure | None
    """Why it failed in the last run."""


class Overview(BaseModel):
    """How everything stands: what ``report.json`` holds."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    schema_version: int = SCHEMA_VERSION
    """Rises when a field changes its meaning or goes; new fields may come at any time."""
    generated_at: AwareDatetime
    tool_version: str = __version__
    source: str
    """Where the repositories come from, in words."""
    store: str
    """Where the backups go, in words."""
    currency: str
    """Of the prices in the configuration."""
    matched: int
    """Repositories that the settings select."""
    safe: int
    """Of the matched repositories: those that need nobody's attention."""
    backups: int
    """All that are stored, also of repositories that are gone."""
    stored_bytes: int
    """All that these take."""
    cost: float
    """Estimated, a month, in ``currency``; without requests, transfers and older versions."""
    states: dict[State, int]
    """State → repositories in it, matched or not."""
    repositories: list[RepositoryState]
    """By name; also those that are stored and gone upstream."""
    runs: list[RunRecord]
    """The last runs, oldest first."""
    alerts: list[Alert] = []
    """What an administrator is told of, the worst first."""
    health: list[HealthFinding] = []
    """What the newest health check found, the worst first."""

    @property
    def last_backup_run(self) -> RunRecord | None:
        """The newest run that made backups, or found nothing to do."""
        return next((run for run in reversed(self.runs) if run.kind == "backup"), None)
