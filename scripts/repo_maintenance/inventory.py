"""Resolving: lists what there is upstream and in the store, and makes records and receipts on disk agree."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
from collections.abc import Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from repo_maintenance import naming
from repo_maintenance.base_notes import forget_plans, plan_increments
from repo_maintenance.bases import propose
from repo_maintenance.beside import Beside
from repo_maintenance.catalog import Backup, Catalog, read_catalog
from repo_maintenance.errors import HostError
from repo_maintenance.hosts import Host, Repository
from repo_maintenance.lfs import WITHOUT_GIT_LFS, has_git_lfs
from repo_maintenance.movements import Movement, find_movements
from repo_maintenance.naming import BackupName
from repo_maintenance.planning import Decision, NewestBackup, decide
from repo_maintenance.records import Receipt, Replaced, read_json, receipt_of, write_json
from repo_maintenance.selection import explain_nothing, select
from repo_maintenance.settings import IncrementalSettings, Settings
from repo_maintenance.stores import Store

logger = logging.getLogger(__name__)

CONCURRENT_LOOKUPS = 16


@dataclass(frozen=True)
class Resolution:
    """What a run found, and what it will do."""

    source: str
    store: str
    listed: list[Repository]
    """What the host shows, matched or not."""
    catalog: Catalog
    """What is stored."""
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

    def pending(self) -> list[Path]:
        """Return the targets that are not there yet; where there are none, one that is.

        Snakemake would only find the rest up to date as well, and takes 2 ms for each to do so. Of nothing at
        all it would not say that nothing is to be done.
        """
        return [naming.receipt_path(decision.name) for decision in self.due] or self.targets()[:1]


def resolve(settings: Settings, host: Host, store: Store, *, today: dt.date) -> Resolution:
    """Survey, and write the records and receipts that Snakemake then compares.

    Raises HostError and StoreError, and SettingsError where nothing that is listed is selected; then nothing
    on disk has changed.
    """
    resolution = survey(settings, host, store, today=today)
    if nothing := explain_nothing(resolution.listed, settings.backup):
        raise nothing
    forget_plans()
    if settings.backup.incremental is not None:
        resolution = _plan_increments(resolution, settings.backup.incremental, store, force=settings.force)
    _write_records(decision.repository for decision in resolution.decisions)
    stored = {backup.name for backup in resolution.catalog}
    _reconcile_receipts(resolution.decisions, resolution.receipts.values(), stored)
    return resolution


def survey(settings: Settings, host: Host, store: Store, *, today: dt.date) -> Resolution:
    """List, match and decide; writes nothing.

    Asks the host for its list, the store meanwhile for its list, and the store once more for each repository
    whose newest backup is not known here. Raises HostError and StoreError.
    """
    stored = Beside(lambda: read_catalog(store.list_objects()))
    listed = host.list_repositories()
    selected = select(listed, settings.backup)
    _refuse_unusable_names(selected)
    catalog = stored.result()
    newest = {repo: backups[-1] for repo, backups in catalog.backups.items()}
    wanted = {repository.name for repository in selected} | (newest.keys() - {one.name for one in listed})
    receipts = _find_receipts(store, [newest[repo] for repo in sorted(wanted & newest.keys())])
    stored_ids = {repo: receipts[repo].repository_id if repo in receipts else None for repo in newest}
    movements = find_movements(listed, stored_ids, host.locate)
    decisions = [
        decide(
            repository,
            _newest_backup(catalog, repository.name, receipts.get(repository.name)),
            today=today,
            max_age_days=settings.backup.max_age_days,
            force=settings.force,
        )
        for repository in selected
    ]
    return Resolution(
        source=host.description,
        store=store.description,
        listed=listed,
        catalog=catalog,
        decisions=decisions,
        receipts=receipts,
        movements=movements,
    )


def _plan_increments(
    resolution: Resolution, settings: IncrementalSettings, store: Store, *, force: bool
) -> Resolution:
    """Say of each backup that is due whether it will be full, and write what the others stand on.

    Asks the store for one note for each that may be an increment, and where its base is not known here, for
    that one's metadata. Raises StoreError.
    """
    proposals = {
        decision.repository.name: propose(
            decision.date,
            resolution.catalog.backups.get(decision.repository.name, []),
            resolution.receipts.get(decision.repository.name),
            full_every=settings.full_every,
            force=force,
        )
        for decision in resolution.due
    }
    receipts = _find_receipts(store, [one.base for one in proposals.values() if one.base is not None])
    kinds = plan_increments(store, resolution.due, proposals, receipts)
    decisions = [replace(one, kind=kinds.get(one.repository.name, "")) for one in resolution.decisions]
    return replace(resolution, decisions=decisions)


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


def _find_receipts(store: Store, wanted: Iterable[Backup]) -> dict[str, Receipt]:
    """Return the receipts of backups by repository: those known on the disk, the others from the store."""
    receipts: dict[str, Receipt] = {}
    unknown: list[Backup] = []
    for backup in wanted:
        receipt = read_json(naming.receipt_path(backup.name), Receipt)
        if receipt is not None and receipt.version == backup.stored.version:
            receipts[backup.name.repo] = receipt
        else:
            unknown.append(backup)
    with ThreadPoolExecutor(CONCURRENT_LOOKUPS) as pool:
        found = pool.map(lambda backup: store.find(backup.stored.key), unknown)
        for backup, stored in zip(unknown, found, strict=True):
            receipt = receipt_of(stored) if stored else None
            if receipt is None:
                logger.warning("%s was not stored by this tool, or not completely", backup.stored.key)
            else:
                receipts[backup.name.repo] = receipt
    return receipts


def _newest_backup(catalog: Catalog, repo: str, receipt: Receipt | None) -> NewestBackup | None:
    backup = catalog.newest(repo)
    if backup is None:
        return None
    if receipt is None:
        return NewestBackup(backup.name.date, None, is_bad=backup.is_bad)
    return NewestBackup(
        backup.name.date,
        receipt.pushed_at,
        repository_id=receipt.repository_id,
        is_bad=backup.is_bad,
        is_curable=receipt.incomplete.endswith(WITHOUT_GIT_LFS) and has_git_lfs(),
        lost_base=_lost_base(catalog, backup, receipt),
    )


def _lost_base(catalog: Catalog, backup: Backup, receipt: Receipt) -> dt.date | None:
    """Return the day of the base that an increment says it stands on, where that one can't be restored."""
    if receipt.base_date is None:
        return None
    base = catalog.find(BackupName(backup.name.repo, receipt.base_date))
    is_lost = base is None or base.is_bad or catalog.has_lost_base(backup)
    return receipt.base_date if is_lost else None


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
    decisions: Iterable[Decision], receipts: Iterable[Receipt], stored: Container[BackupName | None]
) -> None:
    """Make the receipts on disk agree with the store.

    One that is missing here is written, with the push that the backup holds as its time; one whose object is
    gone, or which is to be made again, is deleted. That of a backup of today, which is about to be replaced,
    is put aside.
    """
    for receipt in receipts:
        if name := naming.parse_object_key(receipt.key):
            write_json(naming.receipt_path(name), receipt, mtime=receipt.pushed_at)
    for path in naming.RECEIPTS.glob("*"):
        if naming.parse_receipt_name(path.name) not in stored or read_json(path, Receipt) is None:
            path.unlink()
    shutil.rmtree(naming.REPLACED, ignore_errors=True)
    for decision in decisions:
        path = naming.receipt_path(decision.name)
        if decision.is_due and path.exists():
            _put_aside(decision, path)
            path.unlink()


def _put_aside(decision: Decision, receipt: Path) -> None:
    """Note which backup of today is about to be replaced: the upload replaces that one, and no other."""
    known = read_json(receipt, Receipt)
    if known is not None:
        newest = decision.newest
        is_bad = newest is not None and (newest.is_bad or newest.lost_base is not None)
        write_json(naming.replaced_path(decision.name), Replaced(**known.model_dump(), is_bad=is_bad))
