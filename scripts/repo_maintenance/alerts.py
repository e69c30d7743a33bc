"""Which alerts stand, from how everything stands now. Pure: no clock, no network, no disk."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import humanfriendly

from repo_maintenance.alert import Alert, Severity, by_severity
from repo_maintenance.catalog import Catalog
from repo_maintenance.invocation import as_invoked
from repo_maintenance.naming import format_date, object_key
from repo_maintenance.overview import Overview, RepositoryState, State
from repo_maintenance.pins import Pin
from repo_maintenance.settings import AlertSettings
from repo_maintenance.tally import Quota
from repo_maintenance.verify import find_missing_backups

BYTES_PER_GB = 1_000_000_000
EXAMPLES_NAMED = 3
VANISHED = "vanished"
RUN_A_BACKUP = f"run {as_invoked('--cores 4 backup')}, and see why the last runs made none"


@dataclass(frozen=True)
class Evidence:
    """What is known besides the overview."""

    catalog: Catalog = field(default_factory=lambda: Catalog({}))
    pins: tuple[Pin, ...] = ()
    quota: Quota | None = None
    """What GitHub still grants; None where it did not say."""


def find_alerts(overview: Overview, evidence: Evidence, settings: AlertSettings) -> list[Alert]:
    """Return the alerts that stand at the time of the overview, the worst first."""
    found = [
        *_about_the_whole(overview, evidence, settings),
        *_critical_missing(overview, settings),
        *_rewritten(evidence, settings),
        *_not_restorable(evidence),
    ]
    for one in overview.repositories:
        found += _about_backups(one, overview, settings)
        found += _about_movements(one, settings)
    return sorted((alert for alert in found if alert.name not in settings.off), key=by_severity)


def _about_the_whole(overview: Overview, evidence: Evidence, settings: AlertSettings) -> Iterator[Alert]:
    limit = settings.max_stored_gb
    if limit is not None and overview.stored_bytes > limit * BYTES_PER_GB:
        yield Alert(
            name="storage-full",
            severity=Severity.WARNING,
            repository=None,
            message=f"{humanfriendly.format_size(overview.stored_bytes)} are stored, more than {limit:g} GB",
            remedy="let `prune` keep less (section retention), or raise alerts.max_stored_gb",
        )
    quota = evidence.quota
    if quota is not None and quota.remaining < settings.min_quota * quota.limit:
        resets_at = dt.datetime.fromtimestamp(quota.resets_at, dt.UTC)
        yield Alert(
            name="quota-low",
            severity=Severity.WARNING,
            repository=None,
            message=f"GitHub grants {quota.remaining} of {quota.limit} requests until {resets_at:%H:%M} UTC",
            remedy="see what else uses this token, or use a GitHub App, which has a quota of its own",
        )


def _about_backups(one: RepositoryState, overview: Overview, settings: AlertSettings) -> Iterator[Alert]:
    if not one.is_matched:
        return
    failed = _failed_in_a_row(one.name, overview)
    if one.failure is not None and failed >= settings.failed_runs:
        hint = f"{one.failure.hint}; " if one.failure.hint else ""
        runs = f"in the last {failed} runs" if failed > 1 else "in the last run"
        yield Alert(
            name="backup-failed",
            severity=Severity.CRITICAL,
            repository=one.name,
            about=f"{one.failure.step} {one.failure.kind}",
            message=f"{one.failure.step} failed {runs}: {one.failure.kind}: {one.failure.message}",
            remedy=f"{hint}the next backup tries again",
        )
    today = overview.generated_at.date()
    if one.state is State.NEVER and _is_due(one, today, settings):
        yield Alert(
            name="never-backed-up",
            severity=Severity.CRITICAL,
            repository=one.name,
            message="it has no backup",
            remedy=RUN_A_BACKUP,
        )
    too_old = one.age_days is not None and one.age_days > settings.max_age_days
    if too_old or one.state is State.LATE:
        waiting = f"; a push waits since {one.waiting_since:%Y-%m-%d}" if one.waiting_since else ""
        yield Alert(
            name="backup-late",
            severity=Severity.WARNING,
            repository=one.name,
            message=f"its newest backup is {one.age_days} days old{waiting}",
            remedy=RUN_A_BACKUP,
        )
    yield from _about_sizes_and_proofs(one, today, settings)


def _about_sizes_and_proofs(one: RepositoryState, today: dt.date, settings: AlertSettings) -> Iterator[Alert]:
    newest, before = one.newest_bytes, one.previous_bytes
    if newest is not None and before is not None and newest < settings.min_size * before:
        sizes = f"{humanfriendly.format_size(newest)} after {humanfriendly.format_size(before)}"
        yield Alert(
            name="backup-shrunk",
            severity=Severity.WARNING,
            repository=one.name,
            about=str(one.newest),
            message=f"its newest backup is much smaller than the one before: {sizes}",
            remedy="compare the two by restoring both; was history removed upstream?",
        )
    since = one.last_proven or one.oldest
    if one.backups and since is not None and (today - since).days > settings.max_proof_age_days:
        proven = f"last proven on {since}" if one.last_proven else "never proven"
        yield Alert(
            name="proof-overdue",
            severity=Severity.WARNING,
            repository=one.name,
            message=f"that its backups can be restored was {proven}",
            remedy=f"run {as_invoked('--cores 2 verify')}, on a schedule",
        )


def _about_movements(one: RepositoryState, settings: AlertSettings) -> Iterator[Alert]:
    if one.movement is None or one.age_days is None or one.age_days > settings.vanished_days:
        return
    is_vanished = one.movement == VANISHED
    yield Alert(
        name="repository-vanished" if is_vanished else "repository-moved",
        severity=Severity.WARNING if is_vanished else Severity.INFO,
        repository=one.name,
        about=one.movement,
        message=f"it was listed once, and {'has' if is_vanished else 'was'} {one.movement}; its backups stay",
        remedy="ask who removed it; `restore` brings it back" if is_vanished else "nothing needs to be done",
    )


def _critical_missing(overview: Overview, settings: AlertSettings) -> Iterator[Alert]:
    for pattern in settings.critical:
        matching = [one for one in overview.repositories if re.fullmatch(pattern, one.name)]
        if not matching:
            yield _missing(None, pattern, f"no repository that is backed up matches {pattern!r}")
        for one in matching:
            if not one.is_listed:
                yield _missing(one.name, "listed", "it is critical, and not listed upstream")
            elif not one.is_matched:
                yield _missing(one.name, "matched", "it is critical, and backup.patterns leaves it out")
            elif one.state is State.NEVER:
                yield _missing(one.name, "backed up", "it is critical, and has no backup")


def _missing(repository: str | None, about: str, message: str) -> Alert:
    return Alert(
        name="critical-missing",
        severity=Severity.CRITICAL,
        repository=repository,
        about=about,
        message=message,
        remedy="see that it exists, that the token may see it, and that section backup selects it",
    )


def _rewritten(evidence: Evidence, settings: AlertSettings) -> Iterator[Alert]:
    for pin in evidence.pins:
        if pin.rewrites and pin.count < settings.rewritten_refs:
            continue
        named = ", ".join(map(str, pin.rewrites[:EXAMPLES_NAMED])) or "which is not known"
        more = ", …" if pin.count > EXAMPLES_NAMED else ""
        chosen = f"{{repositories: [{pin.repository}], date: {format_date(pin.backup_date)}}}"
        look = as_invoked(f"--cores 1 restore --config restore='{chosen}'")
        let_go = as_invoked(f"--cores 1 unpin --config unpin='[{pin.repository}]'")
        yield Alert(
            name="history-rewritten",
            severity=Severity.CRITICAL,
            repository=pin.repository,
            about=pin.backup_date.isoformat(),
            message=f"{pin.count} refs were rewritten upstream by {pin.compared_with}: {named}{more}; "
            f"the backup of {pin.backup_date} has the old ones, and is pinned",
            remedy=f"look at the old ones: {look}; once settled: {let_go}",
        )


def _not_restorable(evidence: Evidence) -> Iterator[Alert]:
    """Yield each repository's newest bad backup, unless a newer one is proven, and each that is gone."""
    for repo, backups in evidence.catalog.backups.items():
        tried = [one for one in backups if one.proof is not None]
        if tried and tried[-1].is_bad:
            yield Alert(
                name="proof-failed",
                severity=Severity.CRITICAL,
                repository=repo,
                about=tried[-1].name.date.isoformat(),
                message=f"its backup of {tried[-1].name.date} can't be restored",
                remedy=f"the next backup makes a new one; then run {as_invoked('--cores 2 verify')}",
            )
    for name in find_missing_backups(evidence.catalog, ()):
        yield Alert(
            name="backup-lost",
            severity=Severity.CRITICAL,
            repository=name.repo,
            about=name.date.isoformat(),
            message=f"{object_key(name)} was stored and tried once, and is not there any more",
            remedy="find out who deleted it; a bucket that keeps versions still has it",
        )


def _failed_in_a_row(repo: str, overview: Overview) -> int:
    count = 0
    for run in reversed(overview.runs):
        if run.kind != "backup":
            continue
        if all(failure.repository != repo for failure in run.failures):
            break
        count += 1
    return count


def _is_due(one: RepositoryState, today: dt.date, settings: AlertSettings) -> bool:
    return one.pushed_at is None or (today - one.pushed_at.date()).days >= settings.never_after_days
