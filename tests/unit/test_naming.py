"""Promises of the names: every path, key and date is read back as what it was made from."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repo_maintenance import naming
from repo_maintenance.naming import BackupName, BaseName, ProofName
from tests.unit.strategies import backup_names, dates, moments, repository_names


@given(dates)
def test_a_date_is_read_back(date: dt.date) -> None:
    """A date is eight digits, and they give the same date again."""
    assert (8, date) == (len(naming.format_date(date)), naming.parse_date(naming.format_date(date)))


@given(backup_names)
@example(BackupName("lecture-20240101", dt.date(2024, 5, 6)))
@example(BackupName("x.tar.gz", dt.date(2024, 5, 6)))
@example(BackupName(".github", dt.date(2024, 5, 6)))
@example(BackupName("-", dt.date(2024, 5, 6)))
def test_a_backup_s_name_is_read_back(name: BackupName) -> None:
    """Tarball, receipt and object key each say which repository and day they belong to."""
    assert name == naming.parse_tarball_name(naming.tarball_name(name))
    assert name == naming.parse_receipt_name(naming.receipt_path(name).name)
    assert name == naming.parse_object_key(naming.object_key(name))
    assert name == naming.parse_pin_key(naming.pin_key(name))
    assert name == naming.parse_refs_key(naming.refs_key(name))


@given(backup_names, dates, st.booleans())
@example(BackupName("a-20240506.proof-20240507.bad", dt.date(2024, 5, 6)), dt.date(2024, 5, 7), True)
def test_a_proof_s_name_is_read_back(name: BackupName, proven_on: dt.date, is_good: bool) -> None:
    """A listing alone says which backup was tried, when, and how that ended; a proof is nothing else."""
    proof = ProofName(name, proven_on, is_good)
    key = naming.proof_key(proof)
    assert proof == naming.parse_proof_key(key)
    assert (None, None, None) == (
        naming.parse_object_key(key),
        naming.parse_pin_key(key),
        naming.parse_refs_key(key),
    )


@given(st.sampled_from(["backup", "upkeep"]), moments, st.from_regex(r"[0-9a-f]{8}", fullmatch=True))
def test_a_run_s_record_is_known_by_its_key(kind: str, moment: dt.datetime, run: str) -> None:
    """What is written to the history is found there again, and is no backup."""
    key = naming.history_key(kind, moment, run)
    assert naming.is_history_key(key)
    assert naming.parse_object_key(key) is None


@given(backup_names)
@example(BackupName(".refs", dt.date(2024, 5, 6)))
@example(BackupName(".history", dt.date(2024, 5, 6)))
@example(BackupName("a-20240506.pinned", dt.date(2024, 5, 6)))
def test_notes_are_taken_for_nothing_else(name: BackupName) -> None:
    """The notes about a backup are no backups, and each is of one kind only."""
    parsers = (
        naming.parse_object_key,
        naming.parse_proof_key,
        naming.parse_pin_key,
        naming.parse_refs_key,
        naming.parse_base_key,
        lambda key: naming.is_history_key(key) or None,
    )
    based = naming.base_key(BaseName(name, name.date))
    for key in (naming.pin_key(name), naming.refs_key(name), based, naming.TOLD_ALERTS):
        found = [parse(key) for parse in parsers]
        assert (key != naming.TOLD_ALERTS) == sum(one is not None for one in found)
    assert naming.parse_object_key(naming.pin_key(name)) is None
    assert naming.parse_object_key(naming.refs_key(name)) is None


def test_names_are_as_documented() -> None:
    """Scripts of others may rely on these: the key, the tarball, the receipt, the record."""
    name = BackupName("lecture-python", dt.date(2024, 5, 6))

    assert naming.tarball_name(name) == "lecture-python-20240506.tar.gz"
    assert naming.object_key(name) == "lecture-python/lecture-python-20240506.tar.gz"
    assert str(naming.receipt_path(name)) == "results/uploaded/lecture-python-20240506.tar.gz.uploaded"
    assert str(naming.record_path("lecture-python")) == "results/repositories/lecture-python.json"


def test_notes_stand_where_they_are_looked_for() -> None:
    """What is noted of a repository, of a backup and of its proof has one documented place each."""
    name = BackupName("lecture-python", dt.date(2024, 5, 6))
    good = ProofName(name, dt.date(2024, 5, 7), is_good=True)
    bad = good._replace(is_good=False)
    moment = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)

    based = BaseName(name, dt.date(2024, 5, 1))
    assert naming.base_key(based) == "lecture-python/lecture-python-20240506.base-20240501.json"
    assert str(naming.base_path("lecture-python")) == "results/bases/lecture-python.json"
    assert naming.pin_key(name) == "lecture-python/lecture-python-20240506.pinned.json"
    assert naming.refs_key(name) == ".refs/lecture-python-20240506.json.gz"
    assert naming.proof_key(good) == "lecture-python/lecture-python-20240506.proof-20240507.good.json"
    assert naming.proof_key(bad) == "lecture-python/lecture-python-20240506.proof-20240507.bad.json"
    assert naming.history_key("backup", moment, "0a1b2c3d") == ".history/backup-20240506T070809-0a1b2c3d.json"
    assert str(naming.proof_path(good)) == "results/proofs/lecture-python-20240506.proof-20240507.good.json"
    assert str(naming.replaced_path(name)) == "results/replaced/lecture-python-20240506.tar.gz.uploaded"
    assert str(naming.pushed_path(name)) == "results/pushed/lecture-python-20240506.json"
    assert str(naming.restored_path(name)) == "results/restore/lecture-python-20240506.json"
    assert str(naming.verified_path(name)) == "results/verified/lecture-python-20240506.json"
    assert str(naming.health_path("lecture-python")) == "results/health/lecture-python.json"
    assert str(naming.health_facts_path("lecture-python")) == "results/health/facts/lecture-python.json"


@given(st.text() | st.from_regex(r"[a-z./\n]{0,6}-?\d{7,9}\.tar\.gz(\.uploaded)?\n?", fullmatch=True))
@example("a-20240230.tar.gz")
@example("a-00000000.tar.gz")
@example("..-20240101.tar.gz")
@example("a-20240101.tar.gz\n")
@example("a-\u0662\u0660\u0662\u06640101.tar.gz")
def test_no_other_text_names_a_tarball(text: str) -> None:
    """Text is read as a backup's name only where exactly that name would be written for it."""
    name = naming.parse_tarball_name(text)
    assert name is None or text == naming.tarball_name(name)


