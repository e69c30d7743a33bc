"""What a run keeps for the next one: it saves time, and is never believed against upstream."""

from __future__ import annotations

from pathlib import Path

from tests.machine.harm import harm
from tests.machine.places import (
    ORGANIZATION,
    backups_in,
    from_folder,
    from_github,
    make_source,
    upstream_refs,
)
from tests.servers.github import FakeGitHub
from tests.servers.repositories import push_commit


def test_what_is_kept_is_never_taken_for_a_newer_push(tmp_path: Path, github: FakeGitHub) -> None:
    """With kept mirrors and tarballs, and GitHub's clock behind this machine's, a push is still backed up."""
    github.add_repository(ORGANIZATION, "one")
    workspace = from_github(tmp_path / "workspace", github, keep_mirrors=True, keep_archives=True)
    first = workspace.backup()
    github.touch_push(ORGANIZATION, "one")

    second = workspace.backup()

    assert first.code == 0, first.output
    assert second.code == 0, second.output
    assert upstream_refs(github.state.root / ORGANIZATION) == backups_in(workspace)


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    """A cached mirror that lost a file's content is never stored as a backup; the run makes it anew."""
    source = make_source(tmp_path / "source", ["one", "two", "three"], size_bytes=20_000)
    cache = tmp_path / "cache"
    workspace = from_folder(tmp_path / "workspace", source, cache=str(cache))
    first = workspace.backup()
    for name, pattern in (("one", "*.pack"), ("two", "*.idx"), ("three", "packed-refs")):
        harm((cache / f"{name}.git").rglob(pattern))
    for repository in source.iterdir():
        push_commit(repository)

    second = workspace.backup()

    assert first.code == 0, first.output
    assert second.code == 0, second.output
    assert upstream_refs(source) == backups_in(workspace)
