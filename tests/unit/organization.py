"""A small organisation in a folder, and whole runs of its backup without Snakemake."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from repo_maintenance.hosts.folder import FolderHost
from repo_maintenance.inventory import Resolution, resolve
from repo_maintenance.naming import REFS
from repo_maintenance.settings import load_settings
from repo_maintenance.stores.folder import FolderStore
from tests.servers import repositories
from tests.unit.making import age, back_up, listed


class Organization:
    """Repositories in a folder, and the folder that their backups go to."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.backups = Path("backups")
        self.store = FolderStore(self.backups)
        self.host = FolderHost(folder, "the small organisation")
        for name in names:
            repositories.make_repository(self.path(name), branches=("next",), tags=("v1",))
        age(folder, days=3)

    def path(self, name: str) -> Path:
        """Return where a repository stands."""
        return self.folder / f"{name}.git"

    def push(self, name: str) -> None:
        """Push a commit to a repository."""
        repositories.push_commit(self.path(name))

    def pushed_at(self, name: str) -> dt.datetime:
        """Return the time of a repository's last push."""
        return listed(self.folder)[name].pushed_at

    def config(self, *, force: bool = False, **backup: Any) -> dict[str, Any]:
        """Return the configuration that backs it up."""
        quick = {"git": {"attempts": 1, "wait_seconds": 0}, "lfs": False}
        places = {"folder": str(self.folder), "directory": str(self.backups)}
        return {"force": force, "backup": quick | places | backup}

    def resolve(self, *, today: dt.date | None = None, force: bool = False, **backup: Any) -> Resolution:
        """Find out what is due."""
        settings = load_settings(self.config(force=force, **backup), {})
        return resolve(settings, self.host, self.store, today=today or utc_today())

    def run(self, **options: Any) -> Resolution:
        """Back up what is due; returns what was found before."""
        resolution = self.resolve(**options)
        for decision in resolution.due:
            back_up(load_settings(self.config(), {}), self.store, decision.name)
        return resolution

    def stored(self) -> list[str]:
        """Return the keys of what is stored, without the noted refs."""
        return sorted(one.key for one in self.store.list_objects() if not one.key.startswith(REFS))


def utc_today() -> dt.date:
    """Return today's date as the library has it."""
    return dt.datetime.now(dt.UTC).date()


def due_names(resolution: Resolution) -> list[str]:
    """Return the names of the repositories that are due, sorted."""
    return sorted(decision.repository.name for decision in resolution.due)
