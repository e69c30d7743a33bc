"""Deletes the backups that the policy lets go, and never more; shows the table first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import humanfriendly
from tabulate import tabulate

from repo_maintenance.catalog import Backup, Catalog
from repo_maintenance.errors import StoreError
from repo_maintenance.naming import BackupName, object_key, pin_key
from repo_maintenance.retention import Candidate, Verdict, judge
from repo_maintenance.settings import RetentionSettings
from repo_maintenance.stores import Store
from repo_maintenance.stores.notes import read_notes

# So long after its day, an increment that is not stored was cut off: what it was to stand on may go.
LONGEST_UPLOAD_DAYS = 30
STOOD_UPON = "an increment on it was not deleted"


@dataclass(frozen=True)
class Judged:
    """A stored backup, and what retention says of it."""

    backup: Backup
    verdict: Verdict


@dataclass(frozen=True)
class PrunePlan:
    """What a run of ``prune`` would delete, and why it may not."""

    judged: list[Judged]
    vanished: list[str]
    """Stored repositories that the host no longer lists."""
    refusal: str | None
    """Why nothing at all is deleted; None where the policy is carried out."""
    orphans: list[str] = field(default_factory=list)
    """Keys of notes of bases of increments that were never stored, or are gone."""

    @property
    def going(self) -> list[Backup]:
        """The backups that are deleted."""
        return [] if self.refusal else [one.backup for one in self.judged if not one.verdict.keep]


def plan_prune(
    catalog: Catalog, listed: Iterable[str], settings: RetentionSettings, *, today: dt.date
) -> PrunePlan:
    """Return what goes and what stays.

    ``listed`` are the names of all repositories that the host shows, matched or not. For one that is no
    longer among them, time stands still at its newest backup: it keeps its last ones.
    """
    names = set(listed)
    vanished = sorted(name for name in catalog.backups if name not in names)
    promised, orphans = _find_promised(catalog, today)
    judged = [
        Judged(backup, verdict)
        for repo, backups in sorted(catalog.backups.items())
        for backup, verdict in _judge_repository(
            catalog, backups, promised, settings, backups[-1].name.date if repo in vanished else today
        )
    ]
    return PrunePlan(judged, vanished, _refusal(len(vanished), len(catalog.backups), settings), orphans)


def _find_promised(catalog: Catalog, today: dt.date) -> tuple[dict[BackupName, dt.date], list[str]]:
    """Return which backups an increment that is not there may yet be stored on, and the notes of no use.

    What an increment stands on is noted before it is stored; cut off in between, it will never be.
    """
    stored = {backup.name for backup in catalog}
    promised: dict[BackupName, dt.date] = {}
    orphans: list[str] = []
    for name, notes in catalog.bases.items():
        if name in stored:
            continue
        if (today - name.date).days > LONGEST_UPLOAD_DAYS:
            orphans += [note.key for note in notes.values()]
            continue
        promised |= {BackupName(name.repo, base): name.date for base in notes}
    return promised, sorted(orphans)


def _judge_repository(
    catalog: Catalog,
    backups: Sequence[Backup],
    promised: Mapping[BackupName, dt.date],
    settings: RetentionSettings,
    today: dt.date,
) -> list[tuple[Backup, Verdict]]:
    by_date = {backup.name.date: backup for backup in backups}
    candidates = [
        Candidate(
            one.name.date,
            proven=one.is_good and not catalog.has_lost_base(one),
            bad=one.is_bad,
            pinned_on=one.pinned_on,
            is_increment=one.base is not None,
            needs=one.needs,
            promised_to=promised.get(one.name),
        )
        for one in backups
    ]
    return [
        (by_date[verdict.candidate.date], verdict) for verdict in judge(candidates, settings, today=today)
    ]


def _refusal(vanished: int, stored: int, settings: RetentionSettings) -> str | None:
    if not settings.enabled:
        return "retention.enabled is false"
    if stored and vanished / stored > settings.max_vanished:
        return (
            f"{vanished} of {stored} stored repositories are no longer listed, "
            f"more than retention.max_vanished ({settings.max_vanished:.0%}) allows"
        )
    return None


def render_plan(plan: PrunePlan) -> str:
    """Return the table: each backup, whether it goes, why, and its size; then the totals."""
    rows = [
        (
            one.backup.name.repo,
            one.backup.name.date.isoformat(),
            "keep" if one.verdict.keep else "delete",
            one.verdict.reason,
            humanfriendly.format_size(one.backup.stored.size),
        )
        for one in plan.judged
    ]
    headers = ("repository", "backup of", "verdict", "why", "size")
    table = tabulate(rows, headers, tablefmt="simple", disable_numparse=True)
    would_go = [one.backup for one in plan.judged if not one.verdict.keep]
    freed = humanfriendly.format_size(sum(one.stored.size for one in would_go))
    lines = [table, "", f"{len(plan.judged)} backups: {len(would_go)} to delete, {freed}"]
    if plan.vanished:
        lines.append(f"no longer listed, so they keep their last ones: {', '.join(plan.vanished)}")
    if plan.refusal:
        lines.append(f"Nothing is deleted: {plan.refusal}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Pruned:
    """What a run of ``prune`` did."""

    deleted: list[Backup]
    refused: dict[str, str]
    """Object key → why the store did not delete it; a lock is the store's good right."""


