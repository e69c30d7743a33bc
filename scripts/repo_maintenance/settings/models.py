"""All settings of the workflow, section by section."""

from __future__ import annotations

from repo_maintenance.settings.alerts import AlertSettings, NotificationSettings
from repo_maintenance.settings.backup import BackupSettings
from repo_maintenance.settings.care import RestoreSettings, RetentionSettings, VerifySettings
from repo_maintenance.settings.health import HealthSettings
from repo_maintenance.settings.logs import LoggingSettings
from repo_maintenance.settings.metrics import MetricsSettings
from repo_maintenance.settings.observe import ReportSettings
from repo_maintenance.settings.sections import RegularExpression, Section


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

    notifications: NotificationSettings = NotificationSettings()
    """Who is told of alerts; the addresses are in the environment."""

    metrics: MetricsSettings = MetricsSettings()
    """Where the metrics for Prometheus go at the end of each backup and verify."""

    health: HealthSettings = HealthSettings()
    """What `health` looks at, and how hard it judges."""

    logging: LoggingSettings = LoggingSettings()
    """What is logged, and where."""

    verbose: bool = False
    """Log everything, whatever `logging.level` says; meant for the command line: `--config verbose=true`."""

    unpin: list[RegularExpression] = []
    """Repositories whose pinned backups `unpin` lets go; meant for the command line."""

    force: bool = False
    """Make a new backup of everything today; meant for the command line: `--config force=true`."""
