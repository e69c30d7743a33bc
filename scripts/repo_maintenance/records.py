"""Small JSON files that mean something by their content and their time: records, receipts, failures."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from repo_maintenance.naming import PARTIAL
from repo_maintenance.stores import StoredObject

Model = TypeVar("Model", bound=BaseModel)


class Receipt(BaseModel):
    """That a backup is stored, and what it holds; its file's time is the push that it holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository: str
    """``owner/name``."""
    repository_id: str
    backup_date: dt.date
    key: str
    """Object key below the store's prefix."""
    version: str
    """The store's version of the object: an ETag, or its like."""
    pushed_at: AwareDatetime
    size_bytes: int
    """Size of the tarball."""
    sha256: str
    md5: str
    refs_digest: str
    uploaded_at: AwareDatetime
    ref_count: int | None = None
    incomplete: str = ""
    """What the backup lacks, in words; empty where it lacks nothing."""
    note: str = ""
    """What is out of the ordinary, in words, though nothing is missing."""
    base_date: dt.date | None = None
    """The day of the full backup that it is an increment on; None where it is a full one."""
    base_sha256: str = ""
    """Of that full backup's tarball."""
    increment: int = 0
    """Which one it is on its base, counted from 1; 0 for a full one."""


class Replaced(Receipt):
    """The receipt of a backup of today while another one is made to replace it."""

    is_bad: bool = False
    """Whether it was tried, and can't be restored."""


class Failure(BaseModel):
    """That a step of a repository failed, and why; gone once the repository is backed up."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository: str
    """The name, without the owner."""
    step: str
    kind: str
    """What it is called, such as ``not found``."""
    message: str
    hint: str | None
    transient: bool
    log: str
    failed_at: AwareDatetime


def receipt_of(stored: StoredObject) -> Receipt | None:
    """Return the receipt of a stored object, made from its metadata.

    None where it was not stored by this tool, or is not as large as it was then.
    """
    if stored.metadata.get("size_bytes") != str(stored.size):
        return None
    fields = {**stored.metadata, "key": stored.key, "version": stored.version, "uploaded_at": stored.modified}
    try:
        return Receipt.model_validate({**fields, "size_bytes": stored.size})
    except ValidationError:
        return None


def read_json(path: Path, kind: type[Model]) -> Model | None:
    """Return what a file holds, or None where it is missing or not whole: it is then made again."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_json(path: Path, content: BaseModel, *, mtime: dt.datetime | None = None) -> None:
    """Write a file whole or not at all, only where its content changes, and give it a time."""
    text = content.model_dump_json(indent=2) + "\n"
    write_text_if_changed(path, text)
    if mtime is not None and path.stat().st_mtime != mtime.timestamp():
        os.utime(path, (mtime.timestamp(), mtime.timestamp()))


def write_text_if_changed(path: Path, text: str) -> None:
    """Write text through a temporary file and a rename; leave the file alone where it holds that already."""
    try:
        if path.read_bytes() == text.encode():
            return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=PARTIAL, encoding="utf-8", delete=False
    ) as target:
        partial = Path(target.name)
        try:
            target.write(text)
            target.close()
            partial.chmod(0o644)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