@pytest.mark.parametrize(
    "key",
    [
        "a-20240101.tar.gz",
        "b/a-20240101.tar.gz",
        "x/a/a-20240101.tar.gz",
        "a/x/a-20240101.tar.gz",
        "/a-20240101.tar.gz",
        "a/a-20240101.tar.gz.metadata.json",
        "a/a-20240101.tar",
        "../..-20240101.tar.gz",
        "",
    ],
)
def test_other_objects_are_left_alone(key: str) -> None:
    """A key that is not exactly `{repo}/{repo}-{date}.tar.gz` is none of our backups."""
    assert naming.parse_object_key(key) is None


@pytest.mark.parametrize("folder", ["", "b/", "/", "x/a/", "a/x/"])
@pytest.mark.parametrize("ending", [".pinned.json", ".proof-20240102.good.json", ".base-20231231.json"])
def test_a_note_in_another_s_folder_is_not_believed(folder: str, ending: str) -> None:
    """A note pins or proves a backup only from that repository's own folder."""
    key = f"{folder}a-20240101{ending}"
    assert [None] * 3 == [naming.parse_pin_key(key), naming.parse_proof_key(key), naming.parse_base_key(key)]


@pytest.mark.parametrize(
    "key",
    [
        "../..-20240101.proof-20240102.good.json",
        "../..-20240101.pinned.json",
        "a/a-20240230.proof-20240301.good.json",
        "a/a-20240101.proof-20240230.good.json",
        "a/a-20240101.proof-20240102.fair.json",
        "a/a-20240101.proof-20240102.GOOD.json",
        "a/a-20240230.pinned.json",
        "a/a-20240101.pinned.json\n",
        "../..-20240101.base-20231231.json",
        "a/a-20240230.base-20231231.json",
        "a/a-20240301.base-20240230.json",
        "a/a-20240301.base-.json",
    ],
)
def test_no_other_text_is_a_note(key: str) -> None:
    """A folder that is no repository's, a day that no calendar has, and an unknown verdict say nothing."""
    assert [None] * 3 == [naming.parse_pin_key(key), naming.parse_proof_key(key), naming.parse_base_key(key)]


@given(backup_names, dates)
def test_what_names_a_base_is_read_back(name: BackupName, base: dt.date) -> None:
    """The key alone says what stands on what."""
    note = BaseName(name, base)
    assert note == naming.parse_base_key(naming.base_key(note))


@given(backup_names)
def test_a_tarball_is_no_receipt(name: BackupName) -> None:
    """That a backup is made does not say that it is stored."""
    assert naming.parse_receipt_name(naming.tarball_name(name)) is None


@given(repository_names)
def test_repositories_stay_apart(repo: str) -> None:
    """What is kept for one repository never stands outside of its folder, nor at another's place."""
    other = f"{repo[:90]}_"
    assert naming.record_path(repo).parent == naming.RECORDS
    assert naming.failure_path(repo).parent == naming.FAILURES
    assert naming.record_path(repo) != naming.record_path(other)
    assert naming.failure_path(repo) != naming.failure_path(other)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a b", "ä", "a\n", "a" * 101, "a\\b", "{x}", "a*", "../a", "a:b", "~"]
)
def test_unusable_names_are_known(name: str) -> None:
    """A name that GitHub would not give, and that could leave its folder, is told from a usable one."""
    assert not naming.is_repository_name(name)


@pytest.mark.parametrize("name", ["a", ".github", "A.b_c-d", "a" * 100, "...", "-rf", "x.git", "20240101"])
def test_usable_names_are_known(name: str) -> None:
    """Every name that GitHub allows can be backed up."""
    assert naming.is_repository_name(name)
