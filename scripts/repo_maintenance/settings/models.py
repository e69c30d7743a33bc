"""All settings of the workflow, section by section."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from repo_maintenance.settings.alerts import AlertSettings
from repo_maintenance.settings.backup import BackupSettings
from repo_maintenance.settings.care import RestoreSettings, RetentionSettings, VerifySettings
from repo_maintenance.settings.observe import ReportSettings
from repo_maintenance.settings.sections import Section


class LoggingSettings(Section):
    """What is logged, and where."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe messages that are shown."""

    format: str = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
    """Format of a line, as Python's `logging` has it."""

    file: Path | None = None
    """A file that gets every line besides the screen; `null` for none."""


class Settings(Section):
    """All settings of the workflow."""

    backup: BackupSettings = BackupSettings()
    """What is backed up, from where, to where, and how often."""

    restore: RestoreSettings = RestoreSettings()
    """What is put back, from which day, and to where; meant for the command line."""

    verify: VerifySettings = VerifySettings()
    """Which backups are proven restorable by a run of `verify`."""

    retention: RetentionSettings = RetentionSettings()
    """Which backups `prune` keeps: what any of the rules keeps, stays."""

    report: ReportSettings = ReportSettings()
    """What the report says, and where it is written."""

    alerts: AlertSettings = AlertSettings()
    """What an administrator is told of, and from which threshold on."""

    logging: LoggingSettings = LoggingSettings()
    """What is logged, and where."""

    force: bool = False
    """Make a new backup of everything today; meant for the command line: `--config force=true`."""
