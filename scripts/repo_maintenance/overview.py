"""Whether everything is safe: each repository's state, from the listing and the store, not from memory.

Report, metrics and alerts all read this.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from repo_maintenance import __version__
from repo_maintenance.catalog import Backup
from repo_maintenance.history import RunFailure, RunRecord
from repo_maintenance.inventory import Resolution
from repo_maintenance.records import Receipt
from repo_maintenance.settings import ReportSettings
from repo_maintenance.verify import Proof

SCHEMA_VERSION = 1
GROWTH_DAYS = 30
BYTES_PER_GIB = 1 << 30


class State(StrEnum):
    """How safe a repository is; the first that holds, from the worst on."""

    NEVER = "never backed up"
    FAILED = "failed"
    """In the last run."""
    BAD = "not restorable"
    """Its newest backup was tried, and can't be restored."""
    LATE = "late"
    """Its newest backup is older than ``backup.max_age_days`` and the days that a run may be late."""
    INCOMPLETE = "incomplete"
    UNPROVEN = "not yet proven"
    """No backup of it was ever proven restorable."""
    GONE = "gone upstream"
    """Not listed any more, its backups are kept."""
    LEFT_OUT = "left out"
    """Stored, and listed, but no pattern matches it any more."""
    SAFE = "safe"


class RepositoryState(BaseModel):
    """How a repository stands."""

    model_config = ConfigDict(frozen=True)

    name: str
    full_name: str | None
    """``owner/name`` upstream; None where it is gone."""
    state: State
    is_matched: bool
    """Whether the settings select it."""
    is_listed: bool
    pushed_at: AwareDatetime | None
    upstream_bytes: int | None
    """What the host says it takes."""
    backups: int
    stored_bytes: int
    """Of all its backups."""
    cost: float
    """A month, in the report's currency."""
    newest: dt.date | None
    newest_bytes: int | None
    previous_bytes: int | None
    """Size of the backup before the newest."""
    age_days: int | None
    """Of the newest backup."""
    last_proven: dt.date | None
    restore_seconds: float | None
    """How long the newest good proof took to bring it back and check it."""
    growth_bytes: int | None
    """The newest backup's size less that of the newest one at least 30 days older."""
    incomplete: str
    """What the newest backup lacks, in words."""
    note: str
    movement: str | None
    """``renamed to …``, ``transferred to …`` or ``vanished``, where it is not listed under its name."""
    failure: RunFailure | None
    """Why it failed in the last run."""


class Overview(BaseModel):
    """How everything stands: what ``report.json`` holds."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION
    generated_at: AwareDatetime
    tool_version: str = __version__
    source: str
    store: str
    currency: str
    matched: int
    safe: int
    """Of the matched repositories: those that need nobody's attention."""
    backups: int
    stored_bytes: int
    cost: float
    """A month, in ``currency``."""
    states: dict[State, int]
    repositories: list[RepositoryState]
    """By name; also those that are stored and gone upstream."""
    runs: list[RunRecord]
    """The last runs, oldest first."""

    @property
    def last_backup_run(self) -> RunRecord | None:
        """The newest run that made backups, or found nothing to do."""
        return next((run for run in reversed(self.runs) if run.kind == "backup"), None)


