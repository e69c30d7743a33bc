"""The checks before a run: all of them when asked for, and the cheap ones at the start of every run."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from repo_maintenance.errors import PreflightError
from repo_maintenance.findings import Finding, Level, has_failure
from repo_maintenance.hosts import Host
from repo_maintenance.machine import check_machine
from repo_maintenance.stores import Store

logger = logging.getLogger(__name__)


def run_preflight(host: Host, store: Store, results: Path, *, lfs: bool) -> list[Finding]:
    """Return all findings: of the host, the store and the machine."""
    return [*host.check(), *store.check(), *check_machine(results, lfs=lfs)]


def require(findings: Iterable[Finding]) -> None:
    """Log warnings, and raise PreflightError where a finding says that a run would be in vain."""
    found = list(findings)
    for finding in found:
        if finding.level is Level.WARNING:
            logger.warning("%s", finding)
    if has_failure(found):
        failures = [finding for finding in found if finding.level is Level.FAILURE]
        message = "; ".join(f"{finding.subject}: {finding.message}" for finding in failures)
        hints = "; ".join(finding.remedy for finding in failures if finding.remedy)
        raise PreflightError(message, hint=hints or None)
