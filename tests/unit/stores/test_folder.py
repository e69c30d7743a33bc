"""Promises of the folder store beyond those that every store makes: a full disk, and files of others."""

from __future__ import annotations

import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from repo_maintenance.errors import StoreError
from repo_maintenance.stores.folder import FolderStore
from tests.unit.making import digests_of, files_below, full_disk

KEY = "lecture/lecture-20240506.tar.gz"
OLD, NEW = b"old content", b"new " * 50_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the store's folder, which does not exist yet."""
    return tmp_path / "backups"


def put(
    folder: Path,
    content: bytes,
    metadata: dict[str, str] | None = None,
    *,
    replaces: str | None = None,
    largest_file: int = resource.RLIM_INFINITY,
) -> str:
    """Store some content, on a disk that takes no file above that size, and return its version."""
    source = folder.with_name("source")
    source.write_bytes(content)
    with full_disk(largest_file):
        stored = FolderStore(folder).put(
            KEY, source, digests_of(content), metadata or {"a": "b"}, replaces=replaces
        )
    return stored.version


def test_a_missing_folder_holds_nothing(folder: Path) -> None:
    """Before the first backup the folder need not exist, and looking does not make it."""
    store = FolderStore(folder)
    assert (list(store.list_objects()), store.find(KEY), folder.exists()) == ([], None, False)


def test_what_is_deleted_while_it_is_listed_is_left_out(folder: Path) -> None:
    """A report reads on while a prune works beside it; the list holds what is still there."""
    store = FolderStore(folder)
    for name in "abc":
        store.put_note(f"lecture/{name}.json", b"{}")

    listing = store.list_objects()
    first = next(listing)
    store.delete(["lecture/b.json"])

    assert ["lecture/a.json", "lecture/c.json"] == [first.key, *(one.key for one in listing)]


def test_a_note_that_two_write_at_once_is_whole(folder: Path) -> None:
    """Two runs that note the same have one of the two contents in the end, and neither fails."""
    contents = [letter * 200_000 for letter in (b"a", b"b")]

    def write(content: bytes) -> None:
        for _ in range(50):
            FolderStore(folder).put_note(".history/alerts.json", content)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, contents))

    assert FolderStore(folder).read_note(".history/alerts.json") in contents
    assert {".history/alerts.json"} == files_below(folder)


def test_the_backup_is_a_plain_file(folder: Path) -> None:
    """The tarball stands under its key, byte for byte, readable by whoever may read the folder."""
    put(folder, NEW)

    assert (folder / KEY).read_bytes() == NEW
    assert (folder / KEY).stat().st_mode & 0o777 == 0o644
    assert str(folder / KEY) == FolderStore(folder).locate(KEY)


def test_a_full_disk_leaves_nothing(folder: Path) -> None:
    """A backup that did not fit is not there, nor any part of it."""
    with pytest.raises((StoreError, OSError), match=r"(?i)large"):
        put(folder, NEW, largest_file=100_000)

    assert (set(), None) == (files_below(folder), FolderStore(folder).find(KEY))


def test_a_full_disk_leaves_the_old_backup(folder: Path) -> None:
    """A backup of the same day that did not fit leaves the one before as it was, with its metadata."""
    version = put(folder, OLD, {"a": "old"})
    before = {name: (folder / name).read_bytes() for name in files_below(folder)}

    with pytest.raises((StoreError, OSError)):
        put(folder, NEW, replaces=version, largest_file=100_000)

    assert before == {name: (folder / name).read_bytes() for name in files_below(folder)}


def test_a_disk_too_full_for_the_metadata_leaves_the_old_backup(folder: Path) -> None:
    """What is stored is never lost to one that could be stored only in part."""
    version = put(folder, OLD, {"a": "old"})

    with pytest.raises((StoreError, OSError)):
        put(folder, b"fits", {"a": "x" * 50_000}, replaces=version, largest_file=10_000)

    found = FolderStore(folder).find(KEY)
    assert found is not None
    assert ((folder / KEY).read_bytes(), found.metadata) == (OLD, {"a": "old"})


def test_files_of_others_are_left_alone(folder: Path) -> None:
    """A file that somebody put there is listed without metadata, and not overwritten."""
    (folder / "lecture").mkdir(parents=True)
    (folder / KEY).write_bytes(b"by hand")
    found = FolderStore(folder).find(KEY)

    assert found is not None
    assert (found.metadata, [one.key for one in FolderStore(folder).list_objects()]) == ({}, [KEY])
    with pytest.raises(StoreError):
        put(folder, NEW)
    assert (folder / KEY).read_bytes() == b"by hand"


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", "\x00\xff"])
def test_spoilt_metadata_stop_nobody(folder: Path, content: str) -> None:
    """Metadata that are cut or nonsense count as none, or as text: no run ends on them."""
    put(folder, OLD)
    [sidecar] = [name for name in files_below(folder) if name != KEY]
    (folder / sidecar).write_text(content, encoding="latin-1")

    found = FolderStore(folder).find(KEY)

    assert found is not None
    assert all(isinstance(value, str) for value in found.metadata.values())
