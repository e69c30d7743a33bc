"""The notes in the store that guard against rewritten history: each backup's refs, and which are pinned."""

from __future__ import annotations

import datetime as dt
import gzip
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from repo_maintenance import naming
from repo_maintenance.catalog import Catalog
from repo_maintenance.errors import RepoMaintenanceError, RewrittenHistoryError
from repo_maintenance.manifest import Manifest
from repo_maintenance.naming import BackupName
from repo_maintenance.records import Receipt, Replaced, read_json
from repo_maintenance.rewrites import ObjectId, Rewrite, Sha256, find_rewrites, watched
from repo_maintenance.stores import Store
from repo_maintenance.stores.notes import read_notes

logger = logging.getLogger(__name__)

KEPT_REWRITES = 100


class NotedRefs(BaseModel):
    """The refs of a backup: what the next backup is compared with, and what an increment can build on.

    Notes of earlier versions, and those of increments, have the first two fields alone.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository_id: str
    refs: dict[str, ObjectId]
    """All but those of pull requests."""
    sha256: str = ""
    """Of the very tarball that holds what is noted; empty where no increment can build on it."""
    pull_requests: dict[str, ObjectId] = {}
    wiki_refs: dict[str, ObjectId] | None = None
    """The wiki's refs; None where there is no wiki."""
    lfs_objects: list[Sha256] = []
    """The Git LFS objects that are in the tarball, by SHA-256."""


class Pin(BaseModel):
    """That a backup is kept until a person unpins it: it holds what upstream has rewritten since."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository: str
    """The name, without the owner."""
    backup_date: dt.date
    """Of the backup that is kept."""
    compared_with: dt.date
    """The day of the backup in which it was seen."""
    found_at: AwareDatetime
    count: int
    """How many refs were rewritten."""
    rewrites: list[Rewrite]
    """The first hundred of them."""


def note_refs(
    store: Store,
    name: BackupName,
    repository_id: str,
    refs: Mapping[str, str],
    *,
    sha256: str = "",
    wiki_refs: Mapping[str, str] | None = None,
    lfs_objects: Iterable[str] = (),
) -> None:
    """Store the refs of a backup; where that fails, a warning says so: it is not worth a backup.

    With the SHA-256 of its tarball, all that an increment needs to know of it is noted, too.
    """
    if not refs:
        return
    try:
        noted = NotedRefs(repository_id=repository_id, refs=watched(refs))
        if sha256:
            noted = NotedRefs(
                repository_id=repository_id,
                refs=noted.refs,
                sha256=sha256,
                pull_requests={ref: oid for ref, oid in refs.items() if ref not in noted.refs},
                wiki_refs=dict(wiki_refs) if wiki_refs is not None else None,
                lfs_objects=sorted(lfs_objects),
            )
        content = noted.model_dump_json(exclude_defaults=True)
        store.put_note(naming.refs_key(name), gzip.compress(content.encode(), mtime=0))
    except (RepoMaintenanceError, OSError, ValidationError) as error:
        logger.warning("its refs could not be noted, so the next backup is not compared with this: %s", error)


def read_refs(store: Store, name: BackupName) -> NotedRefs | None:
    """Return the refs of a backup, None where they are not noted, or can't be read; raises StoreError."""
    content = store.read_note(naming.refs_key(name))
    try:
        return NotedRefs.model_validate_json(gzip.decompress(content)) if content else None
    except (OSError, EOFError, zlib.error, ValidationError):
        logger.warning("%s is damaged", store.locate(naming.refs_key(name)))
        return None


def read_pins(store: Store, catalog: Catalog) -> list[Pin]:
    """Return what is known of each pinned backup that is still there, by name; raises StoreError.

    A note that can't be read pins all the same; it then says nothing of what was rewritten.
    """
    names = [backup.name for backup in catalog if backup.pinned_on is not None]
    contents = read_notes(store, [naming.pin_key(name) for name in names])
    return [
        _parse_pin(name, content, catalog.pins[name].modified)
        for name, content in zip(names, contents, strict=True)
    ]


