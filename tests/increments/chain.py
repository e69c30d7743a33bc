"""A repository that is backed up on many days, and put back: what the tests of increments share."""

from __future__ import annotations

import datetime as dt
import json
import tarfile
from pathlib import Path
from typing import Any

from repo_maintenance import naming
from repo_maintenance.catalog import Catalog, read_catalog
from repo_maintenance.inventory import Resolution
from repo_maintenance.naming import BackupName
from repo_maintenance.settings import load_settings
from repo_maintenance.unpacking import Unpacked, unpack_backup
from tests.servers import repositories
from tests.unit.making import age, back_up
from tests.unit.organization import Organization, utc_today

REPO = "lecture"
SIZE_BYTES = 200_000
MADE: dict[str, Any] = {"size_bytes": SIZE_BYTES, "tags": ("v1",)}
INCREMENTAL = {"full_every": 26}
# What is upstream at a moment: HEAD, and full ref name → object id.
State = tuple[str, dict[str, str]]


class Chain:
    """One repository in a folder, and a store that its backups of many days go to."""

    def __init__(self, folder: Path, **made: Any) -> None:
        folder.mkdir()
        organization = Organization(folder)
        path = organization.path(REPO)
        self.take(organization, repositories.make_repository(path, **{**MADE, **made}))

    @classmethod
    def of(cls, organization: Organization, path: Path) -> Chain:
        """Return a chain of a repository that there is already."""
        chain = cls.__new__(cls)
        chain.take(organization, path)
        return chain

    def take(self, organization: Organization, path: Path) -> None:
        """Begin with nothing backed up."""
        self.organization = organization
        self.path = path
        self.store = organization.store
        self.first_day = utc_today() - dt.timedelta(weeks=60)
        self.seen: dict[dt.date, State] = {}
        age(organization.folder)

    def day(self, week: int) -> dt.date:
        """Return the day of a week's backup."""
        return self.first_day + dt.timedelta(weeks=week)

    def name(self, week: int) -> BackupName:
        """Return what names the backup of a week."""
        return BackupName(REPO, self.day(week))

    def back_up(self, week: int, **options: Any) -> Resolution:
        """Back up what is due, on the day of a week; returns what was found before."""
        options = {"incremental": INCREMENTAL, **options}
        found = self.organization.resolve(today=self.day(week), **options)
        force = options.pop("force", False)
        settings = load_settings(self.organization.config(force=force, **options), {})
        for decision in found.due:
            back_up(settings, self.store, decision.name)
        self.seen[self.day(week)] = self.upstream()
        age(self.organization.folder)  # what is pushed next is of another time
        return found

    def upstream(self) -> State:
        """Return what is upstream now."""
        return state(self.path)

    def push_and_back_up(self, week: int, **options: Any) -> Resolution:
        """Push a commit, then back up."""
        self.organization.push(REPO)
        return self.back_up(week, **options)

    def catalog(self) -> Catalog:
        """Return what the store holds."""
        return read_catalog(self.store.list_objects())

    def kind(self, week: int, **options: Any) -> str:
        """Return what the preview of a week says of the kind of backup that is due."""
        options = {"incremental": INCREMENTAL, **options}
        (decision,) = self.organization.resolve(today=self.day(week), **options).decisions
        return decision.kind

    def manifest(self, week: int) -> dict[str, Any]:
        """Return the manifest of the tarball of a week."""
        with tarfile.open(self.tarball(week)) as tar:
            stream = tar.extractfile("manifest.json")
            assert stream is not None
            read: dict[str, Any] = json.load(stream)
            return read

    def tarball(self, week: int) -> Path:
        """Return where the tarball of a week is stored."""
        return self.organization.backups / naming.object_key(self.name(week))

    def bases(self) -> list[int | None]:
        """Return of each stored backup the week of its base, by its manifest; None of a full one."""
        weeks = [self._week(backup.name.date) for backup in self.catalog()]
        bases = [self.manifest(week)["base"] for week in weeks]
        return [self._week(dt.date.fromisoformat(one["backup_date"])) if one else None for one in bases]

    def _week(self, date: dt.date) -> int:
        return (date - self.first_day).days // 7

    def restore(self, week: int, scratch: Path) -> Unpacked:
        """Bring the backup of a week back, and see that it is what was upstream on that day."""
        scratch.mkdir(parents=True)
        found = unpack_backup(self.store, self.name(week), scratch)
        assert self.seen[self.day(week)] == state(found.folder / f"{REPO}.git")
        return found


def state(git_dir: Path) -> State:
    """Return what a repository is: HEAD, and every ref."""
    return (git_dir / "HEAD").read_text().strip(), repositories.refs(git_dir)
