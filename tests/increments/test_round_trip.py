"""Promises of increments: what comes back is what was upstream on that day, whatever happened in between."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.lfs import has_git_lfs
from tests.increments.chain import REPO, SIZE_BYTES, Chain, state
from tests.servers import repositories
from tests.servers.lfs_store import pointer, put_object
from tests.servers.repositories import git, refs
from tests.unit.organization import Organization

MAIN = "refs/heads/main"


def test_each_day_comes_back_as_it_was(chain: Chain, tmp_path: Path) -> None:
    """A full backup and the increments on it are restored to the refs of their days."""
    chain.back_up(0)
    for week in range(1, 4):
        chain.push_and_back_up(week)

    assert [None, 0, 0, 0] == chain.bases()
    for week in range(4):
        chain.restore(week, tmp_path / "restored" / str(week))


def test_an_increment_holds_only_what_its_base_lacks(chain: Chain) -> None:
    """It is small where little was pushed, has no object of its base, and names that one by its digest."""
    chain.back_up(0)
    chain.push_and_back_up(1)

    base, increment = (backup.stored for backup in chain.catalog())
    assert base.size > SIZE_BYTES
    assert increment.size < 4000
    with tarfile.open(chain.tarball(1)) as tar:
        names = tar.getnames()
    parts = ["HEAD", "config", "increment.pack", "packed-refs", "refs"]
    assert ["manifest.json", f"{REPO}.git", *(f"{REPO}.git/{part}" for part in parts)] == names
    found = chain.store.find(base.key)
    assert found is not None
    named = chain.manifest(1)["base"]
    assert (base.key, found.metadata["sha256"], f"up/{REPO}") == (
        *(named["key"], named["sha256"], named["repository"]),
    )


def force_push(path: Path) -> None:
    """Put another history in the place of the default branch."""
    repositories.force_push(path)


def move_refs(path: Path) -> None:
    """Delete a branch, move a tag, and make new ones, with and without a message."""
    tip = repositories.push_commit(path, "topic")
    repositories.delete_ref(path, "refs/heads/next")
    git(path, "update-ref", "refs/tags/v1", tip)
    git(path, "update-ref", "refs/tags/light", refs(path)[MAIN])
    tag = f"object {tip}\ntype commit\ntag v2\ntagger {repositories.IDENTITY} 1700000000 +0000\n\nVersion 2\n"
    git(path, "update-ref", "refs/tags/v2", git(path, "mktag", stdin=tag.encode()).strip())


def point_elsewhere(path: Path) -> None:
    """Make refs that lead to no commit: a new blob, and a tree that the base has."""
    blob = git(path, "hash-object", "-w", "--stdin", stdin=b"alone").strip()
    git(path, "update-ref", "refs/odd/blob", blob)
    git(path, "update-ref", "refs/odd/tree", git(path, "rev-parse", f"{MAIN}:src").strip())


def rename_the_default_branch(path: Path) -> None:
    """Call the default branch otherwise."""
    git(path, "update-ref", "refs/heads/trunk", refs(path)[MAIN])
    repositories.delete_ref(path, MAIN)
    repositories.set_head(path, "trunk")


def detach_head(path: Path) -> None:
    """Let HEAD hold a commit that no ref leads to any more."""
    tip = repositories.push_commit(path, "passing")
    (path / "HEAD").write_text(f"{tip}\n")
    repositories.delete_ref(path, "refs/heads/passing")


def odd_names(path: Path) -> None:
    """Make refs whose names are not ASCII, or look like options."""
    for name in ("refs/heads/größe", "refs/heads/日本", "refs/heads/--upload-pack=x", "refs/pull/7/head"):
        git(path, "update-ref", name, refs(path)[MAIN])


def delete_all_but_one(path: Path) -> None:
    """Leave the default branch alone."""
    for name in refs(path).keys() - {MAIN}:
        repositories.delete_ref(path, name)


def nothing(path: Path) -> None:
    """Push nothing; the backup is due for its age."""


CHANGES = [
    *(force_push, move_refs, point_elsewhere, rename_the_default_branch, detach_head, odd_names),
    *(delete_all_but_one, nothing),
]
# A cached mirror never takes over a HEAD that names no branch, whatever kind of backup is made of it.
WAYS = [
    (change, cached) for change in CHANGES for cached in (False, True) if change != detach_head or not cached
]


@pytest.mark.parametrize(("change", "cached"), WAYS, ids=lambda one: getattr(one, "__name__", str(one)))
def test_whatever_happened_upstream(
    tmp_path: Path, workspace: Path, change: Callable[[Path], None], cached: bool
) -> None:
    """After each kind of change the increment is the repository of its day, and the base that of its own."""
    chain = Chain(tmp_path / "up", branches=("next",))
    options = {"cache": str(workspace / "cache")} if cached else {}
    chain.back_up(0, **options)
    change(chain.path)
    chain.back_up(5, **options)

    assert [None, 0] == chain.bases()
    for week in (0, 5):
        chain.restore(week, tmp_path / "restored" / str(week))


def test_a_repository_with_sha256_ids(tmp_path: Path, chain: Chain) -> None:
    """Where git uses SHA-256 for its objects, increments work alike."""
    path = chain.path.with_name(f"{REPO}.old")
    chain.path.rename(path)
    git(chain.path, "init", "-q", "--bare", "--object-format=sha256")
    with (tmp_path / "stream").open("w+b") as stream:
        subprocess.run(["git", f"--git-dir={path}", "fast-export", "--all"], stdout=stream, check=True)
        stream.seek(0)
        subprocess.run(["git", f"--git-dir={chain.path}", "fast-import", "--quiet"], stdin=stream, check=True)
    repositories.set_head(chain.path, "main")
    path.rename(tmp_path / "aside")
    chain.back_up(0)
    git(chain.path, "update-ref", "refs/heads/new", f"{MAIN}~1")
    chain.push_and_back_up(1)

    assert {64} == {len(oid) for oid in refs(chain.path).values()}
    assert [None, 0] == chain.bases()
    chain.restore(1, tmp_path / "restored")


def test_a_base_with_nothing_in_common_is_none(chain: Chain, tmp_path: Path) -> None:
    """Where upstream has none of the commits any more that the refs led to, the next backup is full."""
    chain.back_up(0)
    repositories.delete_ref(chain.path, "refs/tags/v1")
    repositories.force_push(chain.path)
    chain.back_up(1)

    assert [None, None] == chain.bases()
    chain.restore(1, tmp_path / "restored")


def test_an_increment_that_is_nearly_as_large_as_its_base_is_none(chain: Chain, tmp_path: Path) -> None:
    """Where more than half as much as the base holds was pushed, the next one is full, and the next base."""
    chain.back_up(0)
    repositories.make_repository(tmp_path / "more.git", size_bytes=SIZE_BYTES * 2 // 3, seed="more")
    git(chain.path, "fetch", "-q", str(tmp_path / "more.git"), "+refs/heads/main:refs/heads/more")
    chain.back_up(1)
    chain.push_and_back_up(2)

    assert [None, None, 1] == chain.bases()


def test_an_empty_repository_is_no_base(tmp_path: Path, workspace: Path) -> None:
    """What is first pushed to an empty repository makes a full backup; so does emptying one."""
    _ = workspace
    (tmp_path / "up").mkdir()
    organization = Organization(tmp_path / "up")
    path = repositories.make_empty(organization.path(REPO))
    chain = Chain.of(organization, path)
    chain.back_up(0)
    repositories.push_commit(path)
    chain.back_up(1)
    repositories.delete_ref(path, MAIN)
    git(path, "repack", "-adq")
    chain.back_up(2)

    assert [None, None, None] == chain.bases()
    for week in range(3):
        chain.restore(week, tmp_path / "restored" / str(week))


@pytest.mark.skipif(not has_git_lfs(), reason="git-lfs is not installed")
def test_only_new_lfs_objects_are_in_an_increment(chain: Chain, tmp_path: Path) -> None:
    """Each LFS object is stored once, and is there after a restore, by its hash."""
    old, new = b"old large file" * 3000, b"new large file" * 100
    for name, content in (("old.bin", old), ("new.bin", new)):
        put_object(chain.path, content)
        text = pointer(content)
        tip = refs(chain.path)[MAIN]
        blob = git(chain.path, "hash-object", "-w", "--stdin", stdin=text).strip()
        tree = git(chain.path, "ls-tree", tip) + f"100644 blob {blob}\t{name}\n"
        tree = git(chain.path, "mktree", stdin=tree.encode()).strip()
        stream = f"tree {tree}\nparent {tip}\nauthor {repositories.IDENTITY} 1700009999 +0000\n"
        stream += f"committer {repositories.IDENTITY} 1700009999 +0000\n\n{name}\n"
        commit = git(chain.path, "hash-object", "-w", "-t", "commit", "--stdin", stdin=stream.encode())
        git(chain.path, "update-ref", MAIN, commit.strip())
        chain.back_up(0 if content is old else 1, lfs=True)

    assert [None, 0] == chain.bases()
    with tarfile.open(chain.tarball(1)) as tar:
        assert [len(new)] == [entry.size for entry in tar if "/lfs/objects/" in entry.name and entry.isfile()]
    found = chain.restore(1, tmp_path / "restored")
    assert "2 LFS objects by SHA-256" in found.checked


def test_the_wiki_comes_back_as_it_was(chain: Chain, tmp_path: Path) -> None:
    """A wiki that is new, changed, or gone is so after a restore; of a changed one only news are stored."""
    wiki = chain.path.with_name(f"{REPO}.wiki.git")
    chain.back_up(0)
    repositories.make_repository(wiki, size_bytes=50_000)
    chain.push_and_back_up(1)
    chain.push_and_back_up(2, force=True)
    repositories.push_commit(wiki)
    chain.push_and_back_up(3)
    states = {2: None, 3: state(wiki)}
    wiki.rename(tmp_path / "aside")
    chain.push_and_back_up(4)

    assert [None, 0, None, 2, 2] == chain.bases()
    assert chain.tarball(1).stat().st_size > 50_000
    assert chain.tarball(3).stat().st_size < 10_000
    for week in (1, 3):
        found = chain.restore(week, tmp_path / "restored" / str(week))
        assert found.manifest is not None
        there = found.folder / wiki.name
        assert found.manifest.wiki_refs == refs(there)
        assert states.get(week, state(there)) == state(there)
    assert not (chain.restore(4, tmp_path / "restored" / "4").folder / wiki.name).exists()


def test_under_a_new_name_a_repository_begins_anew(chain: Chain) -> None:
    """Renamed upstream, it gets a full backup under its new name; no increment stands on another name's."""
    chain.back_up(0)
    chain.path = chain.path.rename(chain.path.with_name("renamed.git"))
    chain.back_up(1)

    renamed = naming.BackupName("renamed", chain.day(1))
    assert chain.catalog().find(renamed) is not None
    assert [] == list(chain.catalog().bases)