def build_overview(
    resolution: Resolution,
    runs: list[RunRecord],
    proofs: Mapping[str, Proof],
    settings: ReportSettings,
    *,
    late_after_days: int,
    now: dt.datetime,
) -> Overview:
    """Return how everything stands; pure.

    ``proofs`` has the newest good proof of each repository that has one. A backup that is older than
    ``late_after_days`` is late.
    """
    listed = {repository.name: repository for repository in resolution.listed}
    matched = {decision.repository.name for decision in resolution.decisions}
    movements = {movement.name: movement for movement in resolution.movements}
    last_run = next((run for run in reversed(runs) if run.kind == "backup"), None)
    failures = {failure.repository: failure for failure in last_run.failures} if last_run else {}
    repositories = []
    for name in sorted(matched | resolution.catalog.backups.keys()):
        movement = movements.get(name)
        repository = None if movement and name not in matched else listed.get(name)
        upstream = {
            "full_name": repository.full_name if repository else None,
            "is_matched": name in matched,
            "is_listed": repository is not None,
            "pushed_at": repository.pushed_at if repository else None,
            "upstream_bytes": repository.size_bytes if repository else None,
            "movement": movement.fate_in_words if movement else None,
            "failure": failures.get(name),
        }
        stored = _stored(resolution.catalog.backups.get(name, []), settings, now.date())
        known = _known(resolution.receipts.get(name), proofs.get(name))
        draft = RepositoryState.model_validate(
            {"name": name, "state": State.SAFE, **upstream, **stored, **known}
        )
        is_bad = bool(stored["backups"]) and resolution.catalog.backups[name][-1].is_bad
        state = _judge(draft, is_bad=is_bad, late_after_days=late_after_days)
        repositories.append(draft.model_copy(update={"state": state}))
    return Overview(
        generated_at=now,
        source=resolution.source,
        store=resolution.store,
        currency=settings.currency,
        matched=len(matched),
        safe=sum(one.is_matched and one.state is State.SAFE for one in repositories),
        backups=sum(one.backups for one in repositories),
        stored_bytes=sum(one.stored_bytes for one in repositories),
        cost=sum(one.cost for one in repositories),
        states={state: sum(one.state is state for one in repositories) for state in State},
        repositories=repositories,
        runs=runs,
    )


def _stored(backups: Sequence[Backup], settings: ReportSettings, today: dt.date) -> dict[str, Any]:
    """Return what the listing of the store tells of a repository's backups, oldest first."""
    newest = backups[-1] if backups else None
    good = [one.proof.proven_on for one in backups if one.proof and one.is_good]
    return {
        "backups": len(backups),
        "stored_bytes": sum(one.stored.size for one in backups),
        "cost": sum(_cost(one, settings) for one in backups),
        "newest": newest.name.date if newest else None,
        "newest_bytes": newest.stored.size if newest else None,
        "previous_bytes": backups[-2].stored.size if len(backups) > 1 else None,
        "age_days": (today - newest.name.date).days if newest else None,
        "last_proven": max(good, default=None),
        "growth_bytes": _growth(backups),
    }


def _cost(backup: Backup, settings: ReportSettings) -> float:
    standard = settings.prices.get("STANDARD", 0.0)
    return backup.stored.size / BYTES_PER_GIB * settings.prices.get(backup.stored.storage_class, standard)


def _growth(backups: Sequence[Backup]) -> int | None:
    if not backups:
        return None
    before = backups[-1].name.date - dt.timedelta(days=GROWTH_DAYS)
    older = [one for one in backups if one.name.date <= before]
    return backups[-1].stored.size - older[-1].stored.size if older else None


def _known(receipt: Receipt | None, proof: Proof | None) -> dict[str, Any]:
    return {
        "incomplete": receipt.incomplete if receipt else "",
        "note": receipt.note if receipt else "",
        "restore_seconds": proof.seconds if proof else None,
    }


def _judge(one: RepositoryState, *, is_bad: bool, late_after_days: int) -> State:
    """Return the worst that holds of a repository."""
    if not one.is_matched:
        return State.LEFT_OUT if one.is_listed else State.GONE
    verdicts = {
        State.NEVER: one.backups == 0,
        State.FAILED: one.failure is not None,
        State.BAD: is_bad,
        State.LATE: one.age_days is not None and one.age_days > late_after_days,
        State.INCOMPLETE: bool(one.incomplete),
        State.UNPROVEN: one.last_proven is None,
    }
    return next((state for state, holds in verdicts.items() if holds), State.SAFE)
