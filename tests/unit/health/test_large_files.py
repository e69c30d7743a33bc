"""Promises of the check for large files in the history."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.repositories import git
from tests.unit.health.making import commit, look, messages

ONE_MB = {"limits": {"max_mb": 1}}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return a repository with a large file, one that was deleted, one on a branch, and a small one."""
    path = commit(tmp_path / "one.git", {"data/kept.bin": b"k" * 1_500_000, "small.txt": "x\n"})
    commit(path, {"gone.bin": b"g" * 3_000_000})
    commit(path, {"gone.bin": None})
    commit(path, {"exactly.bin": b"e" * 1_000_000})
    return commit(path, {"branch.bin": b"b" * 1_200_000}, branch="topic")


def test_each_large_file_is_named(bare: Path) -> None:
    """The largest first, wherever in the history; a file of just the limit is none."""
    assert [
        "gone.bin: 3 MB, in the history only",
        "data/kept.bin: 1.5 MB",
        "branch.bin: 1.2 MB, in the history only",
    ] == messages(look(bare, "large_files", settings=ONE_MB))


def test_the_usual_limit_is_fifty_mb(bare: Path) -> None:
    """Where nothing else is set, files of a few MB are nothing to speak of."""
    assert [] == look(bare, "large_files").findings


def test_only_so_many_are_named(bare: Path) -> None:
    """A repository full of data fills no report; the rest is counted."""
    found = look(bare, "large_files", settings={"limits": {"max_mb": 1, "most": 1}})

    assert ["gone.bin: 3 MB, in the history only", "2 more large files"] == messages(found)


def test_what_must_stay_can_be_left_alone(bare: Path) -> None:
    """Paths that `ignore` names are no finding; the others still are."""
    found = look(bare, "large_files", settings={**ONE_MB, "ignore": [".*gone.*", "data/.*"]})

    assert ["branch.bin"] == [finding.subject for finding in found.findings]


def test_archived_repositories_are_looked_at(bare: Path) -> None:
    """Every clone of an archived repository pays for its large files, too."""
    assert 3 == len(look(bare, "large_files", settings=ONE_MB, repository={"archived": True}).findings)


def test_what_no_branch_or_tag_reaches_is_no_finding(tmp_path: Path) -> None:
    """What others have proposed in pull requests is not the repository's own."""
    path = commit(tmp_path / "one.git", {"a.txt": "x\n"})
    commit(path, {"theirs.bin": b"t" * 2_000_000}, branch="theirs")
    git(path, "update-ref", "refs/pull/1/head", "refs/heads/theirs")
    git(path, "update-ref", "-d", "refs/heads/theirs")

    assert [] == look(path, "large_files", settings=ONE_MB).findings
