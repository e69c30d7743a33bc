"""S3 over a bad network: tried again or failed, and never a receipt for what is not there as it was sent."""

from __future__ import annotations

import hashlib

import pytest

from repo_maintenance.errors import StoreError
from repo_maintenance.settings import S3Settings
from repo_maintenance.stores.s3 import S3Store
from tests.faults.s3_gateway import S3Gateway
from tests.faults.storing import CONTENT, KEY, Outcome, Space, make_tarball, put, upload
from tests.servers.proxy import Break, FaultProxy
from tests.servers.seaweed import SeaweedServer

pytestmark = pytest.mark.usefixtures("s3_environment", "waits")
MEBIBYTE = 1 << 20


def impatient(space: Space, seaweed: SeaweedServer, endpoint_url: str) -> S3Store:
    """Return a store that waits one second for an answer, and asks once more."""
    client = seaweed.client(
        endpoint_url,
        read_timeout=1,
        retries={"mode": "standard", "total_max_attempts": 2},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return S3Store(client, S3Settings(bucket=space.bucket, prefix=space.prefix))


def check(outcome: Outcome, found: dict[str, bytes], sent: bytes) -> None:
    """Check that a receipt was written exactly where the object is what was sent, and else a failure."""
    assert (outcome.receipt is None) != (outcome.failure is None)
    if outcome.receipt is not None:
        assert sent == found[KEY]
        assert hashlib.sha256(sent).hexdigest() == outcome.receipt.sha256
        assert len(sent) == outcome.receipt.size_bytes


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
@pytest.mark.parametrize("method", ["PUT", "HEAD"])
def test_a_server_that_is_unwell_once_is_asked_again(
    space: Space, gateway: S3Gateway, status: int, code: str, method: str
) -> None:
    """503 SlowDown, or a server's own error, costs a second attempt, not the backup."""
    sent = make_tarball()
    refusal = gateway.refuse(status, code, method=method, times=1)

    outcome = upload(space.connect(gateway.url))

    assert (None, 1) == (outcome.failure, refusal.hits)
    check(outcome, space.objects(), sent)


def test_a_server_that_stays_unwell_fails_the_repository(
    space: Space, gateway: S3Gateway, seaweed: SeaweedServer
) -> None:
    """503 without end is given up after some attempts, by a line that says so, and there is no receipt."""
    make_tarball()
    refusal = gateway.refuse(503, "SlowDown", method="PUT", message="Please reduce your request rate.")

    outcome = upload(impatient(space, seaweed, gateway.url))

    assert outcome.failure is not None
    assert "SlowDown: Please reduce your request rate." in outcome.failure.message
    assert (None, 2) == (outcome.receipt, refusal.hits)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_silence_is_not_waited_for_without_end(
    space: Space, proxy: FaultProxy, seaweed: SeaweedServer, direction: str
) -> None:
    """A connection on which nothing comes any more is given up after a time-out, and made again."""
    sent = make_tarball(size_bytes=200_000)
    proxy.black_hole(100_000 if direction == "up" else 0, "up" if direction == "up" else "down")

    outcome = upload(impatient(space, seaweed, proxy.url))

    assert (None, 1) == (outcome.failure, proxy.broken)
    check(outcome, space.objects(), sent)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("kind", ["reset", "cut"])
def test_a_part_that_breaks_off_is_sent_again(space: Space, proxy: FaultProxy, kind: str) -> None:
    """A connection that ends in the middle of a part costs that part alone; the object is whole."""
    sent = make_tarball(size_bytes=11 * MEBIBYTE)
    proxy.plan(Break("reset" if kind == "reset" else "cut", 7_500_000, "up"))

    outcome = upload(space.connect(proxy.url))

    assert (None, 1) == (outcome.failure, proxy.broken)
    check(outcome, space.objects(), sent)


@pytest.mark.usefixtures("small_parts")
def test_an_upload_in_parts_that_fails_leaves_none(
    space: Space, gateway: S3Gateway, seaweed: SeaweedServer
) -> None:
    """Where a part can't be sent, the upload is aborted: no parts stay that cost money and show nowhere."""
    make_tarball(size_bytes=11 * MEBIBYTE)
    gateway.refuse(503, "SlowDown", method="PUT", query="partNumber=3")

    outcome = upload(impatient(space, seaweed, gateway.url))

    assert (None, False) == (outcome.receipt, outcome.failure is None)
    assert {} == space.objects()
    assert [] == space.uploads()


# In the stream of answers to an upload: is there one, go on, it is stored, and what is it.
CUTS = [0, 9, 150, 250, 370, 444, 600, 666, 900]


@pytest.mark.parametrize("after", CUTS)
def test_an_answer_cut_in_its_headers_is_no_success(space: Space, proxy: FaultProxy, after: int) -> None:
    """Cut anywhere in the answers to an upload, once, the backup is stored and its receipt is right."""
    sent = make_tarball()
    proxy.cut(after)

    outcome = upload(space.connect(proxy.url))

    assert (None, 1) == (outcome.failure, proxy.broken)
    check(outcome, space.objects(), sent)
    assert outcome.receipt is not None
    head = space.head()
    assert head["ETag"] == outcome.receipt.version
    assert head["Metadata"]["refs_digest"] == outcome.receipt.refs_digest


@pytest.mark.parametrize("after", [0, 37, 74, 111, 161, 222, 370])
def test_what_is_stored_survives_a_bad_answer(space: Space, proxy: FaultProxy, after: int) -> None:
    """An answer that can't be right does not make the tool delete a good backup, nor doubt it for ever."""
    put(space.connect())
    proxy.cut(after)

    found = space.connect(proxy.url).find(KEY)

    assert found is not None
    assert (len(CONTENT), {"made": "by hand"}) == (found.size, found.metadata)
    assert {KEY: CONTENT} == space.objects()


@pytest.mark.parametrize("after", [0, 40, 185, 230, 700])
def test_a_listing_that_is_cut_is_no_empty_bucket(space: Space, proxy: FaultProxy, after: int) -> None:
    """A listing cut in its headers or its body is asked for again: the store never seems to be empty."""
    put(space.connect())
    proxy.cut(after)

    found = list(space.connect(proxy.url).list_objects())

    assert [KEY] == [one.key for one in found]


def test_a_listing_that_is_always_cut_is_an_error(
    space: Space, proxy: FaultProxy, seaweed: SeaweedServer
) -> None:
    """A listing that never comes whole ends the run, in one line that names the bucket."""
    put(space.connect())
    proxy.cut(100, connections=20)
    with pytest.raises(StoreError, match=space.bucket):
        list(impatient(space, seaweed, proxy.url).list_objects())


@pytest.mark.parametrize("offset", [34, 340, 391, 459, 476, 663])
def test_an_altered_answer_is_an_error_in_words(
    space: Space, proxy: FaultProxy, seaweed: SeaweedServer, offset: int
) -> None:
    """A byte flipped in the answers to an upload ends in a right receipt, or in a line that says why not."""
    sent = make_tarball()
    proxy.alter(offset)

    outcome = upload(impatient(space, seaweed, proxy.url))

    check(outcome, space.objects(), sent)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("after", [40, 250, 400])
def test_an_upload_in_parts_with_a_cut_answer(space: Space, proxy: FaultProxy, after: int) -> None:
    """Also where the upload's own id never arrives, it ends in a right receipt or in words."""
    sent = make_tarball(size_bytes=9 * MEBIBYTE)
    proxy.cut(after)

    outcome = upload(space.connect(proxy.url))

    check(outcome, space.objects(), sent)


@pytest.mark.parametrize("offset", [2000, 100_000])
def test_a_body_altered_on_the_way_is_refused(space: Space, proxy: FaultProxy, offset: int) -> None:
    """S3 itself finds a flipped byte (BadDigest): nothing is stored, and no receipt is written."""
    make_tarball(size_bytes=200_000)
    proxy.alter(offset, "up", connections=10)

    outcome = upload(space.connect(proxy.url))

    assert outcome.failure is not None
    assert (None, {}) == (outcome.receipt, space.objects())
