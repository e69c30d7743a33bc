"""Where repositories come from; a further host is one module and one line in ``open_host``."""

from __future__ import annotations

from collections.abc import Mapping

from repo_maintenance.hosts.base import GitAccess, Host, Repository
from repo_maintenance.naming import EXAMPLE, LISTINGS
from repo_maintenance.settings import BackupSettings

__all__ = ["GitAccess", "Host", "Repository", "open_host"]


def open_host(settings: BackupSettings, environment: Mapping[str, str]) -> Host:
    """Return the host that the settings name: GitHub, a folder, or the bundled example.

    PyGithub, which takes 0.75 s to import, is imported only where GitHub is asked.
    """
    if settings.organization is not None:
        from repo_maintenance.hosts.github import GitHubHost

        return GitHubHost.connect(settings.organization, settings.github, environment, LISTINGS)
    from repo_maintenance.hosts.folder import FolderHost

    if settings.folder is not None:
        return FolderHost(settings.folder, f"folder {settings.folder}")
    from repo_maintenance.example import make_example

    return FolderHost(make_example(EXAMPLE), "the bundled example organisation")
