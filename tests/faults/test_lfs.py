"""Git LFS: all objects of all refs, each checked; and what is stored where some can't be had."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_maintenance.lfs import object_path
from tests.faults.commits import commit_files
from tests.faults.in_process import folder_backups, lines_about, mirror, read_manifest, result_of
from tests.faults.media import OBJECTS, upstream, whole
from tests.servers.github import FakeGitHub, matching
from tests.servers.lfs_store import corrupt_object, lose_object, pointer, put_object
from tests.servers.repositories import git, refs

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
STORAGE = matching(r"/info/lfs/storage/")


def test_the_objects_of_a_private_repository_come(
    github: FakeGitHub, media: dict[str, str], tmp_path: Path
) -> None:
    """With the token, every object is fetched, checked, and stands in the tarball where git-lfs finds it."""
    backups = folder_backups(github)

    summary = backups.run()

    assert (1, 0) == (summary.backed_up, summary.incomplete)
    restored = backups.restore("media", tmp_path / "restored")
    assert set(media.values()) == whole(restored)
    assert (3, []) == (read_manifest(restored).lfs_objects, read_manifest(restored).lfs_missing)


def test_the_objects_of_every_ref_come(github: FakeGitHub, media: dict[str, str], tmp_path: Path) -> None:
    """Objects of other branches, tags, pull requests, odd refs and earlier commits come, not only main's."""
    path = upstream(github)
    expected = set(media.values())
    for place, ref in enumerate(["heads/other", "tags/v1", "pull/7/head", "notes/x", "stash/kept"]):
        content = f"object {place}".encode()
        commit_files(path, f"refs/{ref}", {"x.bin": pointer(content)})
        expected.add(put_object(path, content))
    commit_files(path, "refs/heads/main", {"a.bin": b"no pointer any more"}, on=refs(path)["refs/heads/main"])

    contents = mirror(github, "media", tmp_path / "m")

    assert (expected, []) == (whole(tmp_path / "m"), contents.lfs_missing)


def no_newline(content: bytes) -> bytes:
    """Return a pointer without its last newline."""
    return pointer(content).rstrip(b"\n")


def carriage_returns(content: bytes) -> bytes:
    """Return a pointer whose lines end as on Windows."""
    return pointer(content).replace(b"\n", b"\r\n")


def before_release(content: bytes) -> bytes:
    """Return a pointer of git-lfs before its first release, which it still reads."""
    return pointer(content).replace(
        b"https://git-lfs.github.com/spec/v1", b"https://hawser.github.com/spec/v1"
    )


def with_extension(content: bytes) -> bytes:
    """Return a pointer that an extension has a line in (git-lfs docs/extensions.md)."""
    line = f"ext-0-case sha256:{'0' * 64}\n".encode()
    head, _, rest = pointer(content).partition(b"\n")
    return head + b"\n" + line + rest


@pytest.mark.parametrize("write", [pointer, no_newline, carriage_returns, before_release, with_extension])
def test_every_pointer_that_git_lfs_reads_is_followed(
    github: FakeGitHub, media: dict[str, str], tmp_path: Path, write: Callable[[bytes], bytes]
) -> None:
    """An object counts also where its pointer is not written as it should be: a checkout needs it."""
    content = b"pointed to in another way"
    oid = put_object(upstream(github), content)
    commit_files(upstream(github), "refs/heads/other", {"x.bin": write(content)})

    contents = mirror(github, "media", tmp_path / "m")

    assert oid in whole(tmp_path / "m") | set(contents.lfs_missing)
    assert {*media.values(), oid} == whole(tmp_path / "m")


def test_a_replacement_hides_no_object(github: FakeGitHub, media: dict[str, str], tmp_path: Path) -> None:
    """A ``refs/replace`` that anybody can push does not keep objects of the true history from the backup."""
    path = upstream(github)
    main = refs(path)["refs/heads/main"]
    other = commit_files(path, "refs/heads/other", {"harmless.txt": b"no pointers here"})
    git(path, "update-ref", f"refs/replace/{main}", other)

    contents = mirror(github, "media", tmp_path / "m")

    assert (set(media.values()), []) == (whole(tmp_path / "m"), contents.lfs_missing)