def _parse_pin(name: BackupName, content: bytes | None, noted_at: dt.datetime) -> Pin:
    try:
        return Pin.model_validate_json(content or b"")
    except ValidationError:
        return Pin(
            repository=name.repo,
            backup_date=name.date,
            compared_with=noted_at.date(),
            found_at=noted_at,
            count=0,
            rewrites=[],
        )


class HistoryWatch:
    """Compares the mirror of each changed repository with its backup before, while the mirror is there."""

    def __init__(
        self, open_store: Callable[[], Store], *, merged_too: bool, replace_rewritten: bool = False
    ) -> None:
        self._open_store = open_store
        self._merged_too = merged_too
        self._replace_rewritten = replace_rewritten

    @cached_property
    def _receipts(self) -> Mapping[str, list[BackupName]]:
        """The backups of each repository that there are receipts of, listed once for all jobs."""
        found: dict[str, list[BackupName]] = {}
        for path in naming.RECEIPTS.glob("*"):
            if name := naming.parse_receipt_name(path.name):
                found.setdefault(name.repo, []).append(name)
        return found

    def compare(self, name: BackupName, manifest: Manifest, git_dir: Path) -> None:
        """Pin the backup before where history was rewritten since; a failure is a warning, and no more.

        Asks the store for one note, and that only where the backup before has other refs. One of today can't
        be pinned, as this one has its name: raises RewrittenHistoryError, and that of today stays.
        """
        if not self._replace_rewritten:
            self._keep_todays(name, manifest, git_dir)
        earlier = [one for one in self._receipts.get(name.repo, ()) if one.date < name.date]
        if not earlier:
            return
        before = max(earlier, key=lambda one: one.date)
        receipt = read_json(naming.receipt_path(before), Receipt)
        if receipt is None or receipt.refs_digest == manifest.refs_digest:
            return
        try:
            self._compare(before, name, manifest, git_dir)
        except (RepoMaintenanceError, OSError, ValidationError) as error:
            logger.warning("not compared with the backup of %s: %s", before.date, error)

    def _keep_todays(self, name: BackupName, manifest: Manifest, git_dir: Path) -> None:
        replaced = read_json(naming.replaced_path(name), Replaced)
        if replaced is None or replaced.is_bad or replaced.refs_digest == manifest.refs_digest:
            return
        if found := self._find(name, manifest, git_dir):
            raise RewrittenHistoryError(
                f"history was rewritten since today's backup: {len(found)} refs, {found[0]} among them",
                hint="that backup stays; tomorrow's run makes a new one, and pins it; "
                "if this was meant, set backup.replace_rewritten",
                kind="history rewritten",
            )

    def _find(self, before: BackupName, manifest: Manifest, git_dir: Path) -> list[Rewrite]:
        """Return what was rewritten since a backup; nothing where its refs are not known."""
        noted = read_refs(self._open_store(), before)
        if noted is None or noted.repository_id != manifest.repository_id:
            logger.info("not compared with the backup of %s: it has no refs of this repository", before.date)
            return []
        return find_rewrites(noted.refs, manifest.refs, git_dir, merged_too=self._merged_too)

    def _compare(self, before: BackupName, name: BackupName, manifest: Manifest, git_dir: Path) -> None:
        found = self._find(before, manifest, git_dir)
        if not found:
            return
        pin = Pin(
            repository=name.repo,
            backup_date=before.date,
            compared_with=name.date,
            found_at=dt.datetime.now(dt.UTC),
            count=len(found),
            rewrites=found[:KEPT_REWRITES],
        )
        self._open_store().put_note(naming.pin_key(before), f"{pin.model_dump_json(indent=2)}\n".encode())
        logger.warning(
            "history was rewritten upstream, %d refs, %s among them: the backup of %s is pinned",
            len(found),
            found[0],
            before.date,
        )


def unpin(store: Store, catalog: Catalog, patterns: Iterable[str]) -> tuple[list[BackupName], dict[str, str]]:
    """Let go of the pinned backups of the repositories that match; they then go as the policy says.

    Returns those that are no longer pinned, and for each note that was not deleted, why. Raises StoreError.
    """
    matching = set(catalog.matching(patterns))
    names = sorted(name for name in catalog.pins if name.repo in matching)
    refused = store.delete([naming.pin_key(name) for name in names])
    return [name for name in names if naming.pin_key(name) not in refused], refused
