"""What S3 refuses, each in one line with a remedy; what is never overwritten; and two runs at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import PreflightError, StoreError
from repo_maintenance.preflight import require
from repo_maintenance.records import Replaced, write_json
from tests.faults.s3_gateway import S3Gateway
from tests.faults.storing import CONTENT, KEY, TODAY, YESTERDAY, Space, make_tarball, put, upload
from tests.servers.github import FakeGitHub
from tests.servers.repositories import push_commit

pytestmark = pytest.mark.usefixtures("s3_environment")
# What AWS answers, after https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and the remedy.
REFUSALS = {
    "denied": (403, "AccessDenied", "Access Denied", "policy"),
    "no bucket": (404, "NoSuchBucket", "The specified bucket does not exist", "backup.s3.bucket"),
    "another region": (301, "PermanentRedirect", "Use the specified endpoint.", "backup.s3.region"),
    "a region in the signature": (
        400,
        "AuthorizationHeaderMalformed",
        "the region 'us-east-1' is wrong; expecting 'eu-west-1'",
        "backup.s3.region",
    ),
    "a location": (
        400,
        "IllegalLocationConstraintException",
        "The unspecified location constraint is incompatible for the region",
        "backup.s3.region",
    ),
    "expired": (400, "ExpiredToken", "The provided token has expired.", "expired"),
    "another key": (403, "InvalidAccessKeyId", "The key does not exist", "AWS_ACCESS_KEY_ID"),
    "another secret": (403, "SignatureDoesNotMatch", "It does not match", "AWS_SECRET_ACCESS_KEY"),
    "a wrong clock": (403, "RequestTimeTooSkewed", "The difference is too large", "clock"),
    "a bad token": (400, "InvalidToken", "The provided token is malformed", "AWS_SESSION_TOKEN"),
    "a key that may not": (400, "KMS.DisabledException", "The key is disabled.", "kms_key_id"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_one_line_with_a_remedy(space: Space, gateway: S3Gateway, kind: str) -> None:
    """The error names the action, what it was done to, S3's reason and what to do; asking again is no use."""
    status, code, message, remedy = REFUSALS[kind]
    refusal = gateway.refuse(
        status, code, where=lambda asked: asked.method in {"PUT", "GET"}, message=message
    )
    store = space.connect(gateway.url)

    with pytest.raises(StoreError) as unwritten:
        put(store)
    with pytest.raises(StoreError) as unlisted:
        list(store.list_objects())

    assert 2 == refusal.hits
    for refused, action in ((unwritten, f"write {space.address}{KEY}"), (unlisted, f"list {space.address}")):
        assert f"can't {action}: {code}: {message}" == refused.value.message
        assert remedy in (refused.value.hint or "")
        assert "\n" not in str(refused.value)


def test_a_refused_upload_is_a_failure_in_the_summary(space: Space, gateway: S3Gateway) -> None:
    """The repository fails by that line, with its remedy, and there is no receipt."""
    make_tarball()
    gateway.refuse(403, "AccessDenied", method="PUT", message="Access Denied")

    outcome = upload(space.connect(gateway.url))

    assert outcome.failure is not None
    assert f"can't write {space.address}{KEY}: AccessDenied: Access Denied" == outcome.failure.message
    assert (None, True) == (outcome.receipt, "policy" in (outcome.failure.hint or ""))


@pytest.mark.parametrize(("status", "remedy"), [(400, "credentials"), (403, "policy"), (301, "region")])
def test_a_refusal_without_words_has_a_remedy(
    space: Space, gateway: S3Gateway, status: int, remedy: str
) -> None:
    """Answers to HEAD have no body, so no reason: the error says what it may be all the same."""
    headers = {"x-amz-bucket-region": "eu-west-1"} if status == 301 else {}
    gateway.refuse(status, "", method="HEAD", headers=headers)
    with pytest.raises(StoreError, match=space.address) as refused:
        space.connect(gateway.url).find(KEY)
    assert remedy in (refused.value.hint or "")


def test_a_run_ends_before_anything_is_fetched(space: Space, github: FakeGitHub, gateway: S3Gateway) -> None:
    """A bucket that can be listed but not written ends the run before a single clone, by one line."""
    gateway.refuse(403, "AccessDenied", method="PUT", message="Access Denied")
    store = space.connect(gateway.url)
    with pytest.raises(PreflightError, match=f"can't write {space.address}.*AccessDenied.*policy"):
        require([store.check_writable()])
    assert [] == github.git_requests()