@pytest.mark.parametrize("spoil", [lose_object, corrupt_object])
def test_an_object_that_upstream_lacks_is_named(
    github: FakeGitHub, media: dict[str, str], tmp_path: Path, spoil: Callable[[Path, str], None]
) -> None:
    """Where an object is missing or corrupt at GitHub, the rest is stored, and the lack named everywhere."""
    lost = media["b.bin"]
    spoil(upstream(github), lost)
    backups = folder_backups(github)

    summary = backups.run()

    said = f"1 of 3 LFS objects missing: {lost}"
    assert (True, 1, said) == (summary.ok, summary.incomplete, result_of(summary, "media").incomplete)
    assert [f"INCOMPLETE media: {said}"] == lines_about(summary, "media")
    restored = backups.restore("media", tmp_path / "restored")
    assert [lost] == read_manifest(restored).lfs_missing
    assert set(media.values()) - {lost} == whole(restored)


def test_an_incomplete_backup_stays_named_until_it_is_whole(
    github: FakeGitHub, media: dict[str, str]
) -> None:
    """A run that finds nothing new still says what the newest backup lacks; a whole one ends that."""
    lose_object(upstream(github), media["b.bin"])
    backups = folder_backups(github)
    backups.run()

    second = backups.run()
    put_object(upstream(github), OBJECTS["b.bin"])
    github.touch_push("acme", "media")
    third = backups.run()

    assert (("up to date", 1), ("backed up", 0)) == (
        (result_of(second, "media").outcome, second.incomplete),
        (result_of(third, "media").outcome, third.incomplete),
    )


def path_without_git_lfs(place: Path) -> Path:
    """Return a folder with the programs that a backup needs, less git-lfs."""
    tools = place / "bin"
    tools.mkdir()
    for name in ("git", "sh", "wc", "tar", "gzip"):
        (tools / name).symlink_to(shutil.which(name) or "")
    return tools


def test_without_git_lfs_the_repository_is_stored(
    github: FakeGitHub, media: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where git-lfs is not installed, the history is stored, and every object named as missing."""
    monkeypatch.setenv("PATH", str(path_without_git_lfs(tmp_path)))
    backups = folder_backups(github)

    summary = backups.run()

    assert (1, 1) == (summary.backed_up, summary.incomplete)
    assert lines_about(summary, "media")[0].startswith("INCOMPLETE media: 3 of 3 LFS objects missing: ")
    restored = backups.restore("media", tmp_path / "restored")
    assert sorted(media.values()) == read_manifest(restored).lfs_missing
    assert refs(upstream(github)) == refs(restored / "media.git")


def test_once_git_lfs_is_there_the_next_run_heals(
    github: FakeGitHub, media: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a backup lacks only since this machine had no git-lfs is fetched by the next run that has it."""
    backups = folder_backups(github)
    with monkeypatch.context() as without:
        without.setenv("PATH", str(path_without_git_lfs(tmp_path)))
        assert 1 == backups.run().incomplete

    summary = backups.run()

    assert ("backed up", 0) == (result_of(summary, "media").outcome, summary.incomplete)
    assert set(media.values()) == whole(backups.restore("media", tmp_path / "restored"))


@pytest.mark.usefixtures("media")
def test_lfs_can_be_left_out(github: FakeGitHub, tmp_path: Path) -> None:
    """With ``backup.lfs: false`` nothing is asked of LFS."""
    mirror(github, "media", tmp_path / "m", lfs=False)
    assert ([], set()) == (github.lfs_requests(), whole(tmp_path / "m"))


def test_only_new_objects_are_fetched(github: FakeGitHub, media: dict[str, str], tmp_path: Path) -> None:
    """With a cache, an object that was had before is neither asked for nor transferred again."""
    cache = tmp_path / "cache"
    mirror(github, "media", tmp_path / "m", cache=cache)
    content = b"new"
    new = put_object(upstream(github), content)
    commit_files(upstream(github), "refs/heads/other", {"new.bin": pointer(content)})
    github.clear_requests()

    mirror(github, "media", tmp_path / "n", cache=cache)

    got = {request.path.rsplit("/", 1)[1] for request in github.lfs_requests() if STORAGE(request)}
    assert ({new}, {*media.values(), new}) == (got, whole(tmp_path / "n"))


def test_a_spoilt_object_in_the_cache_is_fetched_again(
    github: FakeGitHub, media: dict[str, str], tmp_path: Path
) -> None:
    """What rotted in the cache is found by its digest, fetched anew, and healed in the cache, too."""
    cache = tmp_path / "cache"
    mirror(github, "media", tmp_path / "m", cache=cache)
    spoilt = object_path(cache / "media.git", media["b.bin"])
    spoilt.unlink()
    spoilt.write_bytes(b"\x01" * 100_000)

    contents = mirror(github, "media", tmp_path / "n", cache=cache)

    assert (set(media.values()), []) == (whole(tmp_path / "n"), contents.lfs_missing)
    assert OBJECTS["b.bin"] == spoilt.read_bytes()
