"""Where repositories come from; a further host is one module and one line in ``open_host``."""

from __future__ import annotations

from collections.abc import Mapping

from repo_maintenance.hosts.base import GitAccess, Host, Repository
from repo_maintenance.naming import EXAMPLE
from repo_maintenance.settings import BackupSettings

__all__ = ["GitAccess", "Host", "Repository", "git_access", "open_host"]


def open_host(settings: BackupSettings, environment: Mapping[str, str]) -> Host:
    """Return the host that the settings name: GitHub, a folder, or the bundled example.

    PyGithub, which takes 0.75 s to import, is imported only where GitHub is asked.
    """
    if settings.organization is not None:
        from repo_maintenance.hosts.github import GitHubHost

        return GitHubHost.connect(settings.organization, settings.github, environment)
    from repo_maintenance.hosts.folder import FolderHost

    if settings.folder is not None:
        return FolderHost(settings.folder, f"folder {settings.folder}")
    from repo_maintenance.example import make_example

    return FolderHost(make_example(EXAMPLE), "the bundled example organisation")


def git_access(settings: BackupSettings, environment: Mapping[str, str]) -> GitAccess:
    """Return how git reaches the repositories of the configured host, without asking the network."""
    if settings.organization is None:
        return GitAccess(protocols=("file",))
    from repo_maintenance.hosts.token import find_token

    local = settings.github.is_loopback
    return GitAccess(protocols=("https", "http") if local else ("https",), password=find_token(environment))
