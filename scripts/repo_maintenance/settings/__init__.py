"""Settings: YAML and environment in, typed and validated settings out."""

from repo_maintenance.settings.alerts import AlertSettings
from repo_maintenance.settings.backup import (
    LOOPBACK_HOSTS,
    BackupSettings,
    FilterSettings,
    GitHubSettings,
    GitSettings,
    ObjectLockSettings,
    S3Settings,
)
from repo_maintenance.settings.care import RestoreSettings, RetentionSettings, VerifySettings
from repo_maintenance.settings.loading import load_settings
from repo_maintenance.settings.models import LoggingSettings, Settings
from repo_maintenance.settings.observe import ReportSettings

__all__ = [
    "LOOPBACK_HOSTS",
    "AlertSettings",
    "BackupSettings",
    "FilterSettings",
    "GitHubSettings",
    "GitSettings",
    "LoggingSettings",
    "ObjectLockSettings",
    "ReportSettings",
    "RestoreSettings",
    "RetentionSettings",
    "S3Settings",
    "Settings",
    "VerifySettings",
    "load_settings",
]
