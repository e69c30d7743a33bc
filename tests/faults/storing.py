"""A backup of one small repository, ready to be uploaded: what the S3 tests store."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

TODAY = BackupName("lecture", dt.datetime.now(dt.UTC).date())
YESTERDAY = BackupName("lecture", TODAY.date - dt.timedelta(days=1))
KEY = naming.object_key(TODAY)
CONTENT = bytes(range(256)) * 1000


@dataclass(frozen=True)
class Space:
    """A prefix of a real bucket that is one test's own, as a client sees it without the library."""

    client: S3Client
    bucket: str
    prefix: str

    @property
    def address(self) -> str:
        """The address of the store."""
        return f"s3://{self.bucket}/{self.prefix}"

    def connect(self, endpoint_url: str | None = None, **options: object) -> S3Store:
        """Return the store, by way of another address than the environment's if given."""
        fields = {"bucket": self.bucket, "prefix": self.prefix, "endpoint_url": endpoint_url} | options
        return S3Store.connect(S3Settings.model_validate(fields))

    def objects(self) -> dict[str, bytes]:
        """Return what is stored, by key below the prefix."""
        listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix).get("Contents", ())
        return {item["Key"].removeprefix(self.prefix): self.read(item["Key"]) for item in listed}

    def read(self, key: str) -> bytes:
        """Return the content under a whole key."""
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def head(self) -> HeadObjectOutputTypeDef:
        """Return what the service says of today's backup."""
        return self.client.head_object(Bucket=self.bucket, Key=self.prefix + KEY)

    def uploads(self) -> list[str]:
        """Return the keys of the uploads in parts that are neither completed nor aborted."""
        uploads = self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return sorted(item["Key"] for item in uploads if item["Key"].startswith(self.prefix))


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
