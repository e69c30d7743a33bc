"""What a store of backups is, and what every store must promise (``tests/integration/test_stores.py``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from repo_maintenance.findings import Finding


@dataclass(frozen=True)
class StoredObject:
    """One object as the store reports it."""

    key: str
    """Its key, below the store's prefix."""
    size: int
    """In bytes."""
    version: str
    """Changes with the content: an ETag, or its like."""
    modified: dt.datetime
    """When it was stored, by the store's clock, in UTC."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What was stored with it; empty in listings."""
    storage_class: str = "STANDARD"
    """What it is billed as, where the store has such classes."""


@dataclass(frozen=True)
class Digests:
    """What a file's content is known by: lower-case hexadecimal digests, and its size in bytes."""

    size: int
    md5: str
    sha256: str


class Store(Protocol):
    """Where backups go: objects under keys, each with metadata."""

    @property
    def description(self) -> str:
        """What a user calls this store, such as ``s3://bucket/backups/``."""
        ...

    def locate(self, key: str) -> str:
        """Return the whole address of a key, such as ``s3://bucket/backups/key``."""
        ...

    def check(self) -> Iterator[Finding]:
        """Yield what is to be known before a run: that it can be reached and written, and is not public."""
        ...

    def check_writable(self) -> Finding:
        """Return whether something can be stored; cheap enough for the start of every run."""
        ...

    def clear_stale(self, before: dt.datetime) -> None:
        """Remove what transfers that were cut off before a moment have left behind."""
        ...

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object below the store's prefix, a thousand a request, in no promised order."""
        ...

    def find(self, key: str) -> StoredObject | None:
        """Return the object with its metadata, or None where there is none."""
        ...

    def download(self, key: str, target: Path) -> None:
        """Write an object's content to a file, in pieces; what arrived is for the caller to check.

        Raises StoreError, also where there is no such object.
        """
        ...

    def put_note(self, key: str, content: bytes) -> None:
        """Store a few bytes, overwriting what was there: a proof, say, never a backup; raises StoreError."""
        ...

    def read_note(self, key: str) -> bytes | None:
        """Return what a note holds, or None where there is none; raises StoreError."""
        ...

    def keeps_versions(self) -> bool:
        """Return whether what is overwritten or deleted goes on taking room, and can be had back."""
        ...

    def delete(self, keys: Sequence[str]) -> dict[str, str]:
        """Delete objects, a thousand a request, and return why for each that could not be."""
        ...

    def put(
        self, key: str, source: Path, digests: Digests, metadata: Mapping[str, str], *, replaces: str | None
    ) -> StoredObject:
        """Store a file whole, check what the store then reports, and return that.

        ``replaces`` is the version that may be overwritten; None stores only where the key is free.
        ``metadata`` has lower-case ASCII keys; values hold any text, but are never empty.

        Raises AlreadyStoredError where the key holds another version, ChangedSourceError where the file is
        not what ``digests`` says, and StoreError (or OSError, of a local disk) where it did not arrive
        whole. A failed call leaves what was stored before as it was.
        """
        ...
