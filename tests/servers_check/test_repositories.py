"""Checks the bare repositories that tests are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import repositories
from tests.servers_check.conftest import Git


def test_same_seed_makes_the_same_objects(tmp_path: Path) -> None:
    """A repository's object ids depend on its seed alone, so that tests may state them."""
    first = repositories.make_repository(tmp_path / "a.git", tags=("v1",), branches=("next",), seed="s")
    second = repositories.make_repository(tmp_path / "b.git", tags=("v1",), branches=("next",), seed="s")

    assert repositories.refs(first) == repositories.refs(second)


def test_refs_are_those_asked_for(tmp_path: Path) -> None:
    """Branches, annotated tags and other refs are made as named, and git finds no fault in any object."""
    path = repositories.make_repository(
        tmp_path / "a.git",
        branches=("feature/x",),
        tags=("v1",),
        extra_refs=("refs/pull/1/head",),
        size_bytes=100_000,
    )

    expected = {"refs/heads/main", "refs/heads/feature/x", "refs/tags/v1", "refs/pull/1/head"}
    assert expected == set(repositories.refs(path))
    assert repositories.git(path, "fsck", "--strict") == ""
    assert 100_000 < repositories.disk_bytes(path) < 120_000


def test_pushes_move_one_branch(tmp_path: Path) -> None:
    """A push adds to a branch, a forced one replaces its history, and other refs stay."""
    path = repositories.make_repository(tmp_path / "a.git", tags=("v1",))
    before = repositories.refs(path)
    pushed = repositories.push_commit(path)

    assert before["refs/heads/main"] == repositories.git(path, "rev-parse", f"{pushed}^").strip()
    forced = repositories.force_push(path)
    assert before | {"refs/heads/main": forced} == repositories.refs(path)
    assert repositories.git(path, "rev-list", "--count", "main").strip() == "1"


def test_an_empty_repository_can_be_cloned_and_pushed_to(tmp_path: Path, git: Git) -> None:
    """A repository without a commit is one for git, and its first commit can be added."""
    path = repositories.make_empty(tmp_path / "a.git", "trunk")

    assert git("clone", "--mirror", str(path), "copy.git").returncode == 0
    assert repositories.refs(path) == {}
    assert {"refs/heads/trunk": repositories.push_commit(path, "trunk")} == repositories.refs(path)


@pytest.mark.parametrize("branches", [(), ("a", "b")])
def test_a_corrupt_repository_cannot_be_cloned(tmp_path: Path, git: Git, branches: tuple[str, ...]) -> None:
    """A deleted blob makes a clone fail, as bit rot at GitHub would."""
    path = repositories.make_repository(tmp_path / "a.git", branches=branches)
    repositories.corrupt(path)

    assert git("clone", "--mirror", path.as_uri(), "copy.git").returncode == 128
