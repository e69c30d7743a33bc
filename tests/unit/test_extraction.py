"""Unpacking hostile tarballs: nothing is written outside, and nothing that git would run stays."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_maintenance.errors import UnsafeTarballError
from repo_maintenance.extraction import disarm, extract, find_repositories
from tests.servers.repositories import git_environment, make_repository, refs


def _tarball(path: Path, fill: Callable[[tarfile.TarFile], None]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        fill(tar)
    return path


def _entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Callable[[tarfile.TarFile], None]:
    def fill(tar: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(name)
        entry.type = kind
        entry.linkname = link
        content = b"evil" if kind == tarfile.REGTYPE else b""
        entry.size = len(content)
        entry.mode = 0o4777
        tar.addfile(entry, io.BytesIO(content))

    return fill


@pytest.mark.parametrize(
    "fill",
    [
        _entry("../outside"),
        _entry("a/../../outside"),
        _entry("/tmp/outside"),  # noqa: S108
        _entry("link", tarfile.SYMTYPE, "/etc"),
        _entry("link", tarfile.SYMTYPE, "inside"),
        _entry("link", tarfile.LNKTYPE, "../outside"),
        _entry("device", tarfile.CHRTYPE),
        _entry("disk", tarfile.BLKTYPE),
        _entry("pipe", tarfile.FIFOTYPE),
    ],
    ids=["parent", "parent-later", "absolute", "symlink-out", "symlink", "hardlink", "char", "block", "fifo"],
)
def test_what_leads_outside_or_is_no_file_is_refused(
    tmp_path: Path, fill: Callable[[tarfile.TarFile], None]
) -> None:
    """A path that leads outside, any link and any device end the unpacking, and nothing stands outside."""
    target = tmp_path / "deep" / "target"
    target.mkdir(parents=True)
    tarball = _tarball(tmp_path / "evil.tar.gz", fill)

    with pytest.raises(UnsafeTarballError):
        extract(tarball, target)

    assert list(target.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "evil.tar.gz"]


def test_an_entry_never_overwrites_another(tmp_path: Path) -> None:
    """A tarball that has the same file twice is refused, rather than the later one taken."""

    def twice(tar: tarfile.TarFile) -> None:
        _entry("HEAD")(tar)
        _entry("HEAD")(tar)

    (tmp_path / "target").mkdir()
    with pytest.raises((UnsafeTarballError, FileExistsError)):
        extract(_tarball(tmp_path / "evil.tar.gz", twice), tmp_path / "target")


def test_modes_are_our_own(tmp_path: Path) -> None:
    """No set-user-id bit, and no executable, comes out of a tarball."""
    (tmp_path / "target").mkdir()
    extract(_tarball(tmp_path / "evil.tar.gz", _entry("file")), tmp_path / "target")
    assert (tmp_path / "target" / "file").stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize("cut", [1, 8, 200])
def test_a_cut_tarball_is_refused(tmp_path: Path, cut: int) -> None:
    """A gzip stream whose end is missing is never taken for a whole one."""
    make_repository(tmp_path / "one.git")
    whole = tmp_path / "one.tar.gz"
    subprocess.run(["tar", "-czf", whole, "-C", tmp_path, "one.git"], check=True)
    os.truncate(whole, whole.stat().st_size - cut)
    (tmp_path / "target").mkdir()

    with pytest.raises(UnsafeTarballError):
        extract(whole, tmp_path / "target")


def test_what_git_would_run_or_follow_is_taken_out(tmp_path: Path) -> None:
    """Hooks, alternates and settings that name programs are gone; the refs are as they were."""
    repository = make_repository(tmp_path / "one.git")
    before = refs(repository)
    hook = repository / "hooks" / "post-checkout"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\ntouch /tmp/owned\n")
    (repository / "objects" / "info" / "alternates").write_text("/somewhere/else\n")
    with (repository / "config").open("a") as config:
        config.write(
            '[core]\n\tfsmonitor = touch owned\n[remote "origin"]\n\turl = https://example.org/one.git\n'
        )
        config.write("[include]\n\tpath = /etc/passwd\n")

    disarm(repository)

    text = (repository / "config").read_text()
    assert not hook.exists()
    assert not (repository / "objects" / "info" / "alternates").exists()
    assert "fsmonitor" not in text
    assert "include" not in text
    assert "https://example.org/one.git" in text
    assert before == refs(repository)
    subprocess.run(["git", f"--git-dir={repository}", "fsck"], env=git_environment(), check=True)


def test_repositories_are_found(tmp_path: Path) -> None:
    """What has a HEAD and objects is a repository; other folders are not."""
    make_repository(tmp_path / "b.git")
    make_repository(tmp_path / "a.wiki.git")
    (tmp_path / "notes").mkdir()
    assert [path.name for path in find_repositories(tmp_path)] == ["a.wiki.git", "b.git"]
