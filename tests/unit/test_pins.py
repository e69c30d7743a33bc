"""Promises about rewritten history: it is seen with old and new ids, and the backup before is kept."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import shutil
import time
from pathlib import Path

import pytest

from repo_maintenance import naming, steps
from repo_maintenance.catalog import Catalog, read_catalog
from repo_maintenance.errors import JobFailedError, StoreError
from repo_maintenance.git import list_refs
from repo_maintenance.naming import BackupName
from repo_maintenance.pins import HistoryWatch, NotedRefs, Pin, note_refs, read_pins, read_refs, unpin
from repo_maintenance.prune import plan_prune, prune
from repo_maintenance.rewrites import find_rewrites
from repo_maintenance.settings import RetentionSettings, load_settings
from repo_maintenance.stores.folder import FolderStore
from tests.servers import repositories
from tests.unit.making import LOGS, description_path, step_mirror, step_upload, tarball_path
from tests.unit.organization import Organization, utc_today

REPO = "lecture-intro"
TODAY = utc_today()
YESTERDAY = TODAY - dt.timedelta(days=1)
BEFORE = BackupName(REPO, YESTERDAY)


def night(
    organization: Organization, date: dt.date, *, store: FolderStore | None = None, merged_too: bool = False
) -> None:
    """Back up what is due on a day, as the rules do."""
    resolution = organization.resolve(today=date)
    watch = HistoryWatch(lambda: store or organization.store, merged_too=merged_too)
    for decision in resolution.due:
        name = decision.name
        step_mirror(load_settings(organization.config(), {}), name.repo)
        steps.archive(
            naming.format_date(name.date),
            record=naming.record_path(name.repo),
            folder=naming.MIRRORS / name.repo,
            tarball=tarball_path(name),
            description=description_path(name),
            log=LOGS / "archive" / f"{name.repo}.log",
            watch=watch.compare,
        )
        step_upload(organization.store, name)


def pins(organization: Organization) -> list[Pin]:
    """Return what is pinned."""
    return read_pins(organization.store, read_catalog(organization.store.list_objects()))


def rewritten(organization: Organization) -> list[tuple[str, str, str | None]]:
    """Return what the pinned backups say was rewritten."""
    return [(one.ref, one.old, one.new) for pin in pins(organization) for one in pin.rewrites]


def refs(organization: Organization) -> dict[str, str]:
    """Return the refs upstream."""
    return repositories.refs(organization.path(REPO))


class BrokenStore(FolderStore):
    """A store from which no note can be read."""

    def read_note(self, key: str) -> bytes | None:
        """Fail."""
        raise StoreError(f"{key} can't be read")


class BrokenForNotes(FolderStore):
    """A store in which no note can be put."""

    def put_note(self, key: str, content: bytes) -> None:
        """Fail."""
        raise StoreError(f"{key} can't be written, {len(content)} bytes")


def test_a_forced_push_pins_the_backup_before(organization: Organization) -> None:
    """A branch that was forced to another history: old and new id are noted beside the old backup."""
    night(organization, YESTERDAY)
    old = refs(organization)["refs/heads/main"]
    repositories.force_push(organization.path(REPO))

    night(organization, TODAY)

    (pin,) = pins(organization)
    assert (REPO, YESTERDAY, TODAY, 1) == (pin.repository, pin.backup_date, pin.compared_with, pin.count)
    assert [("refs/heads/main", old, refs(organization)["refs/heads/main"])] == rewritten(organization)


def test_a_forced_push_never_costs_todays_backup(organization: Organization) -> None:
    """Where the backup before is of this very day, it is not replaced: the run fails; tomorrow's pins it."""
    night(organization, TODAY)
    old = refs(organization)["refs/heads/main"]
    stored = (organization.backups / naming.object_key(BackupName(REPO, TODAY))).read_bytes()
    repositories.force_push(organization.path(REPO))

    with pytest.raises(JobFailedError, match="history was rewritten since today's backup"):
        night(organization, TODAY)

    assert stored == (organization.backups / naming.object_key(BackupName(REPO, TODAY))).read_bytes()
    night(organization, TODAY + dt.timedelta(days=1))
    assert [("refs/heads/main", old, refs(organization)["refs/heads/main"])] == rewritten(organization)


