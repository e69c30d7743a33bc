"""What a check before a run found: one line each, with a remedy where something is to be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    message: str
    remedy: str | None = None

    def __str__(self) -> str:
        remedy = f" → {self.remedy}" if self.remedy else ""
        return f"{self.level:<8} {self.subject}: {self.message}{remedy}"


def ok(subject: str, message: str) -> Finding:
    """Return that all is well."""
    return Finding(Level.OK, subject, message)


def warning(subject: str, message: str, remedy: str) -> Finding:
    """Return that something could be better; the run goes on."""
    return Finding(Level.WARNING, subject, message, remedy)


def failure(subject: str, message: str, remedy: str | None) -> Finding:
    """Return that backups can't work like this."""
    return Finding(Level.FAILURE, subject, message, remedy)


def has_failure(findings: Iterable[Finding]) -> bool:
    """Whether a run would be in vain."""
    return any(finding.level is Level.FAILURE for finding in findings)
