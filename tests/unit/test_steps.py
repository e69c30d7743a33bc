"""Promises of the steps: a backup is whole, checked and described, or it failed with a reason."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import JobFailedError
from repo_maintenance.naming import BackupName
from repo_maintenance.records import Failure, Receipt, read_json, receipt_of
from repo_maintenance.settings import load_settings
from tests.servers import repositories
from tests.unit.making import (
    LOGS,
    back_up,
    digests_of,
    files_below,
    run,
    step_archive,
    step_mirror,
    step_upload,
    tarball_path,
    unpack,
)
from tests.unit.organization import Organization, utc_today

REPO = "lecture-intro"
NEEDED = {
    *("repository", "repository_id", "backup_date", "default_branch", "size_bytes", "pushed_at"),
    *("sha256", "md5", "refs_digest"),
}


@pytest.fixture
def name(organization: Organization) -> BackupName:
    """Return the name of a due backup, whose record is written."""
    organization.resolve()
    return BackupName(REPO, utc_today())


def take(organization: Organization, name: BackupName) -> None:
    """Run the three steps."""
    back_up(load_settings(organization.config(), {}), organization.store, name)


def failure() -> Failure:
    """Return the failure that was noted."""
    found = read_json(naming.failure_path(REPO), Failure)
    assert found is not None
    return found


def refs_in(tarball: Path, target: Path) -> dict[str, str]:
    """Return the refs in a tarball, read with tar and git."""
    return repositories.refs(unpack(tarball, target) / f"{REPO}.git")


def manifest_in(tarball: Path) -> dict[str, Any]:
    """Return the manifest of a tarball."""
    read: dict[str, Any] = json.loads(run("tar", "-xzOf", str(tarball), "manifest.json"))
    return read


def test_a_backup_is_exactly_upstream(organization: Organization, name: BackupName, tmp_path: Path) -> None:
    """Read back with tar and git alone, the stored tarball has exactly upstream's refs."""
    take(organization, name)

    stored = organization.backups / naming.object_key(name)
    assert repositories.refs(organization.path(REPO)) == refs_in(stored, tmp_path / "out")
    assert repositories.git(tmp_path / "out" / f"{REPO}.git", "fsck", "--strict") == ""


def test_the_manifest_says_what_is_in_it(organization: Organization, name: BackupName) -> None:
    """Refs, their digest, the default branch, the push and the day stand in the manifest."""
    take(organization, name)

    manifest = manifest_in(organization.backups / naming.object_key(name))

    receipt = read_json(naming.receipt_path(name), Receipt)
    assert receipt is not None
    assert (repositories.refs(organization.path(REPO)), receipt.refs_digest) == (
        *(manifest["refs"], manifest["refs_digest"]),
    )
    assert ("acme/lecture-intro", "main", name.date.isoformat(), "ref: refs/heads/main") == (
        *(manifest["repository"], manifest["default_branch"], manifest["backup_date"], manifest["head"]),
    )
    assert organization.pushed_at(REPO) == dt.datetime.fromisoformat(manifest["pushed_at"])


def test_the_object_says_what_it_is(organization: Organization, name: BackupName) -> None:
    """The store alone tells repository, day, push and digests; the receipt says the same."""
    take(organization, name)

    found = organization.store.find(naming.object_key(name))
    assert found is not None
    assert set(found.metadata) >= NEEDED
    content = (organization.backups / found.key).read_bytes()
    digests = digests_of(content)
    assert (str(digests.size), digests.sha256, digests.md5) == (
        *(found.metadata["size_bytes"], found.metadata["sha256"], found.metadata["md5"]),
    )
    assert receipt_of(found) == read_json(naming.receipt_path(name), Receipt)


def test_an_empty_repository_is_backed_up(organization: Organization, tmp_path: Path) -> None:
    """A repository without a commit is stored like any other, and is up to date afterwards."""
    repositories.make_empty(organization.path("empty"))
    organization.run()

    [key] = [key for key in organization.stored() if key.startswith("empty/")]
    found = unpack(organization.backups / key, tmp_path / "out")
    assert repositories.refs(found / "empty.git") == {}
    assert organization.resolve().due == []