def test_ordinary_work_replaces_todays_backup(organization: Organization) -> None:
    """A push on top of what today's backup holds is in its place afterwards, on a fresh machine, too."""
    night(organization, TODAY)
    organization.push(REPO)
    shutil.rmtree(naming.RESULTS)

    night(organization, TODAY)

    assert organization.resolve(today=TODAY).due == []
    assert pins(organization) == []


def test_a_branch_that_moved_backwards_is_seen(organization: Organization) -> None:
    """A branch that was reset to an earlier commit has lost the later ones."""
    night(organization, YESTERDAY)
    old = refs(organization)["refs/heads/main"]
    parent = repositories.git(organization.path(REPO), "rev-parse", "main~1").strip()
    repositories.git(organization.path(REPO), "update-ref", "refs/heads/main", parent)

    night(organization, TODAY)

    assert ("refs/heads/main", old, parent) in rewritten(organization)


def test_ordinary_work_pins_nothing(organization: Organization) -> None:
    """Pushed commits, new branches and tags, and moved heads of pull requests are no rewrite."""
    path = organization.path(REPO)
    repositories.git(path, "update-ref", "refs/pull/7/head", "main~1")
    night(organization, YESTERDAY)
    organization.push(REPO)
    for ref in ("refs/heads/further", "refs/tags/v2", "refs/pull/7/head", "refs/pull/8/head"):
        repositories.git(path, "update-ref", ref, "main~2")

    night(organization, TODAY)

    assert (2, []) == (_backups(organization), pins(organization))


def test_a_tag_that_moved_or_vanished_is_seen(organization: Organization) -> None:
    """Tags stand for what was published: whatever changes them is a rewrite."""
    path = organization.path(REPO)
    repositories.git(path, "update-ref", "refs/tags/v2", "main")
    night(organization, YESTERDAY)
    old = refs(organization)
    repositories.delete_ref(path, "refs/tags/v1")
    repositories.git(path, "update-ref", "refs/tags/v2", "main~1")
    organization.push(REPO)

    night(organization, TODAY)

    expected = [
        ("refs/tags/v1", old["refs/tags/v1"], None),
        ("refs/tags/v2", old["refs/tags/v2"], refs(organization)["refs/tags/v2"]),
    ]
    assert expected == rewritten(organization)


def test_a_branch_that_vanished_with_its_commits_is_seen(organization: Organization) -> None:
    """A deleted branch counts where some of its commits can't be reached any more."""
    path = organization.path(REPO)
    lost = repositories.push_commit(path, "next", "Never merged")
    night(organization, YESTERDAY)
    repositories.delete_ref(path, "refs/heads/next")
    organization.push(REPO)

    night(organization, TODAY)

    assert [("refs/heads/next", lost, None)] == rewritten(organization)


@pytest.mark.parametrize("merged_too", [False, True])
def test_a_merged_branch_may_go(organization: Organization, *, merged_too: bool) -> None:
    """A branch that was deleted once merged has lost nothing; it counts only where that is configured."""
    path = organization.path(REPO)
    repositories.git(path, "update-ref", "refs/heads/next", "main")
    night(organization, YESTERDAY)
    repositories.delete_ref(path, "refs/heads/next")
    organization.push(REPO)

    night(organization, TODAY, merged_too=merged_too)

    assert merged_too == bool(rewritten(organization))


