"""Promises of the mirror: every ref, or nothing; and from the cache, only what is new."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance.errors import GitError
from tests.servers import repositories
from tests.servers.repositories import refs
from tests.unit.making import files_below, listed, mirror, repository

PULL = "refs/pull/1/head"


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """Return a folder with the repository `one.git`."""
    repositories.make_repository(
        tmp_path / "upstream" / "one.git",
        branches=("feature/x", "Ünïcode"),
        tags=("v1",),
        extra_refs=(PULL, "refs/notes/commits", "refs/changes/01/1/1"),
        size_bytes=300_000,
    )
    return tmp_path / "upstream"


@pytest.fixture(params=["anew", "cached"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Return the folder of an empty cache, and None: what is promised holds with and without one."""
    return tmp_path / "cache" if request.param == "cached" else None


def test_every_ref_is_there(upstream: Path, tmp_path: Path, cache: Path | None) -> None:
    """Branches, tags, notes, pull requests and any other refs come, in a mirror without a fault."""
    path = mirror(listed(upstream)["one"], tmp_path / "m", cache=cache)

    assert tmp_path / "m" / "one.git" == path
    assert refs(upstream / "one.git") == refs(path)
    assert repositories.git(path, "fsck", "--strict") == ""


def test_pull_requests_can_be_left_out(upstream: Path, tmp_path: Path, cache: Path | None) -> None:
    """Without pull requests, exactly `refs/pull/*` is missing."""
    path = mirror(listed(upstream)["one"], tmp_path / "m", cache=cache, pull_requests=False)

    expected = {name: oid for name, oid in refs(upstream / "one.git").items() if name != PULL}
    assert expected == refs(path)


@pytest.mark.parametrize("first", [True, False])
def test_the_choice_about_pull_requests_can_change(upstream: Path, tmp_path: Path, first: bool) -> None:
    """With a cache from before, the mirror holds pull requests exactly where the settings now say so."""
    source, cache = listed(upstream)["one"], tmp_path / "cache"
    mirror(source, tmp_path / "m", cache=cache, pull_requests=first)

    path = mirror(source, tmp_path / "n", cache=cache, pull_requests=not first)

    assert (not first) == (PULL in refs(path))


def test_an_empty_repository_is_mirrored(tmp_path: Path, cache: Path | None) -> None:
    """A repository without a commit gives a mirror without refs, with its default branch."""
    repositories.make_empty(tmp_path / "upstream" / "one.git", "trunk")

    path = mirror(listed(tmp_path / "upstream")["one"], tmp_path / "m", cache=cache)

    assert (refs(path), repositories.git(path, "symbolic-ref", "HEAD")) == ({}, "refs/heads/trunk\n")


def test_a_working_copy_is_mirrored(upstream: Path, tmp_path: Path, cache: Path | None) -> None:
    """A folder's repository need not be bare; its remote branches come as refs, too."""
    copy = tmp_path / "copies" / "two"
    repositories.git(upstream, "clone", "--quiet", str(upstream / "one.git"), str(copy))

    path = mirror(listed(copy.parent)["two"], tmp_path / "m", cache=cache)

    found, wanted = refs(path), refs(copy / ".git")
    assert wanted.pop("refs/remotes/origin/HEAD") in found.values()
    assert wanted == {name: oid for name, oid in found.items() if name != "refs/remotes/origin/HEAD"}


def test_a_name_that_is_not_utf_8_comes(upstream: Path, tmp_path: Path, cache: Path | None) -> None:
    """A branch named in Latin-1 comes with the same bytes."""
    source = upstream / "one.git"
    packed = source / "packed-refs"
    packed.write_bytes(f"{refs(source)['refs/heads/main']} refs/heads/caf".encode() + b"\xe9\n")

    path = mirror(listed(upstream)["one"], tmp_path / "m", cache=cache)

    assert b"refs/heads/caf\xe9\n" in (path / "packed-refs").read_bytes()


def test_head_names_the_default_branch(tmp_path: Path, cache: Path | None) -> None:
    """`git clone` of a restored mirror checks out what it does upstream, also after that was changed."""
    path = repositories.make_repository(
        tmp_path / "up" / "one.git", default_branch="trunk", branches=("next",)
    )
    mirror(listed(path.parent)["one"], tmp_path / "m", cache=cache)
    repositories.set_head(path, "next")

    found = mirror(listed(path.parent)["one"], tmp_path / "n", cache=cache)

    assert repositories.git(found, "symbolic-ref", "HEAD") == "refs/heads/next\n"


def test_no_hooks_come_with_it(upstream: Path, tmp_path: Path, cache: Path | None) -> None:
    """Neither git's samples nor anything else that could run stands in a mirror."""
    path = mirror(listed(upstream)["one"], tmp_path / "m", cache=cache)
    assert not (path / "hooks").exists()


