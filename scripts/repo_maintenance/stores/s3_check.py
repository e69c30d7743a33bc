"""Whether a bucket is fit for backups: reachable, writable, not public, versioned, encrypted, locked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from repo_maintenance.clock import check_clock
from repo_maintenance.findings import Finding, failure, ok, warning
from repo_maintenance.settings import S3Settings
from repo_maintenance.stores.s3_errors import explain
from repo_maintenance.stores.s3_options import note_options

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What a service answers where nothing is set, or where it does not know the question.
PLAIN_WORDS = {
    "NoSuchPublicAccessBlockConfiguration": "none",
    "ServerSideEncryptionConfigurationNotFoundError": "none by default",
    "ObjectLockConfigurationNotFoundError": "not enabled",
    "NotImplemented": "this service does not say",
}
PROBE = ".repo-maintenance-probe"
PROBE_CONTENT = b"written to see whether this can be written\n"
SUBJECT = "bucket"


def check_bucket(client: S3Client, settings: S3Settings, *, now: dt.datetime) -> Iterator[Finding]:
    """Yield what is found of the bucket; a bucket that can't be reached is the only finding."""
    name = f"s3://{settings.bucket}"
    try:
        answer = client.list_objects_v2(Bucket=settings.bucket, Prefix=settings.prefix, MaxKeys=1)
    except (BotoCoreError, ClientError) as error:
        found = explain(error, "reach", name)
        yield failure(SUBJECT, found.message, found.hint)
        return
    yield ok(SUBJECT, f"{name} is reachable")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    yield check_clock("the store", headers.get("date"), now)
    yield check_writable(client, settings)
    yield from _check_public(client, settings.bucket)
    yield _check_versioning(client, settings)
    yield _check_encryption(client, settings)
    if settings.object_lock is not None:
        yield _check_object_lock(client, settings.bucket)


def check_writable(client: S3Client, settings: S3Settings) -> Finding:
    """Store a few bytes under a name that is no backup's; they stay, so no right to delete is needed."""
    key = settings.prefix + PROBE
    try:
        client.put_object(Bucket=settings.bucket, Key=key, Body=PROBE_CONTENT, **note_options(settings))
    except (BotoCoreError, ClientError) as error:
        found = explain(error, "write", f"s3://{settings.bucket}/{key}")
        return failure(SUBJECT, found.message, found.hint)
    return ok(SUBJECT, f"s3://{settings.bucket}/{settings.prefix} is writable")


def _check_public(client: S3Client, bucket: str) -> Iterator[Finding]:
    remedy = "block all public access to the bucket"
    blocked = _ask(lambda: client.get_public_access_block(Bucket=bucket))
    if isinstance(blocked, str):
        yield warning(SUBJECT, f"public access block: {blocked}", remedy)
    else:
        switches = blocked["PublicAccessBlockConfiguration"]
        if all(switches.values()):
            yield ok(SUBJECT, "public access is blocked")
        else:
            open_ones = ", ".join(name for name, is_on in switches.items() if not is_on)
            yield warning(SUBJECT, f"public access is not blocked whole: {open_ones}", remedy)
    status = _ask(lambda: client.get_bucket_policy_status(Bucket=bucket))
    if not isinstance(status, str) and status["PolicyStatus"].get("IsPublic"):
        yield failure(SUBJECT, "its policy makes it public", "take the public statement out of the policy")
    elif isinstance(status, str) and "NoSuchBucketPolicy" not in status:
        yield warning(SUBJECT, f"policy status: {status}", "check by hand that the policy is not public")
    else:
        yield ok(SUBJECT, "its policy is not public")


def _check_versioning(client: S3Client, settings: S3Settings) -> Finding:
    answer = _ask(lambda: client.get_bucket_versioning(Bucket=settings.bucket))
    remedy = "enable versioning: it keeps what is overwritten or deleted"
    if isinstance(answer, str):
        return warning(SUBJECT, f"versioning: {answer}", remedy)
    if answer.get("Status") == "Enabled":
        return ok(SUBJECT, "versioning is enabled")
    needed = settings.object_lock is not None
    return (failure if needed else warning)(SUBJECT, "versioning is not enabled", remedy)


def _check_encryption(client: S3Client, settings: S3Settings) -> Finding:
    if settings.sse is not None:
        return ok(SUBJECT, f"each object is encrypted as configured: {settings.sse}")
    answer = _ask(lambda: client.get_bucket_encryption(Bucket=settings.bucket))
    remedy = "set backup.s3.sse, or a default encryption of the bucket"
    if isinstance(answer, str):
        return warning(SUBJECT, f"encryption: {answer}", remedy)
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    kinds = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "none") for rule in rules]
    return ok(SUBJECT, f"encrypted by default: {', '.join(kinds)}")


def _check_object_lock(client: S3Client, bucket: str) -> Finding:
    answer = _ask(lambda: client.get_object_lock_configuration(Bucket=bucket))
    if isinstance(answer, str):
        return failure(
            SUBJECT, f"object lock: {answer}", "make a bucket with object lock, or drop object_lock"
        )
    return ok(SUBJECT, "object lock is enabled")


def _ask(call: Callable[[], Any]) -> Any:
    """Return the service's answer, or in a few words why there is none."""
    try:
        return call()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code") or "no answer"
        return PLAIN_WORDS.get(code, code)
    except BotoCoreError as error:
        return str(error)
