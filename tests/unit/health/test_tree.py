"""Promises of reading a repository without a working copy: complete, bounded, and not to be fooled."""

from __future__ import annotations

from pathlib import Path

from repo_maintenance.health import tree as reading
from repo_maintenance.health.findings import plain
from repo_maintenance.health.tree import LARGEST_READ_BYTES, Blob, Tree
from tests.servers.repositories import git, make_empty, make_repository
from tests.unit.health.making import commit, look, messages

ODD_NAMES = ["a b.txt", "ü.txt", "line\nbreak.txt", ":colon.txt", "tab\tin.txt", "esc\x1b[31m.txt"]


def test_files_have_their_names_whatever_they_are(tmp_path: Path) -> None:
    """Line breaks, tabs and quotes in names split no entry; every history is read alike."""
    bare = commit(tmp_path / "one.git", dict.fromkeys(ODD_NAMES, "same\n"))
    tree = Tree(bare, "main")

    assert sorted(ODD_NAMES) == sorted(tree.files)
    assert sorted(ODD_NAMES) == sorted(blob.path for blob in tree.additions())
    assert "same\n" == tree.read(tree.files["ü.txt"])


def test_every_change_is_in_the_history_also_that_of_a_merge(tmp_path: Path) -> None:
    """What was added by a merge alone, or came twice under one name, is found with its content."""
    bare = commit(tmp_path / "one.git", {"f": "1\n"})
    commit(bare, {"g": "2\n"}, branch="side")
    commit(bare, {"f": "3\n"})
    merge = "commit refs/heads/main\ncommitter A <a@b> 1790000000 +0000\ndata 1\n.\n"
    merge += "from refs/heads/main^0\nmerge refs/heads/side^0\nM 100644 inline evil\ndata 2\n4\n\n"
    git(bare, "fast-import", "--quiet", stdin=merge.encode())

    blobs = {
        (blob.path, git(bare, "cat-file", "blob", blob.object_id)) for blob in Tree(bare, "main").additions()
    }

    assert {("f", "1\n"), ("g", "2\n"), ("f", "3\n"), ("evil", "4\n")} == blobs


def test_history_names_each_content_once(tmp_path: Path) -> None:
    """All contents of all branches and tags come, without folders and commits."""
    bare = make_repository(tmp_path / "one.git", branches=["x/y"], tags=["v1"])

    found = list(Tree(bare, "main").history())

    wanted = {
        line.split()[0]
        for line in git(bare, "cat-file", "--batch-all-objects", "--batch-check").splitlines()
        if " blob " in line
    }
    blobs = [one for one in found if one.object_id in wanted]
    assert (wanted, len(wanted)) == ({one.object_id for one in blobs}, len(blobs))


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    """No file of a repository fills the memory."""
    bare = commit(
        tmp_path / "one.git", {"large": b"x" * (LARGEST_READ_BYTES + 1), "fits": b"x" * LARGEST_READ_BYTES}
    )
    tree = Tree(bare, "main")

    assert tree.read(tree.files["large"]) is None
    assert LARGEST_READ_BYTES == len(tree.read(tree.files["fits"]) or "")
    large = Blob(tree.files["large"].object_id, "large")
    assert b"xxx" == tree.begins(large, 3)


def test_pieces_of_a_listing_are_put_together(tmp_path: Path) -> None:
    """A long listing is read in pieces, and no name is cut at their edges."""
    path = tmp_path / "listing"
    names = [f"{number:0{width}}" for width in (1, 500_000, 900_000, 3) for number in range(3)]
    path.write_text("\n".join(names) + "\n")

    assert names == list(reading._split(path, b"\n"))


def test_a_default_branch_that_is_not_there_makes_it_empty(tmp_path: Path) -> None:
    """Neither an empty repository nor a dangling HEAD is an error."""
    dangling = commit(tmp_path / "one.git", {"a": "x"}, branch="other")

    for bare in (make_empty(tmp_path / "empty.git"), dangling):
        assert (None, {}) == (Tree(bare, "main").tip, Tree(bare, "main").files)


def test_a_default_branch_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Files on another branch only were not looked at: no all-clear. An empty repository has none."""
    dangling = look(commit(tmp_path / "one.git", {"a": "x"}, branch="other"), "missing_license")
    empty = look(make_empty(tmp_path / "empty.git"), "missing_license")

    assert ["the default branch main does not exist"] == [one.reason for one in dangling.unchecked]
    assert [] == empty.unchecked


def test_names_are_harmless_to_print(tmp_path: Path) -> None:
    """A file name can't steer the terminal, nor break a line of the report."""
    bare = commit(tmp_path / "one.git", {"\x1b[2J\n.netrc": "x", "a\u202eb/.netrc": "x"})

    shown = "".join(messages(look(bare, "secret_files")))

    assert shown.isprintable()
    assert "a\\u202eb/.netrc" in shown
    assert 301 == len(plain("x" * 5000))
