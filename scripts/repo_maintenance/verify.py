"""Proves stored backups by restoring them into scratch space; the proof is kept beside the backup."""

from __future__ import annotations

import datetime as dt
import logging
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import humanfriendly
from pydantic import AwareDatetime, BaseModel, ConfigDict
from tabulate import tabulate

from repo_maintenance import __version__, naming
from repo_maintenance.catalog import Backup, Catalog
from repo_maintenance.errors import GitError, ProofError, StoreError, UnsafeTarballError
from repo_maintenance.naming import BackupName, ProofName
from repo_maintenance.settings import VerifySettings
from repo_maintenance.stores import Store
from repo_maintenance.unpacking import unpack_backup

logger = logging.getLogger(__name__)

BYTES_PER_MB = 1_000_000


class Proof(BaseModel):
    """That a backup was tried, and how that ended: what is kept beside it in the store."""

    model_config = ConfigDict(frozen=True)

    repository: str
    backup_date: dt.date
    version: str
    """The store's version of the object that was tried."""
    is_good: bool
    checked: list[str]
    unchecked: list[str]
    problem: str | None
    kind: str | None
    """What the problem is called, such as ``altered``."""
    size_bytes: int
    seconds: float
    """How long it took to bring it back and check it."""
    proven_at: AwareDatetime
    tool_version: str = __version__


def plan_verify(catalog: Catalog, settings: VerifySettings, *, today: dt.date) -> list[Backup]:
    """Return the backups to prove, those never tried first, then by the age of their proof, oldest first.

    The budget is kept to, but one backup is always tried, however large, so that each gets its turn.
    """
    ordered = sorted(_candidates(catalog, settings, today), key=_urgency)
    if settings.budget_mb is None:
        return ordered
    budget = settings.budget_mb * BYTES_PER_MB
    chosen: list[Backup] = []
    taken = 0
    for backup in ordered:
        size = catalog.restored_bytes(backup)
        if not chosen or taken + size <= budget:
            chosen.append(backup)
            taken += size
    return chosen


def find_missing_backups(catalog: Catalog, receipts: Iterable[BackupName]) -> list[BackupName]:
    """Return the backups that a proof in the store or a receipt here tells of, and that are not there."""
    there = {backup.name for backup in catalog}
    return sorted({*catalog.proofs, *receipts} - there)


def render_verify(catalog: Catalog, backups: list[Backup], missing: list[BackupName]) -> str:
    """Return the preview of a verification; the sizes are what is read, with what an increment stands on."""
    sizes = [catalog.restored_bytes(one) for one in backups]
    rows = [
        (one.name.repo, one.name.date.isoformat(), humanfriendly.format_size(size), _last(one))
        for one, size in zip(backups, sizes, strict=True)
    ]
    table = tabulate(
        rows, ("repository", "backup of", "size", "last proven"), tablefmt="simple", disable_numparse=True
    )
    total = humanfriendly.format_size(sum(sizes))
    gone = "".join(f"\nMISSING {naming.object_key(name)}: it was stored once" for name in missing)
    return f"{table}\n{gone}\n{len(backups)} backups to prove, {total}\n"


def prove(store: Store, backup: BackupName, scratch: Path, *, clock: dt.datetime) -> Proof:
    """Try to restore a backup, keep the proof in the store, and return it.

    Raises StoreError where the backup can't be had, is replaced or deleted meanwhile, or the proof can't be
    kept: then nothing is concluded.
    """
    started = time.monotonic()
    key = naming.object_key(backup)
    tried = store.find(key)
    problem: ProofError | UnsafeTarballError | GitError | None = None
    checked: list[str] = []
    unchecked: list[str] = []
    size = 0
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=scratch, prefix=naming.PARTIAL, ignore_cleanup_errors=True
    ) as folder:
        try:
            found = unpack_backup(store, backup, Path(folder))
            checked, unchecked, size = found.checked, found.unchecked, found.size_bytes
        except (ProofError, UnsafeTarballError, GitError) as error:
            problem = error
    stored = store.find(key)
    if (tried and tried.version) != (stored and stored.version):
        raise StoreError(
            f"{store.locate(key)} was replaced or deleted while it was tried",
            hint="nothing is concluded; run verify again",
        )
    proof = Proof(
        repository=backup.repo,
        backup_date=backup.date,
        version=stored.version if stored else "",
        is_good=problem is None,
        checked=checked,
        unchecked=unchecked,
        problem=problem.message if problem else None,
        kind=problem.kind if problem else None,
        size_bytes=size,
        seconds=round(time.monotonic() - started, 3),
        proven_at=clock,
    )
    if stored is not None:
        _keep(store, backup, proof)
    return proof


def _keep(store: Store, backup: BackupName, proof: Proof) -> None:
    """Keep a proof beside its backup, and drop one of the same day that says otherwise."""
    day = proof.proven_at.date()
    content = proof.model_dump_json(indent=2) + "\n"
    store.put_note(naming.proof_key(ProofName(backup, day, proof.is_good)), content.encode())
    store.delete([naming.proof_key(ProofName(backup, day, not proof.is_good))])


def _candidates(catalog: Catalog, settings: VerifySettings, today: dt.date) -> list[Backup]:
    if settings.which == "all":
        return list(catalog)
    if settings.which == "newest":
        return [backups[-1] for backups in catalog.backups.values()]
    oldest = today - dt.timedelta(days=settings.every_days)
    return [one for one in catalog if one.proof is None or one.is_bad or one.proof.proven_on <= oldest]


def _urgency(backup: Backup) -> tuple[dt.date, dt.date, str]:
    proven_on = backup.proof.proven_on if backup.proof else dt.date.min
    return proven_on, backup.name.date, backup.name.repo


def _last(backup: Backup) -> str:
    if backup.proof is None:
        return "never"
    return f"{backup.proof.proven_on.isoformat()}{'' if backup.is_good else ' FAILED'}"
