"""Promises of resolving: records and receipts on disk say what upstream and the store say."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import HostError, RepoMaintenanceError
from repo_maintenance.hosts import Repository
from repo_maintenance.inventory import recorded_size
from repo_maintenance.naming import BackupName
from repo_maintenance.records import read_json
from tests.servers import repositories
from tests.unit.making import files_below
from tests.unit.organization import Organization, due_names, utc_today

ALL = ["data_tools", "lecture-intro", "lecture-python"]
RESULTS = Path("results")


def contents(folder: Path) -> dict[str, tuple[bytes, float]]:
    """Return every file below a folder: its content and its time."""
    paths = [folder / name for name in files_below(folder)] if folder.is_dir() else []
    return {str(path): (path.read_bytes(), path.stat().st_mtime) for path in paths}


def receipts() -> set[str]:
    """Return the names of the receipts on disk."""
    return files_below(naming.RECEIPTS) if naming.RECEIPTS.is_dir() else set()


def receipt(name: str, date: dt.date | None = None) -> str:
    """Return the file name of a receipt, of today if not said otherwise."""
    return naming.receipt_path(BackupName(name, date or utc_today())).name


def test_everything_is_due_at_first(organization: Organization) -> None:
    """Each repository gets a record with the time of its last push, and is due; no receipt is there."""
    resolution = organization.resolve()

    assert (ALL, 3, set()) == (due_names(resolution), len(resolution.listed), receipts())
    assert {receipt(name) for name in ALL} == {path.name for path in resolution.targets()}
    for name in ALL:
        path = naming.record_path(name)
        record = read_json(path, Repository)
        assert record is not None
        assert organization.pushed_at(name) == record.pushed_at
        assert record.pushed_at.timestamp() == path.stat().st_mtime
        assert record.size_bytes == recorded_size(name)


def test_a_second_run_has_nothing_to_do(organization: Organization) -> None:
    """After a run nothing is due, and looking again changes no file that Snakemake compares."""
    organization.run()
    organization.resolve()
    before = contents(RESULTS)

    resolution = organization.resolve()

    assert ([], before) == (due_names(resolution), contents(RESULTS))
    assert {receipt(name) for name in ALL} == receipts()


def test_snakemake_is_asked_for_what_is_due_alone(organization: Organization) -> None:
    """Of three repositories one of which changed, one is asked for; of none, one that is there already."""
    organization.run()
    (kept,) = organization.resolve().pending()
    assert kept.name in receipts()
    organization.push("lecture-intro")

    resolution = organization.resolve()

    assert [receipt("lecture-intro")] == [path.name for path in resolution.pending()]
    assert {receipt(name) for name in ALL} == {path.name for path in resolution.targets()}


def test_a_receipt_has_the_time_of_the_push_it_holds(organization: Organization) -> None:
    """Record and receipt of what is up to date have the same time, so that none is newer."""
    organization.run()
    organization.resolve()

    for name in ALL:
        times = {path.stat().st_mtime for path in (naming.record_path(name), naming.RECEIPTS / receipt(name))}
        assert {organization.pushed_at(name).timestamp()} == times


def test_results_can_be_deleted(organization: Organization) -> None:
    """On a fresh machine nothing is due: the receipts are written from the store, the same as before."""
    organization.run()
    organization.resolve()
    before = contents(naming.RECEIPTS)
    shutil.rmtree(RESULTS)

    assert due_names(organization.resolve()) == []
    assert before == contents(naming.RECEIPTS)


def test_a_push_makes_exactly_that_one_due(organization: Organization) -> None:
    """A pushed repository is due, and its receipt is gone, so that Snakemake makes it; no other is."""
    organization.run()
    organization.push("lecture-intro")

    resolution = organization.resolve()

    assert due_names(resolution) == ["lecture-intro"]
    assert {receipt("data_tools"), receipt("lecture-python")} == receipts()
    assert organization.pushed_at("lecture-intro").timestamp() == (
        naming.record_path("lecture-intro").stat().st_mtime
    )


def test_a_deleted_object_comes_back(organization: Organization) -> None:
    """A backup that is gone from the store is due again, and only that, though its receipt was still here."""
    organization.run()
    [key] = [key for key in organization.stored() if key.startswith("data_tools/")]
    (organization.backups / key).unlink()

    assert due_names(organization.resolve()) == ["data_tools"]
    assert receipt("data_tools") not in receipts()
    organization.run()
    assert (key, []) == (organization.stored()[0], due_names(organization.resolve()))


def test_a_receipt_of_what_is_gone_is_deleted(organization: Organization) -> None:
    """On a later day, too, no receipt stays whose object is gone: a receipt says that a backup is stored."""
    organization.run()
    [key] = [key for key in organization.stored() if key.startswith("data_tools/")]
    (organization.backups / key).unlink()

    organization.resolve(today=utc_today() + dt.timedelta(days=1))

    assert receipts() == {receipt("lecture-intro"), receipt("lecture-python")}


def test_an_old_backup_is_made_anew_under_a_new_name(organization: Organization) -> None:
    """After `max_age_days` a repository is due once more, and its older backup and receipt stay."""
    organization.run()
    today = utc_today()

    due = organization.resolve(today=today + dt.timedelta(days=31))

    assert due_names(due) == ALL
    assert {today + dt.timedelta(days=31)} == {decision.date for decision in due.due}
    assert due_names(organization.resolve(today=today + dt.timedelta(days=30))) == []
    assert {receipt(name) for name in ALL} == receipts()


def test_everything_can_be_forced(organization: Organization) -> None:
    """`force` makes all due today, whatever is stored."""
    organization.run()
    resolution = organization.resolve(force=True)

    assert (ALL, set()) == (due_names(resolution), receipts())


def test_records_follow_the_selection(organization: Organization) -> None:
    """What is no longer selected, or gone upstream, loses its record and keeps its backups."""
    organization.run()
    before = organization.stored()
    shutil.rmtree(organization.path("lecture-python"))

    resolution = organization.resolve(patterns=["lecture-.*"])

    assert (due_names(resolution), sorted(files_below(naming.RECORDS))) == ([], ["lecture-intro.json"])
    assert before == organization.stored()


def test_other_files_in_the_store_are_none_of_our_business(organization: Organization) -> None:
    """Files that are not named as backups are neither counted nor touched."""
    organization.run()
    others = ["notes.txt", "data_tools/README", "data_tools/x-20240101.tar.gz", "lecture-20240101.tar.gz"]
    for name in others:
        (organization.backups / name).write_text("other")

    assert due_names(organization.resolve()) == []
    assert set(others) <= set(organization.stored())


def test_a_file_without_metadata_is_no_backup(organization: Organization) -> None:
    """A tarball put there by hand, or whose storing was cut off, does not count: a real one is made."""
    organization.run()
    for path in organization.backups.rglob("data_tools*.metadata.json"):
        path.unlink()
    shutil.rmtree(RESULTS)

    assert due_names(organization.resolve()) == ["data_tools"]
    organization.run()
    assert due_names(organization.resolve()) == []


def test_what_another_machine_stored_is_believed(organization: Organization) -> None:
    """Where another machine replaced a backup, its receipt here is read anew from the store."""
    organization.run()
    organization.resolve()
    here = contents(naming.RECEIPTS)
    organization.push("lecture-intro")
    organization.run()
    shutil.rmtree(naming.RECEIPTS)
    for path, (content, _time) in here.items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_bytes(content)

    assert due_names(organization.resolve()) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"version": 1}'])
def test_a_spoilt_receipt_is_written_anew(organization: Organization, content: bytes) -> None:
    """A receipt that is not whole is made from the store again."""
    organization.run()
    organization.resolve()
    before = contents(naming.RECEIPTS)
    (naming.RECEIPTS / receipt("data_tools")).write_bytes(content)

    assert due_names(organization.resolve()) == []
    assert before == contents(naming.RECEIPTS)


def test_names_that_contain_each_other_stay_apart(tmp_path: Path, workspace: Path) -> None:
    """Repositories called alike, also with a date at the end, or in other case, never share a backup."""
    _ = workspace
    names = ["a", "A", "a-20240101", "a-20240101.tar.gz", "a.b", "a_b", "a-b", ".github"]
    organization = Organization(tmp_path / "acme", *names)
    organization.run()
    assert due_names(organization.resolve()) == []

    organization.push("a")

    assert due_names(organization.resolve()) == ["a"]
    assert len(organization.stored()) == 8


def test_a_list_that_cannot_be_had_changes_nothing(organization: Organization) -> None:
    """Where upstream can't be listed, no record and no receipt is lost for it."""
    organization.run()
    before = contents(RESULTS)
    organization.folder.rename(organization.folder.with_name("away"))

    with pytest.raises(HostError):
        organization.resolve()

    assert before == contents(RESULTS)


def test_a_store_that_cannot_be_listed_changes_nothing(organization: Organization) -> None:
    """Where the store can't be read, it is not taken for an empty one."""
    organization.run()
    before = contents(RESULTS)
    organization.backups.rename("aside")
    organization.backups.write_text("not a folder")

    with pytest.raises((RepoMaintenanceError, OSError)):
        organization.resolve()

    assert before == contents(RESULTS)


def test_a_name_that_cannot_be_stored_is_refused(organization: Organization) -> None:
    """A folder's repository with a name that GitHub would not allow stops the run, unless it is left out."""
    repositories.make_repository(organization.folder / "with space.git")

    with pytest.raises(HostError, match="with space"):
        organization.resolve()

    assert not RESULTS.exists()
    assert due_names(organization.resolve(exclude=["with space"])) == ALL


def test_the_size_of_what_is_not_recorded_is_nothing(workspace: Path) -> None:
    """A rule that asks for the size of an unknown repository gets 0, not an error."""
    _ = workspace
    assert recorded_size("unknown") == 0
