"""An S3 bucket, or one of a compatible service, as a store."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, unquote

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from repo_maintenance.errors import AlreadyStoredError, StoreError
from repo_maintenance.findings import Finding
from repo_maintenance.settings import S3Settings
from repo_maintenance.stores.base import Digests, StoredObject
from repo_maintenance.stores.s3_answers import await_no_continue, require_whole, retry_cut_answers
from repo_maintenance.stores.s3_check import check_bucket, check_writable
from repo_maintenance.stores.s3_errors import explain
from repo_maintenance.stores.s3_options import backup_options, note_options
from repo_maintenance.stores.s3_retries import count_retries
from repo_maintenance.stores.s3_session import open_session
from repo_maintenance.stores.s3_upload import Expected, abort_stale_uploads, upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 32
CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 60
ATTEMPTS = 5
KEYS_A_REQUEST = 1000
DOWNLOAD_PART_BYTES = 64 << 20
# Metadata are headers, so ASCII; what else a value holds is percent-encoded, this much stays readable.
SAFE_IN_METADATA = "/:+,=@"


class S3Store:
    """Objects below one prefix of one bucket."""

    def __init__(self, client: S3Client, settings: S3Settings) -> None:
        self._client = client
        retry_cut_answers(client)
        await_no_continue(client)
        count_retries(client)
        self._settings = settings
        self._bucket = settings.bucket
        self._prefix = settings.prefix
        self.description = f"s3://{settings.bucket}/{settings.prefix}"

    @classmethod
    def connect(cls, settings: S3Settings) -> S3Store:
        """Return the store; credentials come by boto3's own chain (environment, role, instance profile)."""
        config = Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            max_pool_connections=MAX_CONNECTIONS,
            # Checksums are sent by s3_upload, in a form that compatible services understand too.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Compatible services know the bucket in the path; AWS itself prefers it in the host name.
            s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        )
        try:
            client = open_session().client(
                "s3", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
            )
        except (BotoCoreError, ValueError) as error:
            raise StoreError(f"backup.s3: {error}") from error
        return cls(client, settings)

    def locate(self, key: str) -> str:
        """Return the address of a key, as the AWS command line has it."""
        return f"s3://{self._bucket}/{self._prefix}{key}"

    def check(self) -> Iterator[Finding]:
        """Yield what is found of the bucket."""
        yield from check_bucket(self._client, self._settings, now=dt.datetime.now(dt.UTC))

    def check_writable(self) -> Finding:
        """Say whether an object can be stored."""
        return check_writable(self._client, self._settings)

    def clear_stale(self, before: dt.datetime) -> None:
        """Abort uploads in parts that were begun before a moment: their parts cost money and show nowhere."""
        try:
            abort_stale_uploads(self._client, self._bucket, self._prefix, before)
        except (BotoCoreError, ClientError) as error:
            logger.warning("%s", explain(error, "abort left-over uploads in", self.description))

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object below the prefix, a thousand a request."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, PaginationConfig={"PageSize": 1000}
        )
        try:
            for page in pages:
                require_whole("ListObjectsV2", page, self.description)
                for item in page.get("Contents", ()):
                    yield StoredObject(
                        key=item["Key"].removeprefix(self._prefix),
                        size=item["Size"],
                        version=item["ETag"],
                        modified=item["LastModified"],
                        storage_class=item.get("StorageClass", "STANDARD"),
                    )
        except (BotoCoreError, ClientError) as error:
            raise explain(error, "list", self.description) from error

    def find(self, key: str) -> StoredObject | None:
        """Return the object with its metadata, or None where there is none."""
        answer = self._head(key)
        return _describe(key, answer) if answer else None

    def download(self, key: str, target: Path) -> None:
        """Write an object to a file; s3transfer asks again for what a cut connection left out."""
        config = TransferConfig(use_threads=False, multipart_threshold=DOWNLOAD_PART_BYTES)
        try:
            self._client.download_file(self._bucket, self._prefix + key, str(target), Config=config)
        except (BotoCoreError, ClientError, Boto3Error) as error:
            raise explain(error, "read", self.locate(key)) from error

    def put_note(self, key: str, content: bytes) -> None:
        """Store a few bytes with their MD5, which the service verifies."""
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        options = {**note_options(self._settings), "Body": content, "ContentMD5": md5}
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, **options)
        except (BotoCoreError, ClientError) as error:
            raise explain(error, "write", self.locate(key)) from error

    def read_note(self, key: str) -> bytes | None:
        """Return what a few bytes hold; see ``Store.read_note``."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            return answer["Body"].read()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                return None
            raise explain(error, "read", self.locate(key)) from error
        except (BotoCoreError, KeyError) as error:
            raise StoreError(f"can't read {self.locate(key)}: {error}") from error

    def keeps_versions(self) -> bool:
        """Return whether the bucket has versioning enabled; False where it does not tell."""
        try:
            return self._client.get_bucket_versioning(Bucket=self._bucket).get("Status") == "Enabled"
        except (BotoCoreError, ClientError):
            return False

    def delete(self, keys: Sequence[str]) -> dict[str, str]:
        """Delete objects, a thousand a request."""
        refused = {}
        for start in range(0, len(keys), KEYS_A_REQUEST):
            batch = [{"Key": self._prefix + key} for key in keys[start : start + KEYS_A_REQUEST]]
            try:
                answer = self._client.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": batch, "Quiet": True},  # type: ignore[typeddict-item]
                    ChecksumAlgorithm="SHA256",
                )
            except (BotoCoreError, ClientError) as error:
                raise explain(error, "delete objects in", self.description) from error
            for item in answer.get("Errors", ()):
                refused[item["Key"].removeprefix(self._prefix)] = f"{item['Code']}: {item['Message']}"
        return refused

    def put(
        self, key: str, source: Path, digests: Digests, metadata: Mapping[str, str], *, replaces: str | None
    ) -> StoredObject:
        """Upload with checksums that the service verifies, and check what it reports; see ``Store.put``."""
        encoded = {name: quote(value, safe=SAFE_IN_METADATA) for name, value in metadata.items()}
        target = self.locate(key)
        condition: dict[str, Any] = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        try:
            expected = upload(
                self._client,
                self._bucket,
                self._prefix + key,
                source,
                digests,
                options={
                    **backup_options(self._settings),
                    "Metadata": encoded,
                    "ContentType": "application/gzip",
                },
                condition=condition,
            )
        except (BotoCoreError, ClientError) as error:
            raise explain(error, "write", target) from error
        answer = self._check(key, digests.size, expected, encoded)
        return _describe(key, answer)

    def _check(
        self, key: str, size: int, expected: Expected, metadata: Mapping[str, str]
    ) -> HeadObjectOutputTypeDef:
        """Return what the service reports of an upload; what is not as it was sent is deleted again."""
        answer = self._reported(key, expected)
        cut = any(answer["Metadata"].get(name) != value for name, value in metadata.items())
        if cut or _find_difference(answer, size, expected):  # or the answer was cut in the middle of a digest
            answer = self._reported(key, expected)
        if problem := _find_difference(answer, size, expected):
            self._delete_wrong(self.locate(key), key, problem)
        return answer

    def _reported(self, key: str, expected: Expected) -> HeadObjectOutputTypeDef:
        """Return what the service reports of the object that was just sent."""
        answer = self._head(key)
        if answer is None:
            raise StoreError(f"{self.locate(key)}: the upload was confirmed, but nothing is stored")
        if expected.version and answer["ETag"] != expected.version:
            raise AlreadyStoredError(
                f"{self.locate(key)} was replaced by another run right after this upload"
            )
        return answer

    def _delete_wrong(self, target: str, key: str, problem: str) -> NoReturn:
        """Remove an object that is not what was sent, before anybody believes it; raises StoreError."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)
        except (BotoCoreError, ClientError) as error:
            refused = explain(error, "delete", target)
            raise StoreError(f"{target}: {problem}; {refused.message}", hint="delete it by hand") from error
        raise StoreError(f"{target}: {problem}; it was deleted again", hint="run the backup again")

    def _head(self, key: str) -> HeadObjectOutputTypeDef | None:
        """Return what the service reports of an object, None where there is none.

        An answer without this tool's metadata may be one that was cut among them, so it is asked for twice.
        """
        try:
            answer = self._ask_head(key)
            whole = answer is None or "refs_digest" in answer["Metadata"]
            return answer if whole else self._ask_head(key)
        except ValueError:  # botocore's, for a date that was cut
            return self._ask_head(key)

    def _ask_head(self, key: str) -> HeadObjectOutputTypeDef | None:
        try:
            answer = self._client.head_object(
                Bucket=self._bucket, Key=self._prefix + key, ChecksumMode="ENABLED"
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                return None
            raise explain(error, "read", self.locate(key)) from error
        except BotoCoreError as error:
            raise explain(error, "read", self.locate(key)) from error
        require_whole("HeadObject", answer, self.locate(key))
        return answer


def _describe(key: str, answer: HeadObjectOutputTypeDef) -> StoredObject:
    return StoredObject(
        key=key,
        size=answer["ContentLength"],
        version=answer["ETag"],
        modified=answer["LastModified"],
        metadata={name: unquote(value) for name, value in answer["Metadata"].items()},
    )


def _find_difference(answer: HeadObjectOutputTypeDef, size: int, expected: Expected) -> str | None:
    """Return what the service reports other than it should, or None.

    An ETag is an MD5 only where S3 itself holds the key, or none:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    if answer["ContentLength"] != size:
        return f"{size} bytes were sent, but {answer['ContentLength']} are stored"
    if "ChecksumSHA256" in answer:
        checksum = answer["ChecksumSHA256"]
        wrong = checksum != expected.checksum
        return f"SHA-256 {expected.checksum} was sent, but {checksum} is stored" if wrong else None
    if "SSECustomerAlgorithm" in answer or "SSEKMSKeyId" in answer:
        return None
    etag = answer["ETag"].strip('"')
    return f"MD5 {expected.etag} was sent, but {etag} is stored" if etag != expected.etag else None
