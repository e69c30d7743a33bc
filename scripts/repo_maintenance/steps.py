"""The three steps of a backup, each as one call: what the rules run, in process."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import humanfriendly
from pydantic import BaseModel, ConfigDict

from repo_maintenance import __version__, naming
from repo_maintenance.base_notes import note_base, read_plan
from repo_maintenance.errors import (
    AlreadyStoredError,
    RepoMaintenanceError,
    StoreError,
)
from repo_maintenance.hosts import GitAccess, Host, Repository
from repo_maintenance.increments import write_backup
from repo_maintenance.jobs import job, once_more_alone
from repo_maintenance.lfs import WITHOUT_GIT_LFS, held_objects
from repo_maintenance.manifest import Base, Manifest, describe_mirror
from repo_maintenance.mirror import mirror_repository
from repo_maintenance.naming import BackupName
from repo_maintenance.pins import note_refs
from repo_maintenance.records import Replaced, read_json, receipt_of, write_json
from repo_maintenance.settings import Settings
from repo_maintenance.stores import Digests, Store, StoredObject

logger = logging.getLogger(__name__)

EXAMPLES_NAMED = 3


class TarballDescription(BaseModel):
    """What is known of a tarball once it is written: upload stores it as the object's metadata."""

    model_config = ConfigDict(frozen=True)

    digests: Digests
    refs_digest: str
    ref_count: int
    incomplete: str
    note: str
    refs: dict[str, str] = {}
    wiki_refs: dict[str, str] | None = None
    lfs_held: list[str] = []
    """The LFS objects that the mirror held."""
    base: Base | None = None
    """What the tarball is an increment on; None where it is full."""
    increment: int = 0
    """Which one it is on its base, counted from 1."""


def mirror(
    settings: Settings, open_host: Callable[[], Host], *, record: Path, folder: Path, log: Path
) -> None:
    """Make the mirror of one repository in ``folder``."""
    with _job("mirror", record, log) as repository:
        if repository.disabled:
            raise RepoMaintenanceError(
                "GitHub has disabled this repository", hint="ask GitHub's support", kind="disabled"
            )

        def access() -> GitAccess:
            return replace(open_host().git_access(), stall_seconds=settings.backup.git.stall_seconds)

        contents = mirror_repository(repository, folder, settings.backup, access)
        wiki = " with its wiki" if contents.has_wiki else ""
        logger.info("mirrored %s%s, %d LFS objects", repository.clone_url, wiki, contents.lfs_objects)
        for oid in contents.lfs_missing:
            logger.warning("LFS object %s can't be had", oid)


def archive(
    date: str,
    *,
    record: Path,
    folder: Path,
    tarball: Path,
    description: Path,
    log: Path,
    watch: Callable[[BackupName, Manifest, Path], None] | None = None,
) -> None:
    """Write the tarball of one mirror, an increment where that is planned, and beside it what is known of it.

    ``watch`` gets the backup's name, its manifest and the mirror once the tarball is whole.
    """
    with _job("archive", record, log) as repository:
        manifest = describe_mirror(repository, folder, naming.parse_date(date))
        plan = read_plan(manifest, repository.name)
        made = once_more_alone(
            lambda: write_backup(repository, folder, manifest, plan, tarball),
            size_bytes=repository.size_bytes,
            give_up=lambda: shutil.rmtree(folder, ignore_errors=True),
        )
        digests = made.digests
        known = TarballDescription(
            digests=digests,
            refs_digest=manifest.refs_digest,
            ref_count=len(manifest.refs),
            incomplete=_describe_lack(manifest),
            note=_describe_oddity(manifest),
            refs=manifest.refs,
            wiki_refs=manifest.wiki_refs,
            lfs_held=sorted(held_objects(folder / f"{repository.name}.git")),
            base=made.base,
            increment=made.increment,
        )
        write_json(description, known)
        size = humanfriendly.format_size(digests.size)
        logger.info("archived %d refs, %s, SHA-256 %s", known.ref_count, size, digests.sha256)
        if made.base is not None:
            logger.info("an increment on the backup of %s, number %d", made.base.backup_date, made.increment)
        if watch is not None:
            name = BackupName(repository.name, manifest.backup_date)
            watch(name, manifest, folder / f"{repository.name}.git")


def upload(
    open_store: Callable[[], Store],
    date: str,
    *,
    record: Path,
    tarball: Path,
    description: Path,
    receipt: Path,
    log: Path,
) -> None:
    """Store one tarball, check it, and only then write its receipt."""
    with _job("upload", record, log) as repository:
        known = read_json(description, TarballDescription)
        if known is None:
            raise StoreError(f"{description} is missing or not whole", hint="run the backup again")
        name = BackupName(repository.name, naming.parse_date(date))
        store = open_store()
        metadata = _metadata(repository, name.date, known)
        try:
            if known.base is not None:
                note_base(store, name, known.base)
            stored = _store(store, name, tarball, known.digests, metadata)
        except BaseException:  # it takes room that others need, and is made anew anyway
            tarball.unlink(missing_ok=True)
            description.unlink(missing_ok=True)
            raise
        made = receipt_of(stored)
        if made is None:
            raise StoreError(f"{store.locate(stored.key)}: its metadata did not arrive")
        if made.sha256 == known.digests.sha256:  # else another run's, which notes what that one holds
            _note_refs(store, name, repository, known)
        write_json(receipt, made)
        naming.replaced_path(name).unlink(missing_ok=True)
        naming.failure_path(repository.name).unlink(missing_ok=True)
        logger.info("stored %s, %s", store.locate(stored.key), humanfriendly.format_size(stored.size))


