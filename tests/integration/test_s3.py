"""Promises of the S3 store beyond those that every store makes: bad networks, prefixes, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repo_maintenance.errors import StoreError
from repo_maintenance.settings import S3Settings
from repo_maintenance.stores import StoredObject
from repo_maintenance.stores.s3 import S3Store
from tests.servers.proxy import FaultProxy
from tests.servers.seaweed import SeaweedServer
from tests.unit.making import digests_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.usefixtures("s3_environment")
KEY = "lecture/lecture-20240506.tar.gz"
CONTENT = bytes(range(256)) * 2000


def connect(bucket: str, *, prefix: str = "backups/", endpoint_url: str | None = None) -> S3Store:
    """Return a store, at a proxy's address if given."""
    return S3Store.connect(S3Settings(bucket=bucket, prefix=prefix, endpoint_url=endpoint_url))


def put(store: S3Store, place: Path, content: bytes = CONTENT, key: str = KEY) -> StoredObject:
    """Store some content."""
    (place / "source").write_bytes(content)
    return store.put(key, place / "source", digests_of(content), {"a": "b"}, replaces=None)


def keys_in(client: S3Client, bucket: str) -> list[str]:
    """Return all keys of a bucket."""
    return [item["Key"] for item in client.list_objects_v2(Bucket=bucket).get("Contents", ())]


@pytest.mark.parametrize("prefix", ["", "a/b/", "Ünï cödé/+%41/"])
def test_a_prefix_is_a_world_of_its_own(
    s3_client: S3Client, bucket: str, tmp_path: Path, prefix: str
) -> None:
    """Keys stand below the prefix; what else the bucket holds is neither seen nor touched."""
    s3_client.put_object(Bucket=bucket, Key="a/bc/other", Body=b"")
    store = connect(bucket, prefix=prefix)
    put(store, tmp_path)

    seen = {KEY} if prefix else {KEY, "a/bc/other"}
    assert seen == {one.key for one in store.list_objects()}
    assert {prefix + KEY, "a/bc/other"} == set(keys_in(s3_client, bucket))
    assert f"s3://{bucket}/{prefix}{KEY}" == store.locate(KEY)


@pytest.mark.parametrize("offset", [100_000, 400_000])
def test_a_byte_altered_on_the_way_is_refused(
    seaweed: SeaweedServer, s3_client: S3Client, bucket: str, tmp_path: Path, offset: int
) -> None:
    """The service itself finds one flipped byte, and nothing is stored."""
    with FaultProxy("127.0.0.1", seaweed.ports["s3"]) as proxy:
        proxy.alter(offset, "up", connections=10)
        with pytest.raises(StoreError, match="lecture-20240506"):
            put(connect(bucket, endpoint_url=proxy.url), tmp_path)

    assert keys_in(s3_client, bucket) == []


def test_a_byte_altered_in_a_part_is_refused(
    seaweed: SeaweedServer, s3_client: S3Client, bucket: str, tmp_path: Path, large: bytes
) -> None:
    """The same holds for an upload in parts, of which nothing remains in the bucket, not even parts."""
    with FaultProxy("127.0.0.1", seaweed.ports["s3"]) as proxy:
        proxy.alter(10_000_000, "up", connections=40)
        with pytest.raises(StoreError, match="lecture-20240506"):
            put(connect(bucket, endpoint_url=proxy.url), tmp_path, large)

    assert keys_in(s3_client, bucket) == []
    assert s3_client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


@pytest.mark.parametrize(("direction", "after"), [("up", 200_000), ("down", 0)])
def test_a_cut_connection_is_tried_again(
    seaweed: SeaweedServer, s3_client: S3Client, bucket: str, tmp_path: Path, *, direction: str, after: int
) -> None:
    """A connection cut in mid-upload, or before the answer, costs a second attempt and not the backup."""
    with FaultProxy("127.0.0.1", seaweed.ports["s3"]) as proxy:
        proxy.cut(after, "up" if direction == "up" else "down")
        stored = put(connect(bucket, endpoint_url=proxy.url), tmp_path)

    assert (1, len(CONTENT)) == (proxy.broken, stored.size)
    assert s3_client.get_object(Bucket=bucket, Key=f"backups/{KEY}")["Body"].read() == CONTENT


def test_a_missing_bucket_is_named() -> None:
    """A mistyped bucket is an error with a remedy, not an empty store."""
    with pytest.raises(StoreError, match=r"no-such-bucket.*backup\.s3\.bucket"):
        list(connect("no-such-bucket").list_objects())


def test_a_wrong_secret_is_explained(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused credentials are an error that names their variable and shows none of them."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2secret")
    store = connect(bucket)
    for call in (lambda: list(store.list_objects()), lambda: put(store, tmp_path), lambda: store.find(KEY)):
        with pytest.raises(StoreError) as refused:
            call()
        assert "hunter2secret" not in str(refused.value)
    with pytest.raises(StoreError, match="AWS_SECRET_ACCESS_KEY"):
        list(store.list_objects())


def test_missing_credentials_are_explained(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the error says which variables to set."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(StoreError, match="AWS_ACCESS_KEY_ID"):
        list(connect(bucket).list_objects())


def test_connecting_asks_nothing(bucket: str) -> None:
    """A store can be opened where there is no network: only its use needs one."""
    assert bucket in connect(bucket, endpoint_url="http://127.0.0.1:9").description
