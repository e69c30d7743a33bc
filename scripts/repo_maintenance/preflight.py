"""The checks before a run: all of them when asked for, and the cheap ones at the start of every run."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from repo_maintenance.errors import HostError, PreflightError
from repo_maintenance.findings import Finding, Level, failure, has_failure, ok, warning
from repo_maintenance.hosts import Host
from repo_maintenance.machine import check_machine
from repo_maintenance.selection import explain_nothing, select
from repo_maintenance.settings import BackupSettings
from repo_maintenance.stores import Store

logger = logging.getLogger(__name__)

SELECTION = "repositories"


def run_preflight(host: Host, store: Store, results: Path, settings: BackupSettings) -> list[Finding]:
    """Return all findings: of the host, of what is selected there, of the store and of the machine.

    What is selected costs the host what listing costs: GitHub, a request per hundred repositories.
    """
    found = list(host.check())
    if not has_failure(found):  # or there is no list to be had
        found.append(check_selection(host, settings))
    return [*found, *store.check(), *check_machine(results, lfs=settings.lfs)]


def check_selection(host: Host, settings: BackupSettings) -> Finding:
    """Return how many of the listed repositories are selected; none is a failure, with the nearest names."""
    try:
        listed = host.list_repositories()
    except HostError as error:
        return failure(SELECTION, error.message, error.hint)
    if not listed:
        return warning(SELECTION, f"{host.description} shows none", "see that it has some, and grant access")
    if nothing := explain_nothing(listed, settings):
        return failure(SELECTION, nothing.message, nothing.hint)
    return ok(SELECTION, f"{len(select(listed, settings))} of {len(listed)} are selected")


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
