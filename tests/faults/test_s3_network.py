"""S3 over a bad network: tried again or failed, and never a receipt for what is not there as it was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from repo_maintenance.errors import StoreError
from repo_maintenance.settings import S3Settings
from repo_maintenance.stores import s3_upload
from repo_maintenance.stores.s3 import S3Store
from tests.faults.s3_gateway import S3Gateway
from tests.faults.storing import CONTENT, KEY, Outcome, connect, make_tarball, put, upload
from tests.servers.proxy import Break, FaultProxy
from tests.servers.seaweed import SeaweedServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.usefixtures("s3_environment")
MEBIBYTE = 1 << 20


@pytest.fixture
def proxy(seaweed: SeaweedServer) -> Iterator[FaultProxy]:
    """Serve a way to SeaweedFS that can be broken."""
    with FaultProxy("127.0.0.1", seaweed.ports["s3"], longest_stall=30) as between:
        yield between


@pytest.fixture
def gateway(seaweed: SeaweedServer) -> Iterator[S3Gateway]:
    """Serve a way to SeaweedFS on which some requests are answered in its place."""
    with S3Gateway(seaweed.endpoint_url) as between:
        yield between


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an upload in parts begin at 3 MiB, with parts of one."""
    monkeypatch.setattr(s3_upload, "MULTIPART_THRESHOLD_BYTES", 3 * MEBIBYTE)
    monkeypatch.setattr(s3_upload, "PART_BYTES", MEBIBYTE)


def impatient(
    seaweed: SeaweedServer, bucket: str, prefix: str, endpoint_url: str, attempts: int = 2
) -> S3Store:
    """Return a store that waits one second for an answer, and asks once more."""
    client = seaweed.client(
        endpoint_url,
        read_timeout=1,
        retries={"mode": "standard", "total_max_attempts": attempts},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return S3Store(client, S3Settings(bucket=bucket, prefix=prefix))


def stored(client: S3Client, bucket: str, prefix: str) -> dict[str, bytes]:
    """Return what is stored below a prefix, by key."""
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())]
    return {
        key.removeprefix(prefix): client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys
    }


def check(outcome: Outcome, found: dict[str, bytes], sent: bytes) -> None:
    """Check that a receipt was written exactly where the object is what was sent, and else a failure."""
    assert (outcome.receipt is None) != (outcome.failure is None)
    if outcome.receipt is not None:
        assert sent == found[KEY]
        assert hashlib.sha256(sent).hexdigest() == outcome.receipt.sha256
        assert len(sent) == outcome.receipt.size_bytes


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (503, "ServiceUnavailable")]
)
@pytest.mark.parametrize("method", ["PUT", "HEAD"])
def test_a_server_that_is_unwell_once_is_asked_again(
    gateway: S3Gateway, s3_client: S3Client, bucket: str, prefix: str, status: int, code: str, method: str
) -> None:
    """503 SlowDown, or a server's own error, costs a second attempt, not the backup."""
    sent = make_tarball()
    refusal = gateway.refuse(status, code, method=method, times=1)

    outcome = upload(connect(bucket, prefix, endpoint_url=gateway.url))

    assert (None, 1) == (outcome.failure, refusal.hits)
    check(outcome, stored(s3_client, bucket, prefix), sent)


def test_a_server_that_stays_unwell_fails_the_repository(
    gateway: S3Gateway, seaweed: SeaweedServer, bucket: str, prefix: str
) -> None:
    """503 without end is given up after some attempts, by a line that says so, and there is no receipt."""
    make_tarball()
    refusal = gateway.refuse(503, "SlowDown", method="PUT", message="Please reduce your request rate.")

    outcome = upload(impatient(seaweed, bucket, prefix, gateway.url))

    assert outcome.failure is not None
    assert "SlowDown: Please reduce your request rate." in outcome.failure.message
    assert (None, 2) == (outcome.receipt, refusal.hits)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_silence_is_not_waited_for_without_end(
    proxy: FaultProxy, seaweed: SeaweedServer, s3_client: S3Client, bucket: str, prefix: str, direction: str
) -> None:
    """A connection on which nothing comes any more is given up after a time-out, and made again."""
    sent = make_tarball(size_bytes=200_000)
    proxy.black_hole(100_000 if direction == "up" else 0, "up" if direction == "up" else "down")

    outcome = upload(impatient(seaweed, bucket, prefix, proxy.url))

    assert (None, 1) == (outcome.failure, proxy.broken)
    check(outcome, stored(s3_client, bucket, prefix), sent)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("kind", ["reset", "cut"])
def test_a_part_that_breaks_off_is_sent_again(
    proxy: FaultProxy, s3_client: S3Client, bucket: str, prefix: str, kind: str
) -> None:
    """A connection that ends in the middle of a part costs that part alone; the object is whole."""
    sent = make_tarball(size_bytes=5 * MEBIBYTE)
    proxy.plan(Break("reset" if kind == "reset" else "cut", 2_500_000, "up"))

    outcome = upload(connect(bucket, prefix, endpoint_url=proxy.url))

    assert (None, 1) == (outcome.failure, proxy.broken)
    check(outcome, stored(s3_client, bucket, prefix), sent)