def test_a_repository_without_a_default_branch_is_backed_up(organization: Organization) -> None:
    """Where HEAD names no branch, the backup is made, and is up to date afterwards."""
    path = organization.path(REPO)
    (path / "HEAD").write_text(repositories.refs(path)["refs/heads/main"] + "\n")
    organization.run()

    assert organization.resolve().due == []


def test_damage_upstream_fails_with_a_clear_line(organization: Organization, name: BackupName) -> None:
    """A missing object upstream fails the mirror: one line says so with a remedy, and nothing is left."""
    repositories.corrupt(organization.path(REPO))

    with pytest.raises(JobFailedError) as failed:
        take(organization, name)

    assert len(str(failed.value).splitlines()) == 1
    assert str(failed.value).startswith(f"{REPO}: mirror failed: ")
    noted = failure()
    assert (noted.repository, noted.step, noted.transient) == (REPO, "mirror", False)
    assert ("git fsck" in (noted.hint or ""), noted.message in str(failed.value)) == (True, True)
    assert Path(noted.log).is_file()
    assert (organization.stored(), naming.receipt_path(name).exists()) == ([], False)
    assert [path for path in naming.MIRRORS.rglob("*") if path.is_file()] == []


def test_a_success_takes_back_the_failure(organization: Organization, name: BackupName) -> None:
    """Once a repository is backed up, no failure of an earlier attempt is told any more."""
    aside = organization.path(REPO).rename(organization.folder / "aside")
    with pytest.raises(JobFailedError):
        take(organization, name)
    aside.rename(organization.path(REPO))

    take(organization, name)

    assert not naming.failure_path(REPO).exists()


def test_a_changed_tarball_is_not_stored(organization: Organization, name: BackupName) -> None:
    """A tarball that changed between its writing and its upload is refused, and there is no receipt."""
    step_mirror(load_settings(organization.config(), {}), REPO)
    step_archive(name)
    content = bytearray(tarball_path(name).read_bytes())
    content[len(content) // 2] ^= 1
    tarball_path(name).write_bytes(content)

    with pytest.raises(JobFailedError, match="upload failed"):
        step_upload(organization.store, name)

    assert (
        organization.stored(),
        naming.receipt_path(name).exists(),
        failure().step,
    ) == ([], False, "upload")


def test_what_the_step_before_did_not_finish_is_not_used(
    organization: Organization, name: BackupName
) -> None:
    """Without a whole record, mirror or description the next step fails and stores nothing."""
    settings = load_settings(organization.config(), {})
    with pytest.raises(JobFailedError):
        step_archive(name)
    step_mirror(settings, REPO)
    step_archive(name)
    for path in naming.ARCHIVES.glob("*.json"):
        path.write_text('{"digests":')
    with pytest.raises(JobFailedError):
        step_upload(organization.store, name)
    naming.record_path(REPO).write_text("{")
    with pytest.raises(JobFailedError):
        step_mirror(settings, REPO)

    assert organization.stored() == []


def test_a_later_push_of_the_day_replaces_its_backup(
    organization: Organization, name: BackupName, tmp_path: Path
) -> None:
    """Pushed to twice a day, a repository has one backup of that day, which holds the later push."""
    take(organization, name)
    organization.push(REPO)
    organization.resolve()
    take(organization, name)

    stored = organization.backups / naming.object_key(name)
    assert [naming.object_key(name)] == organization.stored()
    assert repositories.refs(organization.path(REPO)) == refs_in(stored, tmp_path / "out")


def test_a_backup_of_an_earlier_day_is_never_replaced(organization: Organization, name: BackupName) -> None:
    """A run that began before midnight does not put new content under yesterday's name."""
    yesterday = BackupName(REPO, name.date - dt.timedelta(days=1))
    take(organization, yesterday)
    before = {path: (organization.backups / path).read_bytes() for path in files_below(organization.backups)}
    organization.push(REPO)
    organization.resolve()

    with pytest.raises(JobFailedError, match="upload failed"):
        take(organization, yesterday)

    assert before == {path: (organization.backups / path).read_bytes() for path in before}


def test_a_log_tells_what_was_done(organization: Organization, name: BackupName) -> None:
    """Each step leaves a log in its own file, also where it failed."""
    take(organization, name)
    assert {f"{step}/{REPO}.log" for step in ("mirror", "archive", "upload")} == files_below(LOGS)
