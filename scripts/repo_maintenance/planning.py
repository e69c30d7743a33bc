"""What is missing or stale, and under which date it is backed up. Pure: no clock, no network, no disk."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from repo_maintenance.hosts.base import Repository
from repo_maintenance.naming import BackupName


class Action(StrEnum):
    """What a run does for a repository."""

    NEW = "new"
    CHANGED = "changed"
    TOO_OLD = "too old"
    FORCED = "forced"
    UP_TO_DATE = "up to date"


@dataclass(frozen=True)
class NewestBackup:
    """The newest stored backup of a repository, as far as planning needs to know it."""

    date: dt.date
    pushed_at: dt.datetime | None
    """The push that it holds; None where the store does not say."""
    is_curable: bool = False
    """Whether it lacks something that can be had now."""
    is_bad: bool = False
    """Whether it was tried, and can't be restored."""
    repository_id: str | None = None
    """Which repository it is of, by the host's id; None where the store does not say."""
    lost_base: dt.date | None = None
    """The day of the full backup that it is an increment on, where that one is gone or can't be restored."""


@dataclass(frozen=True)
class Decision:
    """What a run does for one repository, and why."""

    repository: Repository
    action: Action
    reason: str
    date: dt.date
    """The date of the backup that there is once the run has succeeded."""
    newest: NewestBackup | None
    kind: str = ""
    """Whether it will be full or an increment, and why, in words; empty where only full ones are made."""

    @property
    def is_due(self) -> bool:
        """Whether a backup is to be made."""
        return self.action is not Action.UP_TO_DATE

    @property
    def name(self) -> BackupName:
        """What names the backup that there is once the run has succeeded."""
        return BackupName(self.repository.name, self.date)


def decide(
    repository: Repository, newest: NewestBackup | None, *, today: dt.date, max_age_days: int, force: bool
) -> Decision:
    """Return what is to be done for a repository.

    A backup that is due is dated today, and one that is not keeps its date: no name of an earlier day ever
    gets new content. (Where the newest is of a day to come, made by a machine whose clock was ahead, that
    day is kept, or it would stay the newest for ever.) Pushes are compared by the host's clock alone, and any
    difference counts, since a restored or replaced repository may carry an earlier time.
    """
    if newest is None:
        action, reason = Action.NEW, "no backup yet"
    elif newest.is_bad:
        action, reason = Action.CHANGED, "the newest backup failed its proof"
    elif newest.lost_base is not None:
        action, reason = Action.CHANGED, f"the newest stands on that of {newest.lost_base}, which is lost"
    elif newest.is_curable:
        action, reason = Action.CHANGED, "what the newest backup lacks can be had now"
    elif newest.pushed_at is None:
        action, reason = Action.CHANGED, "the newest backup does not say which push it holds"
    elif newest.repository_id not in {None, repository.id}:
        action, reason = Action.CHANGED, "another repository has this name now"
    elif newest.pushed_at != repository.pushed_at:
        action, reason = Action.CHANGED, f"pushed {repository.pushed_at:%Y-%m-%d %H:%M} UTC"
    elif force:
        action, reason = Action.FORCED, "asked for by force=true"
    elif (today - newest.date).days > max_age_days:
        action, reason = Action.TOO_OLD, f"newest is older than {max_age_days} days"
    else:
        return Decision(repository, Action.UP_TO_DATE, "nothing pushed since", newest.date, newest)
    date = today if newest is None else max(today, newest.date)
    return Decision(repository, action, reason, date, newest)
