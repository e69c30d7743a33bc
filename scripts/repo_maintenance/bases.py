"""Which backups are increments, and on what: chosen from the listing, confirmed by what the base tells. Pure.

An increment stands on the last full backup of an earlier day, never on another increment: to restore it takes
two tarballs, however many there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from repo_maintenance.catalog import Backup
from repo_maintenance.manifest import Base
from repo_maintenance.pins import NotedRefs
from repo_maintenance.records import Receipt
from repo_maintenance.rewrites import ObjectId


@dataclass(frozen=True)
class Proposal:
    """What the next backup of a repository is, as far as the listing tells."""

    base: Backup | None
    """What it is to be an increment on; None where it is to be full."""
    reason: str
    """Why it is full; which increment it is, else."""
    increment: int = 0
    """Which one it is on its base, counted from 1."""


class IncrementPlan(BaseModel):
    """What the next backup of a repository is an increment on, and what that one holds: for its archiving."""

    model_config = ConfigDict(frozen=True)

    backup_date: dt.date
    """Of the backup that is to be made."""
    repository_id: str
    base: Base
    base_bytes: int
    """Size of the base's tarball."""
    increment: int
    refs: dict[str, ObjectId]
    """The base's refs: it has all that they lead to."""
    wiki_refs: dict[str, ObjectId] | None
    """Those of its wiki; None where it has none."""
    lfs_objects: list[str]
    """The Git LFS objects that it has, by SHA-256."""


def propose(
    date: dt.date, backups: Sequence[Backup], newest: Receipt | None, *, full_every: int, force: bool
) -> Proposal:
    """Return what the backup of ``date`` is to be, from the listing of a repository's backups, oldest first.

    ``newest`` is the receipt of the last of them, which knows better than the listing whether it is full.
    It is full where it is the first, or each ``full_every``-th; where something is wrong with the last full
    one, or with an increment on it; and where the increments together take as much as a full one, from when
    on another full one saves more than it costs.
    """
    earlier = [one for one in backups if one.name.date < date]
    fulls = [one for one in earlier if not _is_increment(one, newest)]
    if force or not fulls:
        return Proposal(None, "asked for by force=true" if force else "no full one of an earlier day")
    base = fulls[-1]
    since = [one for one in earlier if one.name.date > base.name.date]
    number = max(len(since), _counted(newest, base.name.date, date)) + 1
    if (reason := _why_full(base, since)) is not None:
        return Proposal(None, reason)
    if number >= full_every:
        return Proposal(None, f"one in {full_every}")
    return Proposal(base, f"on {base.name.date}, number {number}", number)


def _why_full(base: Backup, since: Sequence[Backup]) -> str | None:
    """Return what speaks against an increment on a base, seen from the increments on it; None: nothing."""
    day = base.name.date
    reasons = {
        f"the one of {day} failed its proof": base.is_bad,
        f"an increment on {day} failed its proof": any(one.is_bad for one in since),
        "what the increments before it stand on is gone": any(one.base != day for one in since),
        f"the one of {day} was stored anew since": any(
            one.based_at and base.stored.modified > one.based_at for one in since
        ),
        f"the increments on {day} take as much as it": bool(since)
        and sum(one.stored.size for one in since) >= base.stored.size,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def find_fault(base: Receipt | None, noted: NotedRefs | None, repository_id: str) -> str | None:
    """Return why a full backup can't be a base, by what it says and what is noted of it; None: it can."""
    if base is None:
        return "does not say what it is"
    if base.repository_id != repository_id:
        return "is of another repository"
    if base.base_date is not None:
        return "is an increment itself"
    if base.incomplete:
        return "is incomplete"
    if noted is None or noted.repository_id != repository_id or noted.sha256 != base.sha256:
        return "has no note of what it holds"
    return None


def plan_increment(proposal: Proposal, date: dt.date, base: Receipt, noted: NotedRefs) -> IncrementPlan:
    """Return the plan of an increment on a base in which no fault was found."""
    return IncrementPlan(
        backup_date=date,
        repository_id=base.repository_id,
        base=Base(repository=base.repository, backup_date=base.backup_date, key=base.key, sha256=base.sha256),
        base_bytes=base.size_bytes,
        increment=proposal.increment,
        refs=noted.refs | noted.pull_requests,
        wiki_refs=noted.wiki_refs,
        lfs_objects=noted.lfs_objects,
    )


def _is_increment(backup: Backup, newest: Receipt | None) -> bool:
    if newest is not None and newest.key == backup.stored.key:
        return newest.base_date is not None
    return backup.base is not None


def _counted(newest: Receipt | None, base: dt.date, date: dt.date) -> int:
    """Return how many increments on a base the newest says there were before ``date``, deleted or not."""
    if newest is None or newest.base_date != base:
        return 0
    return newest.increment - 1 if newest.backup_date >= date else newest.increment
