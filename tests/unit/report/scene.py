"""An organisation as a look at listing and store finds it, put together a repository at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from repo_maintenance.assessment import build_overview
from repo_maintenance.catalog import read_catalog
from repo_maintenance.history import RunFailure, RunRecord
from repo_maintenance.hosts import Repository
from repo_maintenance.inventory import Resolution
from repo_maintenance.movements import Movement
from repo_maintenance.naming import BackupName, ProofName, object_key, proof_key
from repo_maintenance.overview import Overview, RepositoryState
from repo_maintenance.planning import Decision, decide
from repo_maintenance.records import Receipt
from repo_maintenance.settings import ReportSettings
from repo_maintenance.stores import StoredObject
from repo_maintenance.verify import Proof
from tests.unit.making import repository

NOW = dt.datetime(2026, 11, 24, 6, 30, tzinfo=dt.UTC)
TODAY = NOW.date()
PUSHED_AT = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
MB = 1_000_000
LATE_AFTER_DAYS = 40


def days_ago(days: int) -> dt.date:
    """Return the day that many days before the look."""
    return TODAY - dt.timedelta(days=days)


class Scene:
    """What there is upstream and in the store."""

    def __init__(self) -> None:
        self.objects: list[StoredObject] = []
        self.listed: list[Repository] = []
        self.matched: list[Repository] = []
        self.receipts: dict[str, Receipt] = {}
        self.movements: list[Movement] = []
        self.proofs: dict[str, Proof] = {}
        self.runs: list[RunRecord] = []

    def upstream(self, name: str, *, is_matched: bool = True, **fields: Any) -> None:
        """List a repository."""
        found = repository(name, **{"pushed_at": PUSHED_AT, **fields})
        self.listed.append(found)
        if is_matched:
            self.matched.append(found)

    def backup(
        self, name: str, days: int, *, size: int = MB, storage_class: str = "STANDARD", **receipt: Any
    ) -> None:
        """Store a backup made so many days ago; later calls are newer."""
        backup = BackupName(name, days_ago(days))
        stored_at = dt.datetime.combine(backup.date, dt.time(3), dt.UTC)
        key = object_key(backup)
        self.objects.append(StoredObject(key, size, "v1", stored_at, storage_class=storage_class))
        usual = {
            "repository": f"acme/{name}",
            "repository_id": f"id-{name}",
            "backup_date": backup.date,
            "key": key,
            "version": "v1",
            "pushed_at": PUSHED_AT,
            "size_bytes": size,
            "sha256": "0" * 64,
            "md5": "0" * 32,
            "refs_digest": "0" * 64,
            "uploaded_at": stored_at,
        }
        self.receipts[name] = Receipt.model_validate(usual | receipt)

    def proof(self, name: str, days: int, *, proven: int, is_good: bool = True, seconds: float = 2.5) -> None:
        """Prove the backup of so many days ago, `proven` days ago."""
        backup, day = BackupName(name, days_ago(days)), days_ago(proven)
        proven_at = dt.datetime.combine(day, dt.time(5), dt.UTC)
        key = proof_key(ProofName(backup, day, is_good))
        self.objects.append(StoredObject(key, 500, "v1", proven_at))
        if is_good:
            self.proofs[name] = Proof(
                repository=name,
                backup_date=backup.date,
                version="v1",
                is_good=True,
                checked=["git fsck"],
                unchecked=[],
                problem=None,
                kind=None,
                size_bytes=MB,
                seconds=seconds,
                proven_at=proven_at,
            )

    def safe(self, name: str) -> None:
        """List a repository with two backups, the newest proven."""
        self.upstream(name)
        self.backup(name, 40)
        self.backup(name, 5)
        self.proof(name, 5, proven=3)

    def run(self, days: int, *, failures: Sequence[RunFailure] = (), **fields: Any) -> None:
        """Put a run on record; later calls are newer."""
        usual = {
            "kind": "backup",
            "run": f"{len(self.runs):08x}",
            "started_at": NOW - dt.timedelta(days=days),
            "seconds": 75.0,
            "ok": not failures,
            "total": 3,
            "done": 1,
            "failed": len(failures),
            "covered": 3,
            "bytes_done": MB,
            "bytes_stored": 5 * MB,
            "failures": list(failures),
        }
        self.runs.append(RunRecord.model_validate(usual | fields))

    def overview(self, **settings: Any) -> Overview:
        """Return how everything stands."""
        catalog = read_catalog(self.objects)
        decisions: list[Decision] = [
            decide(one, None, today=TODAY, max_age_days=30, force=False) for one in self.matched
        ]
        resolution = Resolution(
            source="the organisation acme",
            store="s3://bucket/backups/",
            listed=self.listed,
            catalog=catalog,
            decisions=decisions,
            receipts=self.receipts,
            movements=self.movements,
        )
        return build_overview(
            resolution,
            self.runs,
            self.proofs,
            ReportSettings(**settings),
            late_after_days=LATE_AFTER_DAYS,
            now=NOW,
        )

    def only(self) -> RepositoryState:
        """Return how the one repository stands."""
        (found,) = self.overview().repositories
        return found


def failure(name: str, message: str = "the disk is full", hint: str | None = "free some room") -> RunFailure:
    """Return a failure of a run."""
    return RunFailure(repository=name, step="archive", kind="no space", message=message, hint=hint)
