"""Puts backups back: which ones, and one at a time, checked, under its final name only when it is whole."""

from __future__ import annotations

import datetime as dt
import logging
import tempfile
import time
from pathlib import Path

import humanfriendly
from pydantic import AwareDatetime, BaseModel, ConfigDict
from tabulate import tabulate

from repo_maintenance import naming
from repo_maintenance.catalog import Backup, Catalog
from repo_maintenance.errors import RestoreError, SettingsError
from repo_maintenance.naming import BackupName
from repo_maintenance.records import read_json
from repo_maintenance.settings import RestoreSettings
from repo_maintenance.stores import Store
from repo_maintenance.unpacking import unpack_backup

logger = logging.getLogger(__name__)


class Restored(BaseModel):
    """That a backup was put back, and how it was checked."""

    model_config = ConfigDict(frozen=True)

    repository: str
    backup_date: dt.date
    version: str
    """The store's version of the object that was put back."""
    folder: Path
    refs: int
    checked: list[str]
    unchecked: list[str]
    seconds: float
    restored_at: AwareDatetime


def plan_restore(catalog: Catalog, settings: RestoreSettings) -> list[Backup]:
    """Return the backups to put back, by name; raises SettingsError where there are none."""
    date = None if settings.date == "latest" else naming.parse_date(settings.date)
    names = catalog.matching(settings.repositories)
    found = [backup for name in names if (backup := catalog.newest_until(name, date))]
    if not found:
        asked = ", ".join(settings.repositories)
        stored = ", ".join(sorted(catalog.backups)[:10]) or "nothing; is the prefix or the folder right?"
        raise SettingsError(
            f"restore.repositories, restore.date: no backup of {asked} at or before {settings.date}",
            hint=f"stored: {stored}",
        )
    return found


def forget_undone(backups: list[Backup], into: Path) -> None:
    """Drop the notes of restored repositories that are no longer there, or are of other content."""
    for backup in backups:
        note = naming.restored_path(backup.name)
        restored = read_json(note, Restored)
        target = into / backup.name.repo
        if restored is None or restored.version != backup.stored.version or not _is_done(restored, target):
            note.unlink(missing_ok=True)


def render_restore(catalog: Catalog, backups: list[Backup], settings: RestoreSettings) -> str:
    """Return the preview of a restore: repository, backup, and what is read, with an increment's base."""
    sizes = [catalog.restored_bytes(one) for one in backups]
    rows = [
        (one.name.repo, one.name.date.isoformat(), humanfriendly.format_size(size), _standing(one))
        for one, size in zip(backups, sizes, strict=True)
    ]
    table = tabulate(
        rows, ("repository", "backup of", "size", "proof"), tablefmt="simple", disable_numparse=True
    )
    total = humanfriendly.format_size(sum(sizes))
    pushed = f", then to {settings.push_to}" if settings.push_to else ""
    return f"{table}\n\n{len(backups)} repositories, {total}, to {settings.into}{pushed}\n"


def restore_repository(store: Store, name: BackupName, into: Path) -> Restored:
    """Put one backup back as ``{into}/{repo}/``, which holds ``{repo}.git`` and what else belongs to it.

    It stands there only once everything about it was checked. Raises RestoreError where something has that
    name already, and what ``unpack_backup`` raises.
    """
    target = into / name.repo
    if target.exists():
        raise RestoreError(f"{target} exists already", hint="move it away, or restore into another folder")
    into.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=into, prefix=naming.PARTIAL, ignore_cleanup_errors=True) as scratch:
        found = unpack_backup(store, name, Path(scratch))
        found.folder.rename(target)
    for gap in found.unchecked:
        logger.warning("not checked: %s", gap)
    logger.info("restored to %s: %s", target, ", ".join(found.checked))
    return Restored(
        repository=name.repo,
        backup_date=name.date,
        version=found.version,
        folder=target,
        refs=len(found.refs),
        checked=found.checked,
        unchecked=found.unchecked,
        seconds=round(time.monotonic() - started, 3),
        restored_at=dt.datetime.now(dt.UTC),
    )


def _is_done(restored: Restored, target: Path) -> bool:
    return restored.folder == target and target.is_dir()


def _standing(backup: Backup) -> str:
    if backup.proof is None:
        return f"not tried yet, on that of {backup.base}" if backup.base else "not tried yet"
    verdict = "good" if backup.is_good else "FAILED"
    return f"{verdict}, {backup.proof.proven_on.isoformat()}"
