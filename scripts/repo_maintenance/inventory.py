"""Resolving: lists what there is upstream and in the store, and makes records and receipts on disk agree."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from repo_maintenance import naming
from repo_maintenance.errors import HostError
from repo_maintenance.hosts import Host, Repository
from repo_maintenance.movements import Movement, find_movements
from repo_maintenance.naming import BackupName
from repo_maintenance.planning import Decision, NewestBackup, decide
from repo_maintenance.records import Receipt, read_json, receipt_of, write_json
from repo_maintenance.selection import select
from repo_maintenance.settings import Settings
from repo_maintenance.stores import Store, StoredObject

logger = logging.getLogger(__name__)

CONCURRENT_LOOKUPS = 16


@dataclass(frozen=True)
class Resolution:
    """What a run found, and what it will do."""

    source: str
    store: str
    listed: int
    """How many repositories the host shows, matched or not."""
    decisions: list[Decision]
    receipts: Mapping[str, Receipt]
    """The newest receipt of each stored repository that has one, by name."""
    movements: list[Movement]
    """What became of stored repositories that are not listed under their names any more."""

    @property
    def due(self) -> list[Decision]:
        """The decisions for which a backup is to be made."""
        return [decision for decision in self.decisions if decision.is_due]

    def targets(self) -> list[Path]:
        """Return the receipts that there are once the run has succeeded."""
        return [naming.receipt_path(decision.name) for decision in self.decisions]


def resolve(settings: Settings, host: Host, store: Store, *, today: dt.date) -> Resolution:
    """List, match, decide, and write the records and receipts that Snakemake then compares.

    Asks the host for its list, the store for its list, and the store once more for each repository whose
    newest backup is not known here. Raises HostError and StoreError; then nothing on disk has changed.
    """
    listed = host.list_repositories()
    selected = select(listed, settings.backup)
    _refuse_unusable_names(selected)
    stored = _index(store.list_objects())
    newest = {name: max(names, key=lambda one: one.date) for name, names in _by_repository(stored).items()}
    wanted = {repository.name for repository in selected} | (newest.keys() - {one.name for one in listed})
    receipts = _find_receipts(store, {name: stored[name] for name in newest.values() if name.repo in wanted})
    stored_ids = {repo: _stored_id(name, receipts) for repo, name in newest.items()}
    movements = find_movements(listed, stored_ids, host.locate)
    decisions = [
        decide(
            repository,
            _newest_backup(newest.get(repository.name), receipts),
            today=today,
            max_age_days=settings.backup.max_age_days,
            force=settings.force,
        )
        for repository in selected
    ]
    _write_records(selected)
    _reconcile_receipts(decisions, receipts, stored)
    return Resolution(
        source=host.description,
        store=store.description,
        listed=len(listed),
        decisions=decisions,
        receipts={name.repo: receipt for name, receipt in receipts.items()},
        movements=movements,
    )


def recorded_size(repo: str) -> int:
    """Return the size in bytes that a repository's record says, 0 where there is no record."""
    record = read_json(naming.record_path(repo), Repository)
    return record.size_bytes if record else 0


def _refuse_unusable_names(repositories: Iterable[Repository]) -> None:
    unusable = [
        repository.name for repository in repositories if not naming.is_repository_name(repository.name)
    ]
    if unusable:
        names = ", ".join(map(repr, unusable))
        raise HostError(
            f"repositories can't be backed up under these names: {names}",
            hint="GitHub's own rule holds: letters, digits, '-', '_' and '.', at most 100 characters; "
            "rename them, or leave them out with backup.exclude",
        )


def _index(objects: Iterable[StoredObject]) -> dict[BackupName, StoredObject]:
    """Return the backups among the stored objects; what is not named as ours is none of our business."""
    named = ((naming.parse_object_key(stored.key), stored) for stored in objects)
    return {name: stored for name, stored in named if name is not None}


def _by_repository(names: Iterable[BackupName]) -> dict[str, list[BackupName]]:
    grouped: dict[str, list[BackupName]] = {}
    for name in names:
        grouped.setdefault(name.repo, []).append(name)
    return grouped


def _find_receipts(store: Store, wanted: Mapping[BackupName, StoredObject]) -> dict[BackupName, Receipt]:
    """Return the receipts of stored backups: from the disk where it knows the object, else from the store."""
    known = {name: read_json(naming.receipt_path(name), Receipt) for name in wanted}
    receipts = {
        name: receipt
        for name, receipt in known.items()
        if receipt and receipt.version == wanted[name].version
    }
    unknown = [name for name in wanted if name not in receipts]
    with ThreadPoolExecutor(CONCURRENT_LOOKUPS) as pool:
        found = pool.map(lambda name: store.find(wanted[name].key), unknown)
        for name, stored in zip(unknown, found, strict=True):
            receipt = receipt_of(stored) if stored else None
            if receipt is None:
                logger.warning("%s was not stored by this tool, or not completely", wanted[name].key)
            else:
                receipts[name] = receipt
    return receipts


def _newest_backup(name: BackupName | None, receipts: Mapping[BackupName, Receipt]) -> NewestBackup | None:
    if name is None:
        return None
    receipt = receipts.get(name)
    if receipt is None:
        return NewestBackup(name.date, None)
    return NewestBackup(name.date, receipt.pushed_at, receipt.repository_id)


def _stored_id(name: BackupName, receipts: Mapping[BackupName, Receipt]) -> str | None:
    receipt = receipts.get(name)
    return receipt.repository_id if receipt else None


def _write_records(repositories: Iterable[Repository]) -> None:
    """Write a record for each repository, with the time of its last push, and remove all others."""
    kept = set()
    for repository in repositories:
        path = naming.record_path(repository.name)
        write_json(path, repository, mtime=repository.pushed_at)
        kept.add(path)
    for path in naming.RECORDS.glob("*.json"):
        if path not in kept:
            path.unlink()


def _reconcile_receipts(
    decisions: Iterable[Decision],
    receipts: Mapping[BackupName, Receipt],
    stored: Mapping[BackupName, StoredObject],
) -> None:
    """Make the receipts on disk agree with the store.

    One that is missing here is written, with the push that the backup holds as its time; one whose object is
    gone, or which is to be made again, is deleted.
    """
    for name, receipt in receipts.items():
        write_json(naming.receipt_path(name), receipt, mtime=receipt.pushed_at)
    for path in naming.RECEIPTS.glob("*"):
        if naming.parse_receipt_name(path.name) not in stored:
            path.unlink()
    for decision in decisions:
        if decision.is_due:
            naming.receipt_path(decision.name).unlink(missing_ok=True)