@pytest.mark.usefixtures("small_parts")
def test_an_upload_in_parts_that_fails_leaves_none(
    gateway: S3Gateway, seaweed: SeaweedServer, s3_client: S3Client, bucket: str, prefix: str
) -> None:
    """Where a part can't be sent, the upload is aborted: no parts stay that cost money and show nowhere."""
    make_tarball(size_bytes=5 * MEBIBYTE)
    gateway.refuse(503, "SlowDown", method="PUT", query="partNumber=3")

    outcome = upload(impatient(seaweed, bucket, prefix, gateway.url))

    assert (None, False) == (outcome.receipt, outcome.failure is None)
    assert {} == stored(s3_client, bucket, prefix)
    assert [] == s3_client.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])


CUTS = [0, 9, 40, 90, 150, 250, 330, 370, 407, 444, 500, 600, 666, 700, 900]


@pytest.mark.parametrize("after", CUTS)
def test_an_answer_cut_in_its_headers_is_no_success(
    proxy: FaultProxy, s3_client: S3Client, bucket: str, prefix: str, after: int
) -> None:
    """Cut anywhere in the answers to an upload, once, the backup is stored and its receipt is right."""
    sent = make_tarball()
    proxy.cut(after)

    outcome = upload(connect(bucket, prefix, endpoint_url=proxy.url))

    assert (None, 1) == (outcome.failure, proxy.broken)
    check(outcome, stored(s3_client, bucket, prefix), sent)
    assert outcome.receipt is not None
    head = s3_client.head_object(Bucket=bucket, Key=prefix + KEY)
    assert head["ETag"] == outcome.receipt.version
    assert head["Metadata"]["refs_digest"] == outcome.receipt.refs_digest


@pytest.mark.parametrize("after", CUTS)
def test_what_is_stored_survives_a_bad_answer(
    proxy: FaultProxy, s3_client: S3Client, bucket: str, prefix: str, after: int
) -> None:
    """An answer that can't be right does not make the tool delete a good backup, nor doubt it for ever."""
    put(connect(bucket, prefix))
    proxy.cut(after)

    found = connect(bucket, prefix, endpoint_url=proxy.url).find(KEY)

    assert found is not None
    assert (len(CONTENT), {"made": "by hand"}) == (found.size, found.metadata)
    assert {KEY: CONTENT} == stored(s3_client, bucket, prefix)


@pytest.mark.parametrize("after", [0, 9, 40, 100, 185, 230, 400, 700])
def test_a_listing_that_is_cut_is_no_empty_bucket(
    proxy: FaultProxy, bucket: str, prefix: str, after: int
) -> None:
    """A listing cut in its headers or its body is asked for again: the store never seems to be empty."""
    put(connect(bucket, prefix))
    proxy.cut(after)

    found = list(connect(bucket, prefix, endpoint_url=proxy.url).list_objects())

    assert [KEY] == [one.key for one in found]


def test_a_listing_that_is_always_cut_is_an_error(
    proxy: FaultProxy, seaweed: SeaweedServer, bucket: str, prefix: str
) -> None:
    """A listing that never comes whole ends the run, in one line that names the bucket."""
    put(connect(bucket, prefix))
    proxy.cut(100, connections=20)
    with pytest.raises(StoreError, match=bucket):
        list(impatient(seaweed, bucket, prefix, proxy.url).list_objects())


@pytest.mark.parametrize("offset", [20, 34, 51, 340, 391, 459, 476, 493, 560, 663, 700])
def test_an_altered_answer_is_an_error_in_words(
    proxy: FaultProxy, seaweed: SeaweedServer, s3_client: S3Client, bucket: str, prefix: str, offset: int
) -> None:
    """A byte flipped in the answers to an upload ends in a receipt that is right, or in a line that says why."""
    sent = make_tarball()
    proxy.alter(offset)

    outcome = upload(impatient(seaweed, bucket, prefix, proxy.url))

    check(outcome, stored(s3_client, bucket, prefix), sent)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("after", [40, 100, 250, 400])
def test_an_upload_in_parts_with_a_cut_answer(
    proxy: FaultProxy, s3_client: S3Client, bucket: str, prefix: str, after: int
) -> None:
    """Also where the upload's own id never arrives, it ends in a right receipt or in words."""
    sent = make_tarball(size_bytes=4 * MEBIBYTE)
    proxy.cut(after)

    outcome = upload(connect(bucket, prefix, endpoint_url=proxy.url))

    check(outcome, stored(s3_client, bucket, prefix), sent)


@pytest.mark.parametrize("offset", [2000, 100_000])
def test_a_body_altered_on_the_way_is_refused(
    proxy: FaultProxy, s3_client: S3Client, bucket: str, prefix: str, offset: int
) -> None:
    """S3 itself finds a flipped byte (BadDigest): nothing is stored, and no receipt is written."""
    make_tarball(size_bytes=200_000)
    proxy.alter(offset, "up", connections=10)

    outcome = upload(connect(bucket, prefix, endpoint_url=proxy.url))

    assert outcome.failure is not None
    assert (None, {}) == (outcome.receipt, stored(s3_client, bucket, prefix))
