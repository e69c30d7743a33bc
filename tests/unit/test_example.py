"""Promises of the bundled example: real repositories without a network, the same everywhere."""

from __future__ import annotations

from pathlib import Path

from repo_maintenance.example import make_example
from tests.servers import repositories
from tests.unit.making import listed


def test_the_example_is_made_of_real_repositories(tmp_path: Path) -> None:
    """There are a few repositories, with branches and a tag, in which git finds no fault."""
    found = listed(make_example(tmp_path / "example"))

    assert len(found) >= 3
    for name in found:
        path = tmp_path / "example" / f"{name}.git"
        assert repositories.git(path, "fsck", "--strict") == ""
        assert "refs/heads/main" in repositories.refs(path)
    assert any(
        ref.startswith("refs/tags/")
        for name in found
        for ref in repositories.refs(tmp_path / "example" / f"{name}.git")
    )


def test_the_example_is_the_same_everywhere(tmp_path: Path) -> None:
    """Made twice, it has the same refs and the same times of a last push."""
    first, second = (listed(make_example(tmp_path / name / "example")) for name in "ab")

    assert {name: one.pushed_at for name, one in first.items()} == {
        name: one.pushed_at for name, one in second.items()
    }
    for name in first:
        assert repositories.refs(tmp_path / "a" / "example" / f"{name}.git") == repositories.refs(
            tmp_path / "b" / "example" / f"{name}.git"
        )


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    """Asked for again, the example is as it was, also with a user's own push; what is missing is made."""
    make_example(tmp_path)
    one, other, *_ = sorted(listed(tmp_path))
    pushed = repositories.push_commit(tmp_path / f"{one}.git")
    (tmp_path / f"{other}.git").rename(tmp_path / "moved-away")

    make_example(tmp_path)

    assert pushed == repositories.refs(tmp_path / f"{one}.git")["refs/heads/main"]
    assert (tmp_path / f"{other}.git" / "HEAD").is_file()
