"""Repositories whose loss could not be undone."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check
from repo_maintenance.invocation import as_invoked


@check(
    severity=Severity.CRITICAL,
    remedy=f"run {as_invoked('--cores 4 backup')}, and see in its summary why there is none",
    limits={"days": 40},
    archived=True,
    empty=True,
)
def no_backup(repository: Examined) -> Iterator[Found]:
    """Find what has no backup, or none of the last `days` days."""
    newest = repository.facts.newest_backup
    if newest is None:
        yield Found("never backed up")
    elif (repository.today - newest).days > repository.limits["days"]:
        yield Found(f"newest backup {(repository.today - newest).days} days old")
