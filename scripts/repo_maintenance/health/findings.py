"""What a health check found, of one repository and of all: a file in ``results/``, a note in the store."""

from __future__ import annotations

import logging

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from repo_maintenance import __version__
from repo_maintenance.errors import StoreError
from repo_maintenance.naming import HEALTH_NOTE
from repo_maintenance.screen import printable
from repo_maintenance.settings.health import Severity
from repo_maintenance.stores import Store

logger = logging.getLogger(__name__)

LONGEST_TEXT = 300


class HealthFinding(BaseModel):
    """One thing that is to be done about one repository."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository: str
    check: str
    severity: Severity
    subject: str
    """What it is about: a path, a branch or a package; empty for the repository as a whole."""
    message: str
    remedy: str


class Unchecked(BaseModel):
    """One thing that could not be looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository: str
    check: str
    reason: str


class RepositoryHealth(BaseModel):
    """What was found of one repository: what its job leaves."""

    model_config = ConfigDict(frozen=True)

    repository: str
    checks: list[str]
    """Those that looked at it."""
    findings: list[HealthFinding]
    unchecked: list[Unchecked]


class FailedCheckup(BaseModel):
    """That a repository could not be looked at, and why."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository: str
    message: str
    hint: str | None = None


class CheckSummary(BaseModel):
    """What became of one check over all repositories."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    summary: str
    severity: Severity
    looked_at: int
    """Repositories."""
    findings: int


class HealthReport(BaseModel):
    """What a health check found: the content of ``results/health.json``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = 1
    generated_at: AwareDatetime
    tool_version: str = __version__
    source: str
    repositories: int
    """Those that were to be checked."""
    checks: list[CheckSummary]
    findings: list[HealthFinding]
    """The worst first, then by repository."""
    unchecked: list[Unchecked]
    failed: list[FailedCheckup]

    def count(self, severity: Severity) -> int:
        """Return how many findings are that severe."""
        return sum(finding.severity is severity for finding in self.findings)


def plain(text: str) -> str:
    """Return a text that came out of a repository as a short one that is harmless to print."""
    shown = printable(text)
    return shown if len(shown) <= LONGEST_TEXT else f"{shown[:LONGEST_TEXT]}…"


def remember_health(store: Store, report: HealthReport) -> None:
    """Keep a report in the store; where that fails, a warning says so: the findings are on the screen."""
    try:
        store.put_note(HEALTH_NOTE, f"{report.model_dump_json(indent=2)}\n".encode())
    except (StoreError, OSError) as error:
        logger.warning("what the health check found is not in the store: %s", error)


def read_health(store: Store) -> HealthReport | None:
    """Return the newest report in the store, by one request; None where there is none that can be read."""
    try:
        return HealthReport.model_validate_json(store.read_note(HEALTH_NOTE) or b"")
    except ValidationError:
        return None
