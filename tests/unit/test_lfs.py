"""Promises of looking for Git LFS: what the history of a ref points to, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from repo_maintenance.lfs import find_pointers
from tests.servers.lfs_store import pointer
from tests.servers.repositories import git, make_lfs_repository, make_repository

CONTENTS = {"a.bin": b"first", "b.bin": b"second, and longer"}


@pytest.mark.parametrize("packed", [False, True])
def test_each_pointer_of_the_history_is_found(tmp_path: Path, packed: bool) -> None:
    """Objects are named by SHA-256 with their sizes, whether git keeps the pointers in packs or not."""
    make_lfs_repository(tmp_path / "one.git", CONTENTS)
    if packed:
        git(tmp_path / "one.git", "repack", "-adq", "--depth=50", "--window=250")

    expected = {hashlib.sha256(content).hexdigest(): len(content) for content in CONTENTS.values()}
    assert expected == find_pointers(tmp_path / "one.git")


@pytest.mark.parametrize("others", [{}, CONTENTS])
def test_what_no_ref_leads_to_does_not_count(tmp_path: Path, others: dict[str, bytes]) -> None:
    """A pointer that was pushed away, and that a cached mirror may still hold, asks for no object."""
    make_lfs_repository(tmp_path / "one.git", others)
    git(tmp_path / "one.git", "hash-object", "-w", "--stdin", stdin=pointer(b"pushed away"))

    expected = {hashlib.sha256(content).hexdigest(): len(content) for content in others.values()}
    assert expected == find_pointers(tmp_path / "one.git")


def test_small_files_are_no_pointers(tmp_path: Path) -> None:
    """A repository without LFS has none, nor has an empty one."""
    make_repository(tmp_path / "one.git")
    git(tmp_path, "init", "--quiet", "--bare", str(tmp_path / "empty.git"))

    assert ({}, {}) == (find_pointers(tmp_path / "one.git"), find_pointers(tmp_path / "empty.git"))
