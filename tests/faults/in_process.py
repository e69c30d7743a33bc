"""Backs up the fake GitHub's organisation in process, step by step as the rules do, without Snakemake."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repo_maintenance import naming
from repo_maintenance.errors import JobFailedError
from repo_maintenance.hosts import GitAccess
from repo_maintenance.hosts.github import GitHubHost
from repo_maintenance.inventory import Resolution, resolve
from repo_maintenance.manifest import Manifest
from repo_maintenance.mirror import MirrorContents, mirror_repository
from repo_maintenance.settings import GitHubSettings, Settings
from repo_maintenance.stores import Store
from repo_maintenance.stores.folder import FolderStore
from repo_maintenance.summary import RepositoryResult, Summary, render_summary, summarize
from tests.conftest import TOKEN
from tests.servers.github import FakeGitHub
from tests.unit.making import back_up, settings_with, unpack

ORGANIZATION = "acme"
# Waits that are not what a test is about are none, and a stall is noticed soon.
FAST = {"attempts": 3, "wait_seconds": 0, "stall_seconds": 2}
STORED = Path("stored")


def connect(
    github: FakeGitHub,
    environment: Mapping[str, str] | None = None,
    *,
    owner: str = ORGANIZATION,
    max_wait: int = 900,
) -> GitHubHost:
    """Return the organisation's host, by default with the token; its listings are kept in ``results/``."""
    settings = GitHubSettings(api_url=github.api_url, max_wait=max_wait)
    found = {"GITHUB_TOKEN": TOKEN} if environment is None else environment
    return GitHubHost.connect(owner, settings, found, naming.LISTINGS)


def names(host: GitHubHost) -> list[str]:
    """Return the names that a host lists."""
    return [repository.name for repository in host.list_repositories()]


def settings_for(github: FakeGitHub, **backup: Any) -> Settings:
    """Return settings that back the organisation up, fast where something fails."""
    usual = {"organization": ORGANIZATION, "github": {"api_url": github.api_url}, "git": FAST}
    return settings_with(**(usual | backup))


def mirror(github: FakeGitHub, name: str, folder: Path, /, **backup: Any) -> MirrorContents:
    """List the organisation and mirror one of its repositories into ``folder``."""
    settings = settings_for(github, **backup).backup
    host = connect(github)
    listed = {one.name: one for one in host.list_repositories()}

    def access() -> GitAccess:
        return replace(host.git_access(), stall_seconds=settings.git.stall_seconds)

    return mirror_repository(listed[name], folder, settings, access)


@dataclass
class Backups:
    """The organisation's backups: a run lists, backs up what is due, and sums up, in the current folder."""

    github: FakeGitHub
    settings: Settings
    store: Store

    def resolve(self, *, days_ago: int = 0) -> Resolution:
        """List the organisation and the store, and decide what is due."""
        today = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days_ago)
        return resolve(self.settings, connect(self.github), self.store, today=today)

    def run(self, *, days_ago: int = 0) -> Summary:
        """Back up what is due, and return the summary."""
        started_at = dt.datetime.now(dt.UTC)
        shutil.rmtree(naming.FAILURES, ignore_errors=True)
        resolution = self.resolve(days_ago=days_ago)
        for decision in resolution.due:
            with suppress(JobFailedError):
                back_up(self.settings, self.store, decision.name)
        return summarize(resolution, started_at=started_at, now=dt.datetime.now(dt.UTC))

    def restore(self, name: str, target: Path) -> Path:
        """Unpack the one backup of a repository with ``tar``; returns ``target``."""
        (tarball,) = (STORED / name).glob("*.tar.gz")
        return unpack(tarball, target)


def folder_backups(github: FakeGitHub, **backup: Any) -> Backups:
    """Return backups into the folder ``stored``."""
    return Backups(github, settings_for(github, **backup), FolderStore(STORED))


def result_of(summary: Summary, name: str) -> RepositoryResult:
    """Return what a summary says of a repository."""
    (found,) = [result for result in summary.repositories if result.repository == name]
    return found


def lines_about(summary: Summary, name: str) -> list[str]:
    """Return the lines of the screen's summary that name a repository."""
    return [line for line in render_summary(summary).splitlines() if name in line]


def read_manifest(restored: Path) -> Manifest:
    """Return the manifest that stood in a tarball."""
    return Manifest.model_validate_json((restored / naming.MANIFEST).read_bytes())
