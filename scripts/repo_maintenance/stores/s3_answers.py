"""Tells a whole answer of S3 from one that was cut off in its headers, which botocore takes for a success.

Python's HTTP client ends the headers where the connection ends (seen with 3.11): such an answer has status
200, no body, and lacks fields that S3 always sends. A listing of that kind would pass for an empty bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.handlers import add_expect_header

from repo_maintenance.errors import StoreError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ATTEMPTS = 5
SUCCESS = 200
# What each answer always has: https://docs.aws.amazon.com/AmazonS3/latest/API/
REQUIRED = {
    "ListObjectsV2": ("Name", "IsTruncated"),
    "HeadObject": ("ContentLength", "ETag", "LastModified"),
    "PutObject": ("ETag",),
    "CreateMultipartUpload": ("UploadId",),
    "UploadPart": ("ETag",),
    "CompleteMultipartUpload": ("ETag",),
}


def retry_cut_answers(client: S3Client) -> None:
    """Have a client ask again, after growing waits, where an answer lacks what S3 always sends."""

    def wait_seconds(response: Any, operation: Any, attempts: int, **_others: Any) -> float | None:
        if response is None or attempts >= ATTEMPTS:
            return None
        http, parsed = response
        is_cut = http.status_code == SUCCESS and _lacking(operation.name, parsed)
        return 0.1 * 2**attempts if is_cut else None

    client.meta.events.register("needs-retry.s3", wait_seconds)  # type: ignore[arg-type]


def await_no_continue(client: S3Client) -> None:
    """Have a client send bodies at once, instead of asking first whether it may (``Expect: 100-continue``).

    Botocore reads for ever where the connection ends within the answer to that question: its
    ``_consume_headers`` takes the end of the stream for one more line (seen with 1.44). It is also a round
    trip less for each upload.
    """
    client.meta.events.unregister("before-call.s3", add_expect_header)


def require_whole(operation: str, answer: Mapping[str, Any], target: str) -> None:
    """Raise StoreError for an answer that is still not whole after all attempts."""
    if lacking := _lacking(operation, answer):
        raise StoreError(f"{target}: the store's answer broke off, it lacks {', '.join(lacking)}")


def _lacking(operation: str, answer: Mapping[str, Any]) -> list[str]:
    return [name for name in REQUIRED.get(operation, ()) if name not in answer]
