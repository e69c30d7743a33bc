"""Uploads a file to S3 so that the service itself verifies every byte of it.

boto3's own transfer manager can't make an upload conditional (neither ``IfMatch`` nor ``IfNoneMatch`` is
among s3transfer's ``ALLOWED_UPLOAD_ARGS``), so parts are sent here, several at a time; s3transfer's is the
reader of a part.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import logging
import re
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.utils import ReadFileChunk

from repo_maintenance.errors import ChangedSourceError
from repo_maintenance.naming import parse_object_key
from repo_maintenance.stores.base import Digests
from repo_maintenance.stores.s3_answers import require_whole

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

logger = logging.getLogger(__name__)

MULTIPART_THRESHOLD_BYTES = 64 << 20
PART_BYTES = 16 << 20
# 10,000 parts at most: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_PARTS = 10_000
# Of all uploads together.
PARTS_AT_ONCE = 4
COPY_BYTES = 1 << 20
ETAG = re.compile(r'"[^"]+"')
_senders = ThreadPoolExecutor(PARTS_AT_ONCE)


class _Part(NamedTuple):
    """One part of an upload, once it is sent."""

    number: int
    md5: bytes
    sha256: bytes
    etag: str
    """What the service calls it: the MD5, but not where KMS or a customer's key encrypts."""

    def completed(self) -> CompletedPartTypeDef:
        """Return what completing the upload needs of it."""
        checksum = base64.b64encode(self.sha256).decode()
        return {"PartNumber": self.number, "ETag": self.etag, "ChecksumSHA256": checksum}


class Expected(NamedTuple):
    """What the service must report of an object that arrived whole."""

    checksum: str
    """The SHA-256 in base64; of an upload in N parts, that of the parts' digests, and ``-N``."""
    etag: str
    """The MD5 in hexadecimal, composed likewise; not so where KMS or a customer's key encrypts."""
    version: str = ""
    """The ETag that the service answered with: what tells this upload from another one after it."""


def upload(
    client: S3Client,
    bucket: str,
    key: str,
    source: Path,
    digests: Digests,
    *,
    options: Mapping[str, Any],
    condition: Mapping[str, Any],
) -> Expected:
    """Store ``source`` under ``key``: in one request, or in parts where it is 64 MiB or larger.

    Each request carries the MD5 (``Content-MD5``) and the SHA-256 of its body; S3 refuses a body that does
    not match (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
    ``options`` are S3's own arguments for a new object (metadata, storage class, …); ``condition`` holds
    ``IfMatch`` or ``IfNoneMatch``.

    Raises botocore's errors as they are, and ChangedSourceError where the file changed since it was digested.
    """
    common: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if digests.size < MULTIPART_THRESHOLD_BYTES:
        expected = Expected(_base64(digests.sha256), digests.md5)
        with source.open("rb") as body:
            answer: Mapping[str, Any] = client.put_object(
                **common,
                **options,
                **condition,
                Body=body,
                ContentMD5=_base64(digests.md5),
                ChecksumSHA256=expected.checksum,
            )
        return expected._replace(version=answer.get("ETag", ""))
    created = client.create_multipart_upload(**common, **options, ChecksumAlgorithm="SHA256")
    require_whole("CreateMultipartUpload", created, key)
    common["UploadId"] = created["UploadId"]
    try:
        parts = _send_parts(client, common, source, digests)
        completed = [part.completed() for part in parts]
        answer = client.complete_multipart_upload(**common, **condition, MultipartUpload={"Parts": completed})
    except BaseException:
        try:
            client.abort_multipart_upload(**common)
        except (BotoCoreError, ClientError) as error:
            logger.warning("the upload in parts is left over, a later run aborts it: %s", error)
        raise
    return _composite(parts)._replace(version=answer.get("ETag", ""))


def abort_stale_uploads(client: S3Client, bucket: str, prefix: str, before: dt.datetime) -> None:
    """Abort the uploads of backups below a prefix that were begun before a moment."""
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    begun = [item for page in pages for item in page.get("Uploads", ()) if item["Initiated"] < before]
    stale = [item for item in begun if parse_object_key(item["Key"].removeprefix(prefix))]
    for item in stale:
        logger.info("aborting an upload of %s that was cut off at %s", item["Key"], item["Initiated"])
        client.abort_multipart_upload(Bucket=bucket, Key=item["Key"], UploadId=item["UploadId"])


def _send_parts(client: S3Client, common: Mapping[str, Any], source: Path, digests: Digests) -> list[_Part]:
    """Send the parts, several at a time; returns them in order.

    A part is read twice, once to be digested and once to be sent, and is never in memory as a whole. Should
    it have changed in between, the service refuses it.
    """
    whole = hashlib.sha256()
    size, count = _part_bytes(digests.size), _count_parts(digests.size)
    pending: deque[Future[_Part]] = deque()
    parts: list[_Part] = []
    with source.open("rb") as stream:
        try:
            for number in range(1, count + 1):
                known = _digest_part(stream, number, size, whole)
                pending.append(_senders.submit(_send_part, client, common, source, size, known))
                while len(pending) > PARTS_AT_ONCE or (pending and number == count):
                    parts.append(pending.popleft().result())
                    logger.info("part %d of %d sent", len(parts), count)
        finally:
            wait(pending)  # what is sent after an upload was aborted would stay, and be paid for
    if whole.hexdigest() != digests.sha256:
        raise ChangedSourceError(f"{source} changed after it was digested")
    return parts


def _digest_part(stream: BinaryIO, number: int, size: int, whole: hashlib._Hash) -> _Part:
    """Read the next ``size`` bytes, and return by what the service will know them."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    left = size
    while left and (piece := stream.read(min(left, COPY_BYTES))):
        for digest in (whole, md5, sha256):
            digest.update(piece)
        left -= len(piece)
    return _Part(number, md5.digest(), sha256.digest(), f'"{md5.hexdigest()}"')


def _send_part(client: S3Client, common: Mapping[str, Any], source: Path, size: int, part: _Part) -> _Part:
    """Send a part; returns it as the service calls it."""
    with ReadFileChunk.from_filename(str(source), (part.number - 1) * size, size) as body:
        answer = client.upload_part(
            **common,
            PartNumber=part.number,
            Body=cast(IO[bytes], body),
            ContentMD5=base64.b64encode(part.md5).decode(),
            ChecksumSHA256=base64.b64encode(part.sha256).decode(),
        )
    etag = answer.get("ETag", "")
    is_whole = ETAG.fullmatch(etag)  # an answer may be cut in the middle of it
    return part._replace(etag=etag) if is_whole else part


def _part_bytes(size: int) -> int:
    return max(PART_BYTES, -(-size // MAX_PARTS))


def _count_parts(size: int) -> int:
    return -(-size // _part_bytes(size))


def _composite(parts: Sequence[_Part]) -> Expected:
    """Return what S3 reports of an object in parts: the digest of the parts' digests, and their number."""
    checksum = base64.b64encode(hashlib.sha256(b"".join(part.sha256 for part in parts)).digest()).decode()
    etag = hashlib.md5(b"".join(part.md5 for part in parts), usedforsecurity=False).hexdigest()
    return Expected(f"{checksum}-{len(parts)}", f"{etag}-{len(parts)}")


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
