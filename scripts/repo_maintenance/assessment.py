"""Judges how everything stands, from one look at the listing, the store and the history; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

from repo_maintenance.catalog import Backup, Catalog
from repo_maintenance.history import RunFailure, RunRecord
from repo_maintenance.hosts import Repository
from repo_maintenance.inventory import Resolution
from repo_maintenance.overview import Overview, RepositoryState, State
from repo_maintenance.records import Receipt
from repo_maintenance.settings import ReportSettings
from repo_maintenance.verify import Proof

GROWTH_DAYS = 30
GRACE_DAYS = 10
COST_DIGITS = 9
BYTES_PER_GIB = 1 << 30


def build_overview(
    resolution: Resolution,
    runs: list[RunRecord],
    proofs: Mapping[str, Proof],
    settings: ReportSettings,
    *,
    late_after_days: int,
    grace_days: int = GRACE_DAYS,
    now: dt.datetime,
) -> Overview:
    """Return how everything stands; pure.

    ``proofs`` has the newest good proof of each repository that has one. A backup that is older than
    ``late_after_days`` is late, and so is a push that has waited for one longer than ``grace_days``.
    """
    matched = {decision.repository.name for decision in resolution.decisions}
    last_run = next((run for run in reversed(runs) if run.kind == "backup"), None)
    failures = {failure.repository: failure for failure in last_run.failures} if last_run else {}
    limits = _Limits(now=now, late_after_days=late_after_days, grace_days=grace_days)
    look = _Look(resolution, matched, failures=failures, proofs=proofs, settings=settings, limits=limits)
    repositories = [look.at(name) for name in sorted(matched | resolution.catalog.backups.keys())]
    return Overview(
        generated_at=now,
        source=resolution.source,
        store=resolution.store,
        currency=settings.currency,
        matched=len(matched),
        safe=sum(one.is_matched and one.state is State.SAFE for one in repositories),
        backups=sum(one.backups for one in repositories),
        stored_bytes=sum(one.stored_bytes for one in repositories),
        cost=round(sum(one.cost for one in repositories), COST_DIGITS),
        states={state: sum(one.state is state for one in repositories) for state in State},
        repositories=repositories,
        runs=runs,
    )


class _Look:
    """All that is known, looked up for one repository after the other."""

    def __init__(
        self,
        resolution: Resolution,
        matched: Container[str],
        *,
        failures: Mapping[str, RunFailure],
        proofs: Mapping[str, Proof],
        settings: ReportSettings,
        limits: _Limits,
    ) -> None:
        self._resolution = resolution
        self._listed = {repository.name: repository for repository in resolution.listed}
        self._movements = {movement.name: movement for movement in resolution.movements}
        self._matched = matched
        self._failures = failures
        self._proofs = proofs
        self._settings = settings
        self._limits = limits

    def at(self, name: str) -> RepositoryState:
        """Return how one repository stands."""
        movement = self._movements.get(name)
        repository = None if movement and name not in self._matched else self._listed.get(name)
        backups = self._resolution.catalog.backups.get(name, [])
        receipt = self._resolution.receipts.get(name)
        proof = self._proofs.get(name)
        draft = RepositoryState(
            name=name,
            state=State.SAFE,
            full_name=repository.full_name if repository else None,
            is_matched=name in self._matched,
            is_listed=repository is not None,
            pushed_at=repository.pushed_at if repository else None,
            waiting_since=_waiting_since(repository, receipt),
            upstream_bytes=repository.size_bytes if repository else None,
            movement=movement.fate_in_words if movement else None,
            failure=self._failures.get(name),
            incomplete=_incomplete(receipt, is_asked=bool(backups) and name in self._matched),
            note=receipt.note if receipt else "",
            proven_at=proof.proven_at if proof else None,
            restore_seconds=proof.seconds if proof else None,
            **_stored(self._resolution.catalog, name, self._settings, self._limits.now.date()),
        )
        is_bad = bool(backups) and self._resolution.catalog.is_broken(backups[-1])
        return draft.model_copy(update={"state": _judge(draft, self._limits, is_bad=is_bad)})


def _stored(catalog: Catalog, name: str, settings: ReportSettings, today: dt.date) -> dict[str, Any]:
    """Return what the listing of the store tells of a repository's backups.

    Single backups are compared by what restoring them takes: an increment is small, whatever it holds.
    """
    backups = catalog.backups.get(name, [])
    newest = backups[-1] if backups else None
    good = [one.proof.proven_on for one in backups if one.proof and one.is_good]
    return {
        "backups": len(backups),
        "stored_bytes": sum(one.stored.size for one in backups),
        "cost": round(sum(_cost(one, settings) for one in backups), COST_DIGITS),
        "oldest": backups[0].name.date if backups else None,
        "newest": newest.name.date if newest else None,
        "newest_at": newest.stored.modified if newest else None,
        "newest_bytes": catalog.restored_bytes(newest) if newest else None,
        "previous_bytes": catalog.restored_bytes(backups[-2]) if len(backups) > 1 else None,
        "age_days": (today - newest.name.date).days if newest else None,
        "last_proven": max(good, default=None),
        "growth_bytes": _growth(catalog, backups),
    }


def _cost(backup: Backup, settings: ReportSettings) -> float:
    standard = settings.prices.get("STANDARD", 0.0)
    return backup.stored.size / BYTES_PER_GIB * settings.prices.get(backup.stored.storage_class, standard)


def _growth(catalog: Catalog, backups: Sequence[Backup]) -> int | None:
    if not backups:
        return None
    before = backups[-1].name.date - dt.timedelta(days=GROWTH_DAYS)
    older = [one for one in backups if one.name.date <= before]
    return catalog.restored_bytes(backups[-1]) - catalog.restored_bytes(older[-1]) if older else None


def _waiting_since(repository: Repository | None, receipt: Receipt | None) -> dt.datetime | None:
    """Return the last push, where the newest backup holds another."""
    if repository is None or receipt is None or receipt.pushed_at == repository.pushed_at:
        return None
    return repository.pushed_at


def _incomplete(receipt: Receipt | None, *, is_asked: bool) -> str:
    """Return what the newest backup lacks; one that tells nothing of itself lacks its description."""
    if receipt is None:
        return "it was not stored by this tool, or not completely" if is_asked else ""
    return receipt.incomplete


class _Limits(NamedTuple):
    """From when on something is late."""

    now: dt.datetime
    late_after_days: int
    grace_days: int

    def is_late(self, one: RepositoryState) -> bool:
        """Whether the newest backup is too old, or a push has waited for too long."""
        waited = self.now - one.waiting_since if one.waiting_since else dt.timedelta()
        is_old = one.age_days is not None and one.age_days > self.late_after_days
        return is_old or waited > dt.timedelta(days=self.grace_days)


def _judge(one: RepositoryState, limits: _Limits, *, is_bad: bool) -> State:
    """Return the worst that holds of a repository.

    Where another repository has the name of a stored one, the backups are not its own: it has none yet.
    """
    if not one.is_matched:
        unselected = State.LEFT_OUT if one.is_listed else State.GONE
        return State.BAD if is_bad else unselected
    verdicts = {
        State.NEVER: one.backups == 0 or one.movement is not None,
        State.FAILED: one.failure is not None,
        State.BAD: is_bad,
        State.LATE: limits.is_late(one),
        State.INCOMPLETE: bool(one.incomplete),
        State.UNPROVEN: one.last_proven is None,
    }
    return next((state for state, holds in verdicts.items() if holds), State.SAFE)
