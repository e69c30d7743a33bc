"""Promises of the tarball: `tar` and `git` read it, it holds what counts, and the same bytes for the same."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_maintenance.archive import write_tarball
from repo_maintenance.errors import ArchiveError
from repo_maintenance.stores import Digests
from tests.servers import repositories
from tests.unit.making import digests_of, files_below, full_disk, run, unpack

MANIFEST = b'{"refs": {}}\n'
MTIME = 1_700_000_000

contents = st.dictionaries(
    st.from_regex(r"(d[ab]/){0,2}f[a-zé]{1,3}", fullmatch=True), st.binary(max_size=3000), max_size=6
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the mirror `one.git`."""
    repositories.make_repository(
        tmp_path / "mirror" / "one.git",
        branches=("feature/x", "Ünïcode-日本"),
        tags=("v1",),
        extra_refs=("refs/pull/1/head", "refs/notes/commits"),
    )
    return tmp_path / "mirror"


def write(folder: Path, target: Path) -> Digests:
    """Write the tarball of a folder."""
    return write_tarball(folder, MANIFEST, target, mtime=MTIME)


def names_in(tarball: Path) -> list[str]:
    """Return the names in a tarball, in its order."""
    return run("tar", "-tzf", str(tarball)).splitlines()


def test_tar_and_git_read_it_back(folder: Path, tmp_path: Path) -> None:
    """After `tar -xzf`, `git clone` takes the mirror as it is, whole and with exactly the same refs."""
    write(folder, tmp_path / "one.tar.gz")

    found = unpack(tmp_path / "one.tar.gz", tmp_path / "out")

    assert repositories.refs(folder / "one.git") == repositories.refs(found / "one.git")
    assert repositories.git(found / "one.git", "fsck", "--strict") == ""
    run("git", "clone", "--quiet", "--mirror", str(found / "one.git"), str(tmp_path / "clone.git"))
    assert repositories.refs(folder / "one.git") == repositories.refs(tmp_path / "clone.git")


def test_an_empty_repository_is_read_back(tmp_path: Path) -> None:
    """A repository without a commit keeps the empty folders that git needs to know it."""
    repositories.make_empty(tmp_path / "mirror" / "one.git", "trunk")
    write(tmp_path / "mirror", tmp_path / "one.tar.gz")

    found = unpack(tmp_path / "one.tar.gz", tmp_path / "out")

    assert repositories.git(found / "one.git", "symbolic-ref", "HEAD") == "refs/heads/trunk\n"


def test_the_manifest_comes_first(folder: Path, tmp_path: Path) -> None:
    """The manifest is the first entry, so that it is read without reading the whole tarball."""
    write(folder, tmp_path / "one.tar.gz")

    assert names_in(tmp_path / "one.tar.gz")[0] == "manifest.json"
    assert (unpack(tmp_path / "one.tar.gz", tmp_path / "out") / "manifest.json").read_bytes() == MANIFEST


def test_the_digests_are_those_of_the_file(folder: Path, tmp_path: Path) -> None:
    """What is said of the tarball is what `md5sum` and `sha256sum` say of the file."""
    digests = write(folder, tmp_path / "one.tar.gz")

    assert digests == digests_of((tmp_path / "one.tar.gz").read_bytes())
    assert digests.sha256 == run("sha256sum", str(tmp_path / "one.tar.gz")).split()[0]


def test_nobody_s_name_time_or_rights_are_kept(folder: Path, tmp_path: Path) -> None:
    """Every entry belongs to root, has the given time, and can be read by everyone."""
    (folder / "one.git" / "HEAD").chmod(0o600)
    (folder / "one.git" / "refs").chmod(0o700)
    write(folder, tmp_path / "one.tar.gz")

    with tarfile.open(tmp_path / "one.tar.gz") as tar:
        entries = tar.getmembers()
    assert {(0, 0, MTIME)} == {(entry.uid, entry.gid, entry.mtime) for entry in entries}
    assert {(True, 0o755), (False, 0o644)} == {(entry.isdir(), entry.mode) for entry in entries}
    assert {""} == {entry.uname for entry in entries}


