"""Puts together what was found of all repositories. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from repo_maintenance.health.findings import (
    CheckSummary,
    FailedCheckup,
    HealthReport,
    RepositoryHealth,
)
from repo_maintenance.health.registry import Registry
from repo_maintenance.records import Failure
from repo_maintenance.settings.health import Severity

ORDER = list(Severity)


def build_report(
    names: Sequence[str],
    examined: Sequence[RepositoryHealth],
    failures: Sequence[Failure],
    registry: Registry,
    *,
    source: str,
    now: dt.datetime,
) -> HealthReport:
    """Return the report of a run; a repository of which nothing came, for whatever reason, has failed."""
    findings = [finding for one in examined for finding in one.findings]
    why = {failure.repository: failure for failure in failures}
    seen = {one.repository for one in examined}
    looked_at = Counter(check for one in examined for check in one.checks)
    counts = Counter(finding.check for finding in findings)
    return HealthReport(
        generated_at=now,
        source=source,
        repositories=len(names),
        checks=[
            CheckSummary(
                name=check.name,
                summary=check.summary,
                severity=registry.severity_of(check),
                looked_at=looked_at[check.name],
                findings=counts[check.name],
            )
            for check in registry.checks
        ],
        findings=sorted(findings, key=lambda one: (ORDER.index(one.severity), one.repository, one.check)),
        unchecked=[unchecked for one in examined for unchecked in one.unchecked],
        failed=[_failed(name, why.get(name)) for name in names if name not in seen],
    )


def _failed(name: str, failure: Failure | None) -> FailedCheckup:
    if failure is None:
        return FailedCheckup(repository=name, message="not reached: the run ended before its turn")
    return FailedCheckup(repository=name, message=f"{failure.kind}: {failure.message}", hint=failure.hint)