def test_the_same_refs_are_not_compared(organization: Organization, caplog: pytest.LogCaptureFixture) -> None:
    """Where no ref changed, the store is not asked for the refs of the backup before."""
    night(organization, YESTERDAY)
    assert organization.resolve(today=TODAY, force=True).due != []

    night(organization, TODAY, store=BrokenStore(organization.backups))

    assert "not compared" not in caplog.text


def test_a_store_that_fails_costs_no_backup(
    organization: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the refs of the backup before can't be read, the backup is made, and a warning says so."""
    night(organization, YESTERDAY)
    repositories.force_push(organization.path(REPO))

    night(organization, TODAY, store=BrokenStore(organization.backups))

    assert f"not compared with the backup of {YESTERDAY}" in caplog.text
    assert 2 == _backups(organization)


def test_refs_that_can_t_be_noted_cost_no_backup(
    organization: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the refs can't be stored, a warning says what follows from that."""
    note_refs(BrokenForNotes(organization.backups), BEFORE, "id", {"refs/heads/main": "a" * 40})

    assert "the next backup is not compared with this" in caplog.text


def test_damaged_refs_are_as_good_as_none(organization: Organization) -> None:
    """A note of refs that is cut off or altered compares with nothing, and fails nothing."""
    night(organization, YESTERDAY)
    note = organization.backups / naming.refs_key(BEFORE)
    whole = note.read_bytes()
    for damaged in (whole[:-9], b"", b"no gzip", gzip.compress(b"{}"), gzip.compress(b'{"refs": 1}')):
        note.write_bytes(damaged)
        assert read_refs(organization.store, BEFORE) is None


def test_another_repository_of_the_same_name_is_not_compared(organization: Organization) -> None:
    """Where a repository was replaced by another of its name, that is a movement, and not a rewrite."""
    night(organization, YESTERDAY)
    content = NotedRefs(repository_id="another", refs={"refs/heads/main": "a" * 40}).model_dump_json()
    organization.store.put_note(naming.refs_key(BEFORE), gzip.compress(content.encode()))
    organization.push(REPO)

    night(organization, TODAY)

    assert [] == pins(organization)


def test_a_pin_that_can_t_be_read_pins_all_the_same(organization: Organization) -> None:
    """What keeps a backup is that there is a note: a person can put one there by hand."""
    night(organization, YESTERDAY)
    organization.store.put_note(naming.pin_key(BEFORE), b"I want this one")

    (pin,) = pins(organization)
    assert (REPO, YESTERDAY, 0) == (pin.repository, pin.backup_date, pin.count)


def test_a_pinned_backup_outlives_every_policy_until_it_is_unpinned(organization: Organization) -> None:
    """`prune` keeps it and says why; once unpinned it goes, and all notes about it with it."""
    for days in (3, 2):
        night(organization, TODAY - dt.timedelta(days=days))
        organization.push(REPO)
    night(organization, YESTERDAY)
    repositories.force_push(organization.path(REPO))
    night(organization, TODAY)
    policy = RetentionSettings(
        enabled=True, keep_last=1, daily_days=0, weekly_weeks=0, monthly_months=0, yearly_years=0
    )

    _prune(organization, policy)
    assert {YESTERDAY, TODAY} == _dates(organization)
    verdicts = plan_prune(_catalog(organization), [], policy, today=TODAY).judged
    reasons = [one.verdict.reason for one in verdicts if one.backup.name == BEFORE]
    assert [f"pinned: history was rewritten on {TODAY}"] == reasons

    assert ([BEFORE], {}) == unpin(organization.store, _catalog(organization), [REPO])
    _prune(organization, policy)
    assert {TODAY} == _dates(organization)
    left = [one.key for one in organization.store.list_objects() if naming.format_date(YESTERDAY) in one.key]
    assert [] == [key for key in left if REPO in key]


def test_only_what_is_asked_for_is_unpinned(organization: Organization) -> None:
    """Another repository's pinned backup stays pinned."""
    night(organization, YESTERDAY)
    organization.store.put_note(naming.pin_key(BEFORE), b"{}")

    assert ([], {}) == unpin(organization.store, _catalog(organization), ["data_tools", "lecture"])
    assert [REPO] == [one.repository for one in pins(organization)]


def test_ten_thousand_refs_are_compared_in_seconds(tmp_path: Path) -> None:
    """10,000 branches, 200 of them moved and 200 gone: the refs are noted in less than a megabyte."""
    path = repositories.make_repository(tmp_path / "many.git", commits=200)
    commits = repositories.git(path, "rev-list", "main").split()
    lines = [f"update refs/heads/b{number} {commits[number % 199 + 1]}\n" for number in range(10_000)]
    repositories.git(path, "update-ref", "--stdin", stdin="".join(lines).encode())
    old = list_refs(path)
    changes = [f"update refs/heads/b{number} {commits[number % 199]}\n" for number in range(100)]
    changes += [f"update refs/heads/b{number} {commits[199]}\n" for number in range(100, 198)]
    changes += [f"delete refs/heads/b{number}\n" for number in range(200, 400)]
    repositories.git(path, "update-ref", "--stdin", stdin="".join(changes).encode())
    store = FolderStore(tmp_path / "store")
    name = BackupName("many", YESTERDAY)
    note_refs(store, name, "id", old)
    noted = read_refs(store, name)
    assert noted is not None

    started = time.monotonic()
    found = find_rewrites(noted.refs, list_refs(path), path, merged_too=False)

    assert {f"refs/heads/b{number}" for number in range(100, 198)} == {one.ref for one in found}
    assert time.monotonic() - started < 10
    assert len(store.read_note(naming.refs_key(name)) or b"") < 1_000_000


def test_the_list_of_a_pin_is_bounded(organization: Organization) -> None:
    """Of a thousand rewritten refs a hundred are named, and all are counted."""
    path = organization.path(REPO)
    lines = [f"update refs/tags/t{number} main\n" for number in range(1000)]
    main = refs(organization)["refs/heads/main"]
    repositories.git(path, "update-ref", "--stdin", stdin="".join(lines).replace("main", main).encode())
    night(organization, YESTERDAY)
    deletions = "".join(f"delete refs/tags/t{number}\n" for number in range(1000))
    repositories.git(path, "update-ref", "--stdin", stdin=deletions.encode())
    organization.push(REPO)

    night(organization, TODAY)

    (pin,) = pins(organization)
    assert (1000, 100) == (pin.count, len(pin.rewrites))


def test_a_fresh_runner_compares_too(organization: Organization) -> None:
    """Where `results/` is gone, the store alone tells what there was."""
    night(organization, YESTERDAY)
    repositories.force_push(organization.path(REPO))
    shutil.rmtree(naming.RESULTS)

    night(organization, TODAY)

    assert [REPO] == [one.repository for one in pins(organization)]


def test_the_note_of_the_refs_is_small_and_plain(organization: Organization) -> None:
    """One small gzipped JSON a backup, without the refs of pull requests, which GitHub moves itself."""
    repositories.git(organization.path(REPO), "update-ref", "refs/pull/7/head", "main")
    night(organization, YESTERDAY)

    noted = json.loads(gzip.decompress(organization.store.read_note(naming.refs_key(BEFORE)) or b""))

    assert {"refs/heads/main", "refs/heads/next", "refs/tags/v1"} == set(noted["refs"])


def _catalog(organization: Organization) -> Catalog:
    return read_catalog(organization.store.list_objects())


def _prune(organization: Organization, policy: RetentionSettings) -> None:
    catalog = _catalog(organization)
    prune(organization.store, catalog, plan_prune(catalog, list(catalog.backups), policy, today=TODAY))


def _dates(organization: Organization) -> set[dt.date]:
    return {one.name.date for one in _catalog(organization).backups[REPO]}


def _backups(organization: Organization) -> int:
    return len(_catalog(organization).backups[REPO])