def test_a_failure_leaves_nothing(upstream: Path, tmp_path: Path, cache: Path | None) -> None:
    """A repository that can't be read whole gives an error and no mirror, not a part of one."""
    source = listed(upstream)["one"]
    repositories.corrupt(upstream / "one.git")

    with pytest.raises(GitError):
        mirror(source, tmp_path / "m", cache=cache)

    assert not (tmp_path / "m").exists()
    assert cache is None or set() == files_below(cache)


def test_an_address_is_never_an_option(tmp_path: Path, cache: Path | None) -> None:
    """An address that begins with a dash is an address: git is given no option by upstream."""
    mark = tmp_path / "ran"
    with pytest.raises(GitError):
        mirror(repository("one", clone_url=f"--upload-pack=touch {mark}"), tmp_path / "m", cache=cache)
    assert not mark.exists()


def packs(path: Path) -> dict[int, int]:
    """Return the packs of a repository: inode → size in bytes."""
    return {pack.stat().st_ino: pack.stat().st_size for pack in (path / "objects" / "pack").glob("*.pack")}


def test_the_cache_is_shared_and_only_news_fetched(upstream: Path, tmp_path: Path) -> None:
    """A later mirror holds the same files as the cache, by hard links, and fetched no more than the push."""
    cache = tmp_path / "cache"
    first = packs(mirror(listed(upstream)["one"], tmp_path / "m", cache=cache))
    assert first.keys() == packs(cache / "one.git").keys()

    repositories.push_commit(upstream / "one.git")
    second = mirror(listed(upstream)["one"], tmp_path / "n", cache=cache)

    new = {inode: size for inode, size in packs(second).items() if inode not in first}
    assert refs(upstream / "one.git") == refs(second)
    assert set(first) < set(packs(second))
    assert sum(new.values()) < 5_000


def test_the_cache_follows_upstream(upstream: Path, tmp_path: Path) -> None:
    """Forced pushes and deleted refs are followed without a whole fetch; an earlier mirror stays."""
    source, cache = upstream / "one.git", tmp_path / "cache"
    kept = mirror(listed(upstream)["one"], tmp_path / "kept", cache=cache)
    before = refs(kept)

    repositories.force_push(source)
    repositories.delete_ref(source, "refs/tags/v1")
    repositories.delete_ref(source, "refs/heads/Ünïcode")
    path = mirror(listed(upstream)["one"], tmp_path / "m", cache=cache)

    assert refs(source) == refs(path)
    assert set(packs(kept)) < set(packs(path))
    assert before == refs(kept)
    assert repositories.git(kept, "fsck", "--connectivity-only") == ""


def test_a_branch_can_become_a_folder(upstream: Path, tmp_path: Path) -> None:
    """Where `topic` was deleted and `topic/below` pushed, or the other way round, the cache follows."""
    source, cache = upstream / "one.git", tmp_path / "cache"
    repositories.push_commit(source, "topic")
    mirror(listed(upstream)["one"], tmp_path / "m", cache=cache)
    for number, (old, new) in enumerate((("topic", "topic/below"), ("topic/below", "topic"))):
        repositories.delete_ref(source, f"refs/heads/{old}")
        repositories.push_commit(source, new)

        assert refs(source) == refs(mirror(listed(upstream)["one"], tmp_path / f"m{number}", cache=cache))


def test_a_spoilt_cache_is_made_anew(upstream: Path, tmp_path: Path) -> None:
    """A cache that was damaged or cut off costs a whole fetch, not the backup."""
    source, cache = listed(upstream)["one"], tmp_path / "cache"
    mirror(source, tmp_path / "m", cache=cache)
    for name in ("HEAD", "config"):
        (cache / "one.git" / name).unlink()

    path = mirror(source, tmp_path / "n", cache=cache)

    assert refs(upstream / "one.git") == refs(path)
    assert repositories.git(path, "fsck") == ""


def test_a_cache_that_lost_objects_is_made_anew(upstream: Path, tmp_path: Path) -> None:
    """A pack missing in the cache is never archived as if it were there."""
    source, cache = listed(upstream)["one"], tmp_path / "cache"
    mirror(source, tmp_path / "m", cache=cache)
    for pack in (cache / "one.git" / "objects" / "pack").iterdir():
        pack.unlink()

    path = mirror(source, tmp_path / "n", cache=cache)

    assert repositories.git(path, "fsck") == ""


def test_a_failure_keeps_the_cache(upstream: Path, tmp_path: Path) -> None:
    """A repository that is gone for a day does not cost its cache, and its other runs go on."""
    source, cache = listed(upstream)["one"], tmp_path / "cache"
    mirror(source, tmp_path / "m", cache=cache)
    (upstream / "one.git").rename(upstream / "away")
    with pytest.raises(GitError):
        mirror(source, tmp_path / "n", cache=cache)
    (upstream / "away").rename(upstream / "one.git")

    assert refs(upstream / "one.git") == refs(mirror(source, tmp_path / "o", cache=cache))