def test_what_is_not_the_repository_s_is_left_out(folder: Path, tmp_path: Path) -> None:
    """Hook samples, locks, half-received packs and Snakemake's marker stay behind."""
    write(folder, tmp_path / "clean.tar.gz")
    for name in (
        *(".snakemake_timestamp", "one.git/hooks/pre-commit.sample", "one.git/FETCH_HEAD"),
        *("one.git/packed-refs.lock", "one.git/objects/pack/tmp_pack_a1b2c3", "one.git/objects/ab/tmp_obj_x"),
        *("one.git/objects/pack/.tmp-123-pack-x.pack", "one.git/shallow.lock"),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("not content")
    write(folder, tmp_path / "one.tar.gz")

    assert [
        name for name in names_in(tmp_path / "clean.tar.gz") if not name.startswith("one.git/objects/ab")
    ] == [
        name
        for name in names_in(tmp_path / "one.tar.gz")
        if name not in {"one.git/hooks/", "one.git/objects/ab/"}
    ]


@pytest.mark.parametrize(
    "branch",
    [
        "hooks/x.sample",
        "tmp_x",
        "FETCH_HEAD",
        "objects/tmp_x",
        ".snakemake_timestamp.x/y",
        "a.git/hooks/b.sample",
    ],
)
def test_branches_with_odd_names_are_kept(folder: Path, tmp_path: Path, branch: str) -> None:
    """A branch that is called like something left out is a branch all the same, also as a file of its own."""
    source = folder / "one.git"
    ref = f"refs/heads/{branch.removeprefix('.')}"
    repositories.git(source, "update-ref", ref, repositories.refs(source)["refs/heads/main"])
    assert (source / ref).is_file()

    write(folder, tmp_path / "one.tar.gz")

    assert repositories.refs(source) == repositories.refs(
        unpack(tmp_path / "one.tar.gz", tmp_path / "out") / "one.git"
    )


def test_a_second_repository_is_archived_with_the_first(folder: Path, tmp_path: Path) -> None:
    """What stands beside the mirror, such as its wiki, is in the same tarball."""
    repositories.make_repository(folder / "one.wiki.git", default_branch="master")
    write(folder, tmp_path / "one.tar.gz")

    found = unpack(tmp_path / "one.tar.gz", tmp_path / "out")

    assert repositories.refs(folder / "one.wiki.git") == repositories.refs(found / "one.wiki.git")


def test_long_and_foreign_names_are_kept(tmp_path: Path) -> None:
    """A path longer than tar's first format allowed, and one in any script, come back as they are."""
    names = {"one.git/" + "/".join(["long-folder-name"] * 20) + "/file", "one.git/日本/Ünï cödé"}
    for name in names:
        path = tmp_path / "mirror" / name
        path.parent.mkdir(parents=True)
        path.write_text("content")
    write(tmp_path / "mirror", tmp_path / "one.tar.gz")

    assert names | {"manifest.json"} == files_below(unpack(tmp_path / "one.tar.gz", tmp_path / "out"))


@settings(max_examples=20)
@given(contents, contents, st.randoms(use_true_random=False), st.integers(0, MTIME))
def test_identical_content_gives_identical_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, bytes],
    other: dict[str, bytes],
    random: object,
    time: int,
) -> None:
    """The bytes depend on names and contents alone: not on the order, the times or the rights on disk."""
    place = tmp_path_factory.mktemp("archive")
    ordered = sorted(files)
    random.shuffle(ordered)  # type: ignore[attr-defined]
    _lay_out(place / "a", {name: files[name] for name in sorted(files)})
    _lay_out(place / "b", {name: files[name] for name in ordered})
    for path in (place / "b").rglob("*"):
        path.chmod(0o777)
        os.utime(path, (time, time))
    _lay_out(place / "c", other)

    first, second, third = (write(place / name, place / f"{name}.tar.gz") for name in "abc")

    assert (place / "a.tar.gz").read_bytes() == (place / "b.tar.gz").read_bytes()
    assert (first == second, files == other) == (True, first == third)


def _lay_out(folder: Path, files: dict[str, bytes]) -> None:
    """Write files that aren't empty folders' only content, so that folders follow from files."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_the_header_tells_neither_name_nor_time(folder: Path, tmp_path: Path) -> None:
    """Written under another name, at any time, the tarball has the same bytes; gzip finds its checksum right.

    RFC 1952: bytes 4 to 7 are the time, 0 for none; byte 3 says whether there is a name or a comment.
    """
    assert write(folder, tmp_path / "one.tar.gz") == write(folder, tmp_path / "deeper" / "other.tar.gz")
    header = (tmp_path / "one.tar.gz").read_bytes()[:8]
    assert (0, bytes(4)) == (header[3], header[4:])
    run("gzip", "--test", str(tmp_path / "one.tar.gz"))


def test_entries_are_sorted(tmp_path: Path) -> None:
    """The entries come in the order of their names, each folder before what it holds."""
    for number in range(40):
        path = tmp_path / "mirror" / "one.git" / f"d{number * 7 % 40:02}" / f"f{number * 3 % 10}"
        path.parent.mkdir(parents=True)
        path.write_text("")
    write(tmp_path / "mirror", tmp_path / "one.tar.gz")

    entries = [name.rstrip("/").split("/") for name in names_in(tmp_path / "one.tar.gz")[1:]]
    assert (81, sorted(entries)) == (len(entries), entries)


@pytest.mark.parametrize("largest_file", [0, 10_000, 1_500_000])
def test_a_full_disk_leaves_nothing(tmp_path: Path, largest_file: int) -> None:
    """A tarball that could not be written whole is not there, and the error says why."""
    repositories.make_repository(tmp_path / "mirror" / "one.git", size_bytes=2_000_000)

    with full_disk(largest_file), pytest.raises((ArchiveError, OSError), match=r"(?i)large"):
        write(tmp_path / "mirror", tmp_path / "out" / "one.tar.gz")

    assert set() == files_below(tmp_path / "out")


def test_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    """A symbolic link, which has no place in a mirror, could lead anywhere: nothing is written."""
    (folder / "one.git" / "objects" / "secret").symlink_to("/etc/passwd")

    with pytest.raises(ArchiveError, match="secret"):
        write(folder, tmp_path / "out" / "one.tar.gz")

    assert set() == files_below(tmp_path / "out")


def test_a_missing_mirror_leaves_nothing(tmp_path: Path) -> None:
    """Without anything to archive there is an error, not an empty tarball."""
    with pytest.raises((ArchiveError, OSError), match="nowhere"):
        write(tmp_path / "nowhere", tmp_path / "out" / "one.tar.gz")

    assert set() == files_below(tmp_path / "out")
