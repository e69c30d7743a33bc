"""Upstream that answers well-formed and wrong, and caches that lost something: never a good backup."""

from __future__ import annotations

import hashlib
import itertools
import os
import struct
import time
from pathlib import Path

import pytest

from repo_maintenance.errors import GitError
from tests.faults.in_process import folder_backups, lines_about, mirror
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import git, make_repository, push_commit, refs

RESULT = {"Content-Type": "application/x-git-upload-pack-result"}
POST = matching(r"/one\.git/git-upload-pack", "POST")
EMPTY = b"0000"


@pytest.fixture
def upstream(github: FakeGitHub, tmp_path: Path) -> Path:
    """Serve the private repository `acme/one`; return where it stands."""
    path = make_repository(tmp_path / "one.git", branches=("b",), tags=("v1",), size_bytes=100_000)
    github.add_repository("acme", "one", path, private=True, has_wiki=False)
    return path


def no_refs_for(github: FakeGitHub, *, times: int | None) -> Fault:
    """Let the server offer no refs, in well-formed answers."""
    return github.fault(Fault(POST, times=times, status=200, headers=RESULT, body=EMPTY))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("cached", [False, True])
def test_an_ill_server_s_nothing_is_asked_again(
    github: FakeGitHub, upstream: Path, tmp_path: Path, cached: bool
) -> None:
    """A repository that GitHub lists with a size, and offers once without a ref, is asked for again."""
    cache = tmp_path / "cache" if cached else None
    mirror(github, "one", tmp_path / "m", cache=cache)
    fault = no_refs_for(github, times=1)

    mirror(github, "one", tmp_path / "n", cache=cache)

    assert (1, refs(upstream)) == (fault.hits, refs(tmp_path / "n" / "one.git"))


@pytest.mark.usefixtures("upstream", "way")
def test_nothing_is_never_stored_in_a_repository_s_place(github: FakeGitHub) -> None:
    """Where no ref is offered in any attempt, that is said, and no empty backup hides the last good one."""
    no_refs_for(github, times=None)
    backups = folder_backups(github)

    summary = backups.run()

    assert (0, 1) == (summary.backed_up, summary.failed)
    assert any("no branch and no tag is offered" in line for line in lines_about(summary, "one"))
    assert [] == [*Path("stored").rglob("*.tar.gz")]


def test_a_cache_is_not_given_up_for_nothing(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """A server that is ill for a night does not cost the cache its objects."""
    cache = tmp_path / "cache"
    mirror(github, "one", tmp_path / "m", cache=cache)
    packs = {path.name for path in (cache / "one.git" / "objects" / "pack").iterdir()}
    no_refs_for(github, times=None)
    with pytest.raises(GitError, match="no branch and no tag"):
        mirror(github, "one", tmp_path / "n", cache=cache)
    github.clear_faults()

    mirror(github, "one", tmp_path / "o", cache=cache)

    assert refs(upstream) == refs(tmp_path / "o" / "one.git")
    assert packs <= {path.name for path in (cache / "one.git" / "objects" / "pack").iterdir()}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("pushed", [False, True])
def test_a_cache_that_lost_its_oldest_pack_is_made_anew(
    github: FakeGitHub, upstream: Path, tmp_path: Path, pushed: bool
) -> None:
    """A cached mirror without its history is never a backup, though all that is new is there."""
    cache = tmp_path / "cache"
    mirror(github, "one", tmp_path / "m", cache=cache)
    oldest = {*(cache / "one.git" / "objects" / "pack").iterdir()}
    git(upstream, "update-ref", "refs/heads/b", push_commit(upstream))
    git(upstream, "update-ref", "-d", "refs/tags/v1")
    mirror(github, "one", tmp_path / "n", cache=cache)
    for path in oldest:
        path.unlink()
    if pushed:
        push_commit(upstream)

    mirror(github, "one", tmp_path / "o", cache=cache)

    made = tmp_path / "o" / "one.git"
    assert (refs(upstream), "") == (refs(made), git(made, "fsck", "--strict", "--no-dangling"))


@pytest.mark.usefixtures("way")
def test_a_shallow_upstream_is_deepened_in_the_cache(github: FakeGitHub, tmp_path: Path) -> None:
    """What upstream lacked at first, and has now, is in the next mirror, also from a cache."""
    whole = make_repository(tmp_path / "whole.git")
    push_commit(whole)
    path = tmp_path / "one.git"
    git(tmp_path, "clone", "--quiet", "--mirror", "--depth=1", whole.as_uri(), str(path))
    github.add_repository("acme", "one", path, private=True, has_wiki=False)
    for name in ("m", "m2"):
        mirror(github, "one", tmp_path / name, cache=tmp_path / "cache")
        assert refs(path) == refs(tmp_path / name / "one.git")
    git(path, "fetch", "--quiet", "--unshallow", whole.as_uri())

    mirror(github, "one", tmp_path / "n", cache=tmp_path / "cache")

    made = tmp_path / "n" / "one.git"
    count = ("rev-list", "--count", "main")
    assert (git(whole, *count), "") == (git(made, *count), git(made, "fsck", "--strict"))


def test_a_pack_that_lacks_something_is_fetched_by_git(
    github: FakeGitHub, upstream: Path, tmp_path: Path
) -> None:
    """A pack that came whole, yet lacks an object, costs no backup: git itself asks once more."""
    nothing = b"PACK" + struct.pack(">II", 2, 0)  # a pack of no object (gitformat-pack(5))
    piece = b"\x01" + nothing + hashlib.sha1(nothing, usedforsecurity=False).digest()
    body = b"000dpackfile\n%04x%b0000" % (len(piece) + 4, piece)
    asked = itertools.count(1)
    fault = github.fault(
        Fault(lambda one: POST(one) and next(asked) == 2, times=1, status=200, headers=RESULT, body=body)
    )

    mirror(github, "one", tmp_path / "m", git={"attempts": 1})

    assert (1, refs(upstream)) == (fault.hits, refs(tmp_path / "m" / "one.git"))


def test_half_received_packs_do_not_pile_up(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """What transfers that were cut off left in the cache is gone a day later; a younger one may be in use."""
    mirror(github, "one", tmp_path / "m", cache=tmp_path / "cache")
    packs = tmp_path / "cache" / "one.git" / "objects" / "pack"
    for name, days in (("tmp_pack_old", 2), ("tmp_pack_new", 0)):
        (packs / name).write_bytes(b"PACK")
        then = time.time() - days * 24 * 3600
        os.utime(packs / name, (then, then))
    push_commit(upstream)

    mirror(github, "one", tmp_path / "n", cache=tmp_path / "cache")

    assert ["tmp_pack_new"] == [path.name for path in packs.glob("tmp_*")]
