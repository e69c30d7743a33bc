"""What an alert is."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from repo_maintenance.settings.alerts import AlertName


class Severity(StrEnum):
    """How much an alert matters, the worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Alert(BaseModel):
    """Something that an administrator is told of."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    name: AlertName
    """Which alert it is; docs/observability.md explains each."""
    severity: Severity
    """How much it matters: `critical`, `warning` or `info`."""
    repository: str | None
    """The name of the repository that it is about; None where it is about the whole."""
    about: str = ""
    """What tells it from others of the same name and repository, such as the day of a backup."""
    message: str
    """What is the matter, in a sentence."""
    remedy: str
    """What to do about it."""

    @property
    def key(self) -> str:
        """What it is known by from one run to the next."""
        return " ".join(part for part in (self.name, self.repository, self.about) if part)

    def __str__(self) -> str:
        subject = f"{self.repository}: " if self.repository else ""
        return f"{self.severity.upper()} {self.name}: {subject}{self.message}"


def by_severity(alert: Alert) -> tuple[int, str, str]:
    """Return what alerts are sorted by: the worst first."""
    return list(Severity).index(alert.severity), alert.name, alert.repository or ""
