"""The stores that every store's promises are checked on; a further one is one function and one line."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repo_maintenance.settings import S3Settings
from repo_maintenance.stores import Store, StoredObject
from repo_maintenance.stores.folder import FolderStore
from repo_maintenance.stores.s3 import S3Store
from tests.unit.making import digests_of, files_below

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "backups/"


@dataclass
class Backend:
    """An empty store, and a look at what stands in it by other means than its own."""

    store: Store
    place: Path
    """A folder for files that are then stored."""
    stored: Callable[[], set[str]]
    """All keys that there are, also outside of the store's prefix or folder."""
    read: Callable[[str], bytes]
    """An object's content."""
    write: Callable[[str, bytes], None]
    """Puts an object there."""

    def put(
        self,
        key: str,
        content: bytes,
        metadata: dict[str, str] | None = None,
        *,
        replaces: str | None = None,
        digested: bytes | None = None,
    ) -> StoredObject:
        """Store some content; the digests are those of `digested` where the content changed since."""
        source = self.place / f"source-{os.getpid()}-{threading.get_ident()}"
        source.write_bytes(content)
        digests = digests_of(content if digested is None else digested)
        return self.store.put(key, source, digests, metadata or {}, replaces=replaces)

    def fill(self, keys: list[str]) -> None:
        """Put many small objects there, each with its key as its content."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: self.write(key, key.encode()), keys))

    def listed(self) -> list[str]:
        """Return the keys that the store lists, sorted."""
        return sorted(one.key for one in self.store.list_objects())


def folder_backend(request: pytest.FixtureRequest, place: Path) -> Backend:
    """Return a folder store in a folder that does not exist yet."""
    _ = request
    outer = place / "outer"
    folder = outer / PREFIX

    def stored() -> set[str]:
        found = files_below(outer) if outer.is_dir() else set()
        return {name for name in found if not name.endswith(".metadata.json")}

    def read(key: str) -> bytes:
        return (folder / key).read_bytes()

    def write(key: str, content: bytes) -> None:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)

    return Backend(FolderStore(folder), place, stored, read, write)


def s3_backend(request: pytest.FixtureRequest, place: Path) -> Backend:
    """Return a store in a new bucket of the session's SeaweedFS."""
    request.getfixturevalue("s3_environment")
    client: S3Client = request.getfixturevalue("s3_client")
    bucket: str = request.getfixturevalue("bucket")

    def stored() -> set[str]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {item["Key"] for page in pages for item in page.get("Contents", ())}

    def read(key: str) -> bytes:
        return client.get_object(Bucket=bucket, Key=PREFIX + key)["Body"].read()

    def write(key: str, content: bytes) -> None:
        client.put_object(Bucket=bucket, Key=PREFIX + key, Body=content)

    return Backend(S3Store.connect(S3Settings(bucket=bucket, prefix=PREFIX)), place, stored, read, write)


BACKENDS = {"folder": folder_backend, "s3": s3_backend}
