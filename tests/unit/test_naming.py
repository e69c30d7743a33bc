"""Promises of the names: every path, key and date is read back as what it was made from."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repo_maintenance import naming
from repo_maintenance.naming import BackupName
from tests.unit.strategies import backup_names, dates, repository_names


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
        lambda key: naming.is_history_key(key) or None,
    )
    for key in (naming.pin_key(name), naming.refs_key(name), naming.TOLD_ALERTS):
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