def prune(store: Store, catalog: Catalog, plan: PrunePlan) -> Pruned:
    """Delete what goes, the notes about it first, and an increment before its base.

    Raises StoreError, also where one was pinned meanwhile.

    Cut off in between, a prune leaves backups that look untried, and are tried again. The other way round it
    would leave proofs of backups that are gone, which look like a loss. What an increment stands on, and the
    note of that, go only once the store has deleted the increment.
    """
    _refuse_new_pins(store, plan.going)
    refused = store.delete([note.key for backup in plan.going for note in catalog.notes_of(backup.name)])
    left = plan.going
    while left:
        stayed = _needs(one for one in plan.going if object_key(one.name) in refused)
        if held := [one for one in left if one.name in stayed]:
            refused |= {object_key(one.name): STOOD_UPON for one in held}
            left = [one for one in left if one not in held]
            continue
        needed = _needs(left)
        top = [one for one in left if one.name not in needed]
        refused |= store.delete([object_key(one.name) for one in top])
        gone = [one for one in top if object_key(one.name) not in refused]
        refused |= store.delete([note for one in gone for note in _base_notes(catalog, one)])
        left = [one for one in left if one.name in needed]
    refused |= store.delete(plan.orphans)
    gone = [backup for backup in plan.going if object_key(backup.name) not in refused]
    return Pruned(gone, refused)


def _refuse_new_pins(store: Store, going: Sequence[Backup]) -> None:
    """Raise StoreError where another machine has pinned one of them since the listing; a request each."""
    notes = read_notes(store, [pin_key(backup.name) for backup in going])
    pinned = [backup.name for backup, note in zip(going, notes, strict=True) if note is not None]
    if pinned:
        raise StoreError(
            f"the backup of {pinned[0].repo} of {pinned[0].date} was pinned while this was planned: "
            "nothing is deleted",
            hint="run it again: it then keeps what is pinned",
        )


def _needs(backups: Iterable[Backup]) -> set[BackupName]:
    """Return what backups stand on."""
    return {BackupName(one.name.repo, day) for one in backups for day in one.needs}


def _base_notes(catalog: Catalog, backup: Backup) -> list[str]:
    return [note.key for note in catalog.bases.get(backup.name, {}).values()]


def render_pruned(pruned: Pruned, *, keeps_versions: bool) -> str:
    """Return what was done, for the screen."""
    size = humanfriendly.format_size(sum(backup.stored.size for backup in pruned.deleted))
    lines = [f"deleted {len(pruned.deleted)} backups, {size}"]
    if pruned.deleted and keeps_versions:
        lines.append(
            "the bucket keeps versions: what was deleted takes room until a lifecycle rule removes it"
        )
    lines += [f"not deleted: {key}: {why}" for key, why in sorted(pruned.refused.items())]
    return "\n".join(lines) + "\n"
