"""Promises of refs without git: what git would say, or nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from repo_maintenance.packed_refs import is_ref_name, read_packed_refs, write_packed_refs
from tests.servers.repositories import git, git_environment, make_repository, refs

NAMES = [
    b"refs/heads/main",
    b"refs/heads/caf\xe9",
    b"refs/stash",
    b"refs/heads/@",
    b"refs/heads/-x",
    b"refs/heads/a.b",
    b"refs/heads/a..b",
    b"refs/heads/.a",
    b"refs/heads/a.",
    b"refs/heads/a/",
    b"refs/heads//a",
    b"refs/heads/a.lock",
    b"refs/heads/a.lock/b",
    b"refs/heads/a.lockb",
    b"refs/heads/a b",
    b"refs/heads/a~1",
    b"refs/heads/a^",
    b"refs/heads/a:b",
    b"refs/heads/a?b",
    b"refs/heads/a*b",
    b"refs/heads/a[b",
    b"refs/heads/a\\b",
    b"refs/heads/a@{b",
    b"refs/heads/a\x7f",
    b"refs/heads/a\nb",
]


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Return a repository whose refs are all packed."""
    path = make_repository(tmp_path / "one.git", branches=("b", "Ünïcode"), tags=("v1", "v2"))
    git(path, "pack-refs", "--all")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_judged_as_git_judges_it(name: bytes) -> None:
    """What git takes for the name of a ref is one here, and nothing else is."""
    judged = subprocess.run(["git", "check-ref-format", name], env=git_environment(), check=False)

    assert (judged.returncode == 0) == is_ref_name(name)


def test_all_refs_of_a_mirror_are_read(mirror: Path) -> None:
    """Branches and annotated tags have the ids that git says."""
    found = read_packed_refs(mirror)

    assert found is not None
    assert refs(mirror) == {name.decode(): one.decode() for name, one in found.items()}


@pytest.mark.parametrize("elsewhere", ["loose", "odd line", "no file"])
def test_where_refs_are_elsewhere_nothing_is_said(mirror: Path, elsewhere: str) -> None:
    """A loose ref, a line that is not git's, or no such file: git is to be asked."""
    if elsewhere == "loose":
        git(mirror, "update-ref", "refs/heads/loose", "refs/heads/main")
    elif elsewhere == "odd line":
        with (mirror / "packed-refs").open("ab") as file:
            file.write(b"what is this\n")
    else:
        (mirror / "packed-refs").unlink()

    assert read_packed_refs(mirror) is None


def test_what_is_written_is_what_git_reads(mirror: Path) -> None:
    """Git takes the written refs as they are, without those that were there before."""
    tip = git(mirror, "rev-parse", "main").strip().encode()
    written = {b"refs/heads/main": tip, b"refs/heads/z": tip, b"refs/tags/caf\xc3\xa9": tip}

    write_packed_refs(mirror, written)

    assert {name.decode(): one.decode() for name, one in written.items()} == refs(mirror)
    assert "" == git(mirror, "fsck", "--strict", "--no-dangling")
