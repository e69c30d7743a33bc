"""Promises of the small files: whole or not there, and their time means something."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from repo_maintenance.hosts import Repository
from repo_maintenance.records import Receipt, read_json, receipt_of, write_json, write_text_if_changed
from repo_maintenance.stores import StoredObject
from tests.unit.making import PUSHED_AT, files_below, full_disk, repository

METADATA = {
    "repository": "acme/lecture",
    "repository_id": "17",
    "backup_date": "2024-05-06",
    "pushed_at": "2024-05-06T07:08:09+00:00",
    "size_bytes": "12",
    "sha256": "ab" * 32,
    "md5": "cd" * 16,
    "refs_digest": "ef" * 32,
    "default_branch": "main",
}


def stored(metadata: dict[str, str]) -> StoredObject:
    """Return an object that carries that metadata."""
    return StoredObject("lecture/lecture-20240506.tar.gz", 12, "v1", PUSHED_AT, metadata)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """A record holds everything that the host said, and its file's time is the push."""
    path = tmp_path / "new" / "lecture.json"
    record = repository(description='Ünïcode "quoted"\n日本', topics=("a", "b"))

    write_json(path, record, mtime=PUSHED_AT)

    assert record == read_json(path, Repository)
    assert PUSHED_AT.timestamp() == path.stat().st_mtime
    assert {"lecture.json"} == files_below(path.parent)


def test_an_unchanged_file_is_left_alone(tmp_path: Path) -> None:
    """Writing the same again changes neither the file nor its time: nothing is built anew for it."""
    path = tmp_path / "lecture.json"
    write_json(path, repository(), mtime=PUSHED_AT)
    before = path.stat()

    write_json(path, repository(), mtime=PUSHED_AT)

    assert (before.st_ino, before.st_mtime_ns) == (path.stat().st_ino, path.stat().st_mtime_ns)


def test_a_time_that_drifted_is_set_again(tmp_path: Path) -> None:
    """A file touched by someone else gets the time that it stands for."""
    path = tmp_path / "lecture.json"
    write_json(path, repository(), mtime=PUSHED_AT)
    os.utime(path, (0, 0))

    write_json(path, repository(), mtime=PUSHED_AT)

    assert PUSHED_AT.timestamp() == path.stat().st_mtime


def test_a_push_changes_content_and_time(tmp_path: Path) -> None:
    """A record says by its content, too, that there was a push: Snakemake compares small files by content."""
    path = tmp_path / "lecture.json"
    write_json(path, repository(), mtime=PUSHED_AT)
    before, later = path.read_bytes(), PUSHED_AT + dt.timedelta(seconds=1)

    write_json(path, repository(pushed_at=later), mtime=later)

    assert (later.timestamp(), False) == (path.stat().st_mtime, before == path.read_bytes())


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b'{"name": "x"}', b"\xff\xfe", b"[]", b"null", b"\0" * 100]
)
def test_a_file_that_is_not_whole_counts_as_missing(tmp_path: Path, content: bytes | None) -> None:
    """A missing, cut or foreign file is made again; it stops nobody."""
    path = tmp_path / "lecture.json"
    if content is not None:
        path.write_bytes(content)

    assert read_json(path, Repository) is None


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """A write that fails half-way changes nothing and leaves nothing beside the file."""
    path = tmp_path / "lecture.json"
    write_text_if_changed(path, "before")

    with full_disk(4096), pytest.raises(OSError, match="large"):
        write_text_if_changed(path, "x" * 100_000)

    assert ("before", {"lecture.json"}) == (path.read_text(), files_below(tmp_path))


def test_a_receipt_comes_from_the_object_alone() -> None:
    """A fresh machine learns all that it needs of a backup from what is stored with it."""
    receipt = receipt_of(stored(METADATA))

    assert receipt == Receipt(
        repository="acme/lecture",
        repository_id="17",
        backup_date=dt.date(2024, 5, 6),
        key="lecture/lecture-20240506.tar.gz",
        version="v1",
        pushed_at=PUSHED_AT,
        size_bytes=12,
        sha256="ab" * 32,
        md5="cd" * 16,
        refs_digest="ef" * 32,
        uploaded_at=PUSHED_AT,
    )


@pytest.mark.parametrize("missing", ["repository", "backup_date", "pushed_at", "sha256", "refs_digest"])
def test_an_object_of_other_origin_gives_no_receipt(missing: str) -> None:
    """An object that does not say what it holds, such as one copied there by hand, counts for nothing."""
    metadata = {key: value for key, value in METADATA.items() if key != missing}
    assert receipt_of(stored(metadata)) is None


def test_an_object_that_lies_about_its_push_gives_no_receipt() -> None:
    """A time without a zone, or none, is no time to compare pushes by."""
    for nonsense in ("", "yesterday", "2024-05-06T07:08:09"):
        assert receipt_of(stored(METADATA | {"pushed_at": nonsense})) is None
