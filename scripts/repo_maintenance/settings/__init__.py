"""Settings: YAML and environment in, typed and validated settings out."""

from repo_maintenance.settings.loading import load_settings
from repo_maintenance.settings.models import (
    BackupSettings,
    FilterSettings,
    GitHubSettings,
    GitSettings,
    LoggingSettings,
    S3Settings,
    Settings,
)

__all__ = [
    "BackupSettings",
    "FilterSettings",
    "GitHubSettings",
    "GitSettings",
    "LoggingSettings",
    "S3Settings",
    "Settings",
    "load_settings",
]
