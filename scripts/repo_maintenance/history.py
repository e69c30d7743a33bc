"""The history: one small record a run, kept in the store, so that trends survive fresh runners."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from repo_maintenance import __version__
from repo_maintenance.catalog import Backup, Catalog
from repo_maintenance.errors import StoreError
from repo_maintenance.naming import history_key
from repo_maintenance.records import Failure
from repo_maintenance.stores import Store
from repo_maintenance.stores.notes import read_notes
from repo_maintenance.summary import Outcome, Summary

logger = logging.getLogger(__name__)

KEPT_IN_SIGHT = 400
Kind = Literal["backup", "verify", "prune"]


class RunFailure(BaseModel):
    """What failed in a run, and why."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    repository: str
    step: str
    kind: str
    message: str
    hint: str | None = None


class RunRecord(BaseModel):
    """What is remembered of a run, for reports on any machine."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    kind: Kind
    run: str
    """Eight hexadecimal digits: what its log lines carry."""
    started_at: AwareDatetime
    seconds: float
    ok: bool
    total: int
    """Repositories matched, or backups whose turn it was."""
    done: int
    """Of these, backed up, proven, or deleted."""
    failed: int
    covered: int
    """Of these, those that have a backup after the run."""
    bytes_done: int
    """Stored, read, or deleted in the run."""
    bytes_stored: int
    """All that the store holds of us, without the run's own uploads and what these replaced."""
    step_seconds: dict[str, float] = {}
    """Step → the seconds that it took, summed over all repositories."""
    retries: dict[str, int] = {}
    """Service (git, github, s3) → how often a request was made again."""
    failures: list[RunFailure] = []
    tool_version: str = __version__

    @property
    def key(self) -> str:
        """Its key below the store's prefix."""
        return history_key(self.kind, self.started_at, self.run)


def remember(store: Store, record: RunRecord) -> None:
    """Store a record; where that fails, a warning says so: a trend is not worth a backup."""
    try:
        store.put_note(record.key, f"{record.model_dump_json(indent=2)}\n".encode())
    except (StoreError, OSError) as error:
        logger.warning("this run is not in the history: %s", error)


def read_history(store: Store, keys: Iterable[str]) -> list[RunRecord]:
    """Return the newest records, oldest first; one that can't be read is left out. Raises StoreError."""
    newest = sorted(keys, key=_moment)[-KEPT_IN_SIGHT:]
    found = (_parse(content) for content in read_notes(store, newest))
    return sorted((record for record in found if record is not None), key=lambda record: record.started_at)


def _moment(key: str) -> str:
    return key.partition("-")[2]


def _parse(content: bytes | None) -> RunRecord | None:
    try:
        return RunRecord.model_validate_json(content or b"")
    except ValidationError:
        return None


def record_of_backup(summary: Summary, catalog: Catalog, run: str, *, retries: dict[str, int]) -> RunRecord:
    """Return what is remembered of a run that made backups, or found nothing to do."""
    steps: Counter[str] = Counter()
    for result in summary.repositories:
        steps.update(result.step_seconds)
    failures = [result.failure for result in summary.repositories if result.failure]
    uploaded = {result.key for result in summary.repositories if result.outcome is Outcome.BACKED_UP}
    kept = [backup for backup in catalog if backup.stored.key not in uploaded]
    return RunRecord(
        kind="backup",
        run=run,
        started_at=summary.started_at,
        seconds=summary.seconds,
        ok=summary.ok,
        total=summary.total,
        done=summary.backed_up,
        failed=summary.failed + summary.not_reached,
        covered=summary.covered,
        bytes_done=summary.bytes_stored,
        bytes_stored=stored_bytes(kept),
        step_seconds={step: round(seconds, 3) for step, seconds in steps.items()},
        retries=retries,
        failures=brief(failures),
    )


def record_of_care(
    kind: Kind,
    run: str,
    catalog: Catalog,
    *,
    started_at: dt.datetime,
    seconds: float,
    total: int,
    bytes_done: int,
    failures: Sequence[Failure] = (),
) -> RunRecord:
    """Return what is remembered of a run that proved or deleted ``total`` backups."""
    return RunRecord(
        kind=kind,
        run=run,
        started_at=started_at,
        seconds=round(seconds, 1),
        ok=not failures,
        total=total,
        done=total - len(failures),
        failed=len(failures),
        covered=len(catalog.backups),
        bytes_done=bytes_done,
        bytes_stored=stored_bytes(catalog),
        failures=brief(failures),
    )


def stored_bytes(backups: Iterable[Backup]) -> int:
    """Return what backups take in the store."""
    return sum(backup.stored.size for backup in backups)


def brief(failures: Iterable[Failure]) -> list[RunFailure]:
    """Return what is remembered of failures."""
    return [
        RunFailure(
            repository=one.repository, step=one.step, kind=one.kind, message=one.message, hint=one.hint
        )
        for one in failures
    ]
