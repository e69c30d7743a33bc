"""A backup of one small repository, ready to be uploaded: what the S3 tests store."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repo_maintenance import naming
from repo_maintenance.errors import JobFailedError
from repo_maintenance.naming import BackupName
from repo_maintenance.records import Failure, Receipt, read_json, write_json
from repo_maintenance.settings import S3Settings
from repo_maintenance.stores import Store
from repo_maintenance.stores.s3 import S3Store
from tests.servers.repositories import make_repository
from tests.unit.making import (
    digests_of,
    listed,
    settings_with,
    step_archive,
    step_mirror,
    step_upload,
    tarball_path,
)

TODAY = BackupName("lecture", dt.datetime.now(dt.UTC).date())
YESTERDAY = BackupName("lecture", TODAY.date - dt.timedelta(days=1))
KEY = naming.object_key(TODAY)
CONTENT = bytes(range(256)) * 1000


def connect(bucket: str, prefix: str, *, endpoint_url: str | None = None, **options: object) -> S3Store:
    """Return a store below a prefix, at another address than the environment's if given."""
    fields = {"bucket": bucket, "prefix": prefix, "endpoint_url": endpoint_url} | options
    return S3Store.connect(S3Settings.model_validate(fields))


def put(store: Store, content: bytes = CONTENT, *, replaces: str | None = None) -> None:
    """Store some content under the key of today's backup."""
    Path("source").write_bytes(content)
    store.put(KEY, Path("source"), digests_of(content), {"made": "by hand"}, replaces=replaces)


def make_tarball(name: BackupName = TODAY, *, size_bytes: int = 0) -> bytes:
    """Run the first two steps of a backup of a small repository, and return the tarball's content."""
    upstream = Path("upstream")
    if not upstream.exists():
        make_repository(upstream / "lecture.git", size_bytes=size_bytes)
    source = listed(upstream)["lecture"]
    write_json(naming.record_path("lecture"), source, mtime=source.pushed_at)
    step_mirror(settings_with(folder=upstream), "lecture")
    step_archive(name)
    return tarball_path(name).read_bytes()


@dataclass
class Outcome:
    """How the last step of a backup ended."""

    receipt: Receipt | None
    failure: Failure | None


def upload(store: Store, name: BackupName = TODAY) -> Outcome:
    """Run the step that uploads and writes the receipt; its failure is returned, any other error raised."""
    with suppress(JobFailedError):
        step_upload(store, name)
    return Outcome(
        read_json(naming.receipt_path(name), Receipt), read_json(naming.failure_path(name.repo), Failure)
    )