@pytest.mark.parametrize("holds_another", [False, True])
def test_a_confirmation_alone_is_not_believed(space: Space, gateway: S3Gateway, holds_another: bool) -> None:
    """Where S3 says that it has stored the tarball, but has nothing, or another, there is no receipt."""
    sent = make_tarball()
    etag = '"0"'
    if holds_another:
        upload(space.connect())
        naming.receipt_path(TODAY).unlink()
        metadata, key = space.head()["Metadata"], space.prefix + KEY
        answer = space.client.put_object(Bucket=space.bucket, Key=key, Body=sent[::-1], Metadata=metadata)
        etag = answer["ETag"]
    gateway.refuse(200, "", method="PUT", headers={"ETag": etag}, body="")

    outcome = upload(space.connect(gateway.url))

    assert outcome.failure is not None
    assert (None, True) == (outcome.receipt, "stored" in outcome.failure.message)


def test_an_earlier_days_key_is_never_overwritten(space: Space) -> None:
    """A run that goes on past midnight, or a wrong clock, never puts new content under an old name."""
    key = space.prefix + naming.object_key(YESTERDAY)
    space.client.put_object(Bucket=space.bucket, Key=key, Body=b"yesterday's")
    make_tarball(YESTERDAY)

    outcome = upload(space.connect(), YESTERDAY)

    assert outcome.failure is not None
    assert (None, True) == (outcome.receipt, "not overwritten" in outcome.failure.message)
    assert b"yesterday's" == space.read(key)


def test_todays_backup_may_be_replaced_by_a_newer_one(space: Space) -> None:
    """A second push on the same day replaces the day's backup, which then is the new one, whole."""
    make_tarball()
    first = upload(space.connect()).receipt
    assert first is not None
    push_commit(Path("upstream/lecture.git"))
    sent = make_tarball()
    write_json(naming.replaced_path(TODAY), Replaced(**first.model_dump()))  # as resolving does

    second = upload(space.connect()).receipt

    assert second is not None
    assert (sent, space.head()["ETag"]) == (space.objects()[KEY], second.version)
    assert first.refs_digest != second.refs_digest


def test_what_another_run_stored_meanwhile_is_not_overwritten(space: Space, gateway: S3Gateway) -> None:
    """Where another machine stores other content between the look and the upload, that content stays."""
    make_tarball()
    put(space.connect(), b"the other machine's")
    gateway.refuse(404, "NoSuchKey", method="HEAD", times=1)  # as it was a moment before

    outcome = upload(space.connect(gateway.url))

    assert outcome.failure is not None
    assert (None, True) == (outcome.receipt, "not overwritten" in outcome.failure.message)
    assert b"the other machine's" == space.read(space.prefix + KEY)


def test_the_same_backup_of_another_run_is_taken_as_it_is(space: Space) -> None:
    """Where another machine has stored the same push meanwhile, its object is the backup, and stays."""
    sent = make_tarball()
    upload(space.connect())
    before = space.head()
    naming.receipt_path(TODAY).unlink()

    outcome = upload(space.connect())

    after = space.head()
    assert (None, before["LastModified"]) == (outcome.failure, after["LastModified"])
    assert outcome.receipt is not None
    assert (len(sent), after["ETag"]) == (outcome.receipt.size_bytes, outcome.receipt.version)


def test_left_over_uploads_in_parts_are_aborted(space: Space) -> None:
    """What a run that was killed left behind is aborted by a later run, once no run can be at it any more."""
    keys = [space.prefix + KEY, space.prefix + "elsewhere/" + KEY]
    for key in keys:
        space.client.create_multipart_upload(Bucket=space.bucket, Key=key)
    below = replace(space, prefix=space.prefix + "elsewhere/")
    now = dt.datetime.now(dt.UTC)

    below.connect().clear_stale(now - dt.timedelta(days=1))
    assert sorted(keys) == space.uploads()
    below.connect().clear_stale(now + dt.timedelta(minutes=1))
    assert keys[:1] == space.uploads()


def test_uploads_of_others_are_left_alone(space: Space) -> None:
    """An upload in parts below the same prefix that is not of a backup is none of this tool's business."""
    key = space.prefix + "somebody/elses.bin"
    space.client.create_multipart_upload(Bucket=space.bucket, Key=key)
    space.connect().clear_stale(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    assert [key] == space.uploads()


def test_a_refusal_to_abort_stops_nothing(space: Space, gateway: S3Gateway) -> None:
    """Tidying up needs a right that a careful policy may not give: without it, backups go on."""
    gateway.refuse(403, "AccessDenied", method="GET", query="uploads")
    store = space.connect(gateway.url)
    store.clear_stale(dt.datetime.now(dt.UTC))
    put(store)
    assert len(CONTENT) == next(iter(store.list_objects())).size