def _note_refs(store: Store, name: BackupName, repository: Repository, known: TarballDescription) -> None:
    """Note what a backup holds; of an increment its refs alone, for nothing stands on it."""
    note_refs(
        store,
        name,
        repository.id,
        known.refs,
        sha256=known.digests.sha256 if known.base is None else "",
        wiki_refs=known.wiki_refs,
        lfs_objects=known.lfs_held,
    )


def _store(
    store: Store, name: BackupName, tarball: Path, digests: Digests, metadata: Mapping[str, str]
) -> StoredObject:
    """Store a tarball in place of today's backup that was there at the start, if any.

    What else is there was stored meanwhile: that of the same push is as good; another one stays, and this
    fails; and what is not whole, for its storing was cut off, is replaced.
    """
    key = naming.object_key(name)
    replaces = _replaceable_version(store, name, metadata["repository_id"])
    try:
        return store.put(key, tarball, digests, metadata, replaces=replaces)
    except AlreadyStoredError:
        stored = store.find(key)
        theirs = receipt_of(stored) if stored else None
        if stored is not None and theirs is None and _is_of_today(name):
            return store.put(key, tarball, digests, metadata, replaces=stored.version)
        if stored is None or theirs is None or theirs.pushed_at.isoformat() != metadata["pushed_at"]:
            raise
        logger.info("another run has stored this push meanwhile")
        return stored


def _metadata(repository: Repository, date: dt.date, known: TarballDescription) -> Mapping[str, str]:
    """Return what is stored with a tarball, enough to make its receipt from the object alone."""
    described = {
        "repository": repository.full_name,
        "repository_id": repository.id,
        "backup_date": date.isoformat(),
        "default_branch": repository.default_branch,
        "size_bytes": str(known.digests.size),
        "pushed_at": repository.pushed_at.isoformat(),
        "sha256": known.digests.sha256,
        "md5": known.digests.md5,
        "refs_digest": known.refs_digest,
        "ref_count": str(known.ref_count),
        "incomplete": known.incomplete,
        "note": known.note,
        "tool_version": __version__,
        "base_date": known.base.backup_date.isoformat() if known.base else "",
        "base_sha256": known.base.sha256 if known.base else "",
        "increment": str(known.increment) if known.base else "",
    }
    return {key: value for key, value in described.items() if value}


def _describe_lack(manifest: Manifest) -> str:
    """Return in a few words what a backup lacks; the manifest names every object."""
    missing = manifest.lfs_missing
    if not missing:
        return ""
    if manifest.lacks_git_lfs:
        return f"{len(missing)} of {manifest.lfs_objects} LFS objects missing: {WITHOUT_GIT_LFS}"
    named = ", ".join(missing[:EXAMPLES_NAMED]) + (", …" if len(missing) > EXAMPLES_NAMED else "")
    return f"{len(missing)} of {manifest.lfs_objects} LFS objects missing: {named}"


def _describe_oddity(manifest: Manifest) -> str:
    """Return in a few words what is out of the ordinary, though nothing is missing."""
    branch = manifest.head.removeprefix("ref: ")
    if manifest.refs and manifest.head.startswith("ref: ") and branch not in manifest.refs:
        return f"its default branch {branch.removeprefix('refs/heads/')} does not exist"
    return ""


def _replaceable_version(store: Store, name: BackupName, repository_id: str) -> str | None:
    """Return the version of the same day's backup, which a newer one may replace; None where there is none.

    A backup of an earlier day is never replaced, also where a run goes on past midnight; nor is that of
    another repository that had the name this morning. Raises AlreadyStoredError for the latter.
    """
    known = read_json(naming.replaced_path(name), Replaced)
    if known is None or not _is_of_today(name):
        return None
    if known.repository_id != repository_id:
        raise AlreadyStoredError(
            f"{store.locate(known.key)} holds another repository that had this name today",
            hint="that one is kept; this one is stored by tomorrow's run",
        )
    return known.version


def _is_of_today(name: BackupName) -> bool:
    return name.date >= dt.datetime.now(dt.UTC).date()


@contextmanager
def _job(step: str, record: Path, log: Path) -> Iterator[Repository]:
    """Run one step of the repository that a record describes; see ``jobs.job``."""
    with job(step, record.stem, log):
        repository = read_json(record, Repository)
        if repository is None:
            raise RepoMaintenanceError(f"{record} is missing or not whole", hint="run the backup again")
        yield repository
