"""Settings: YAML and environment in, typed and validated settings out."""

from repo_maintenance.settings.alerts import AlertSettings, ChannelSettings, NotificationSettings
from repo_maintenance.settings.backup import (
    LOOPBACK_HOSTS,
    BackupSettings,
    FilterSettings,
    GitHubSettings,
    GitSettings,
    IncrementalSettings,
    ObjectLockSettings,
    S3Settings,
)
from repo_maintenance.settings.care import RestoreSettings, RetentionSettings, VerifySettings
from repo_maintenance.settings.health import CheckSettings, HealthSettings, IndexSettings, Severity
from repo_maintenance.settings.loading import load_settings
from repo_maintenance.settings.logs import LoggingSettings
from repo_maintenance.settings.metrics import MetricsSettings
from repo_maintenance.settings.models import Settings
from repo_maintenance.settings.observe import ReportSettings

__all__ = [
    "LOOPBACK_HOSTS",
    "AlertSettings",
    "BackupSettings",
    "ChannelSettings",
    "CheckSettings",
    "FilterSettings",
    "GitHubSettings",
    "GitSettings",
    "HealthSettings",
    "IncrementalSettings",
    "IndexSettings",
    "LoggingSettings",
    "MetricsSettings",
    "NotificationSettings",
    "ObjectLockSettings",
    "ReportSettings",
    "RestoreSettings",
    "RetentionSettings",
    "S3Settings",
    "Settings",
    "Severity",
    "VerifySettings",
    "load_settings",
]
