"""Promises of the checks for branches, and for the backup."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.servers.repositories import git, make_empty
from tests.unit.health.making import LAST_WEEK, TODAY, commit, look, messages

OLD = LAST_WEEK - dt.timedelta(days=400)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return a repository with an old default branch, two old branches and a new one."""
    path = commit(tmp_path / "one.git", {"a": "x"}, moment=OLD)
    commit(path, {"b": "x"}, branch="old", moment=OLD)
    commit(path, {"b": "x"}, branch="release/1.0", moment=OLD + dt.timedelta(days=1))
    return commit(path, {"b": "x"}, branch="new")


def test_branches_that_nobody_touches_are_named(bare: Path) -> None:
    """The oldest first; the default branch is none of them, however old it is."""
    expected = ["2 branches without a commit for 180 days: old, release/1.0"]

    assert expected == messages(look(bare, "stale_branches"))


def test_how_old_is_old_and_what_must_stay_can_be_set(bare: Path) -> None:
    """The limit is in days; release branches, say, are left alone by `ignore`."""
    ignoring = {"ignore": ["release/.*"]}

    assert ["1 branch without a commit for 180 days: old"] == messages(
        look(bare, "stale_branches", settings=ignoring)
    )
    assert [] == look(bare, "stale_branches", settings={"limits": {"days": 500}}).findings


def test_a_date_that_no_calendar_has_is_survived(tmp_path: Path) -> None:
    """A commit may claim to be made in the year 200,000; its branch is not stale, and nothing breaks."""
    far = 6_248_372_515_200
    path = commit(tmp_path / "one.git", {"a": "x"})
    stream = f"commit refs/heads/far\ncommitter A <a@b> {far} +0000\ndata 1\n.\nM 100644 inline f\ndata 0\n\n"
    git(path, "fast-import", "--quiet", stdin=stream.encode())

    assert [] == look(path, "stale_branches").findings


@pytest.mark.parametrize(("is_protected", "expected"), [(True, []), (False, ["no rule guards main"])])
def test_an_unprotected_default_branch_is_found(bare: Path, is_protected: bool, expected: list[str]) -> None:
    """Whether a rule guards the branch is the host's word."""
    assert expected == messages(look(bare, "unprotected_branch", is_protected=is_protected))


def test_not_knowing_is_not_all_clear(bare: Path) -> None:
    """Where the token may not know, the check is said not to have been made, and why."""
    found = look(bare, "unprotected_branch", organization={"unprotected_unknown": "no token"})

    assert ([], ["no token"]) == (found.findings, [one.reason for one in found.unchecked])


def test_a_folder_has_no_rules(bare: Path) -> None:
    """What only a host can know is not asked of a mere folder."""
    found = look(bare, "unprotected_branch", organization={"host": ""})

    assert ([], [], []) == (found.checks, found.findings, found.unchecked)


@pytest.mark.parametrize(
    ("days", "expected"), [(None, ["never backed up"]), (41, ["newest backup 41 days old"]), (40, [])]
)
def test_a_missing_or_old_backup_is_found(tmp_path: Path, days: int | None, expected: list[str]) -> None:
    """Also of an empty and archived repository: its backup is what remains of it."""
    newest = None if days is None else TODAY - dt.timedelta(days=days)
    empty = make_empty(tmp_path / "one.git")

    found = look(empty, "no_backup", newest_backup=newest, repository={"archived": True})

    assert expected == messages(found)
