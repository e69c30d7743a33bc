"""Checks the real S3 server: what of S3 a backup relies on."""

from __future__ import annotations

import base64
import hashlib

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.servers.seaweed import SeaweedServer


def test_an_object_keeps_its_checksum(seaweed: SeaweedServer) -> None:
    """A SHA-256 given at the upload is kept and returned; a wrong one is refused and nothing is stored."""
    client, bucket = seaweed.client(), seaweed.new_bucket()
    digest = base64.b64encode(hashlib.sha256(b"content").digest()).decode()
    client.put_object(Bucket=bucket, Key="a", Body=b"content", ChecksumSHA256=digest)

    assert digest == client.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")["ChecksumSHA256"]
    assert client.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")["Body"].read() == b"content"
    with pytest.raises(ClientError, match=r"BadDigest|checksum"):
        client.put_object(Bucket=bucket, Key="b", Body=b"other", ChecksumSHA256=digest)
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_a_conditional_put_never_overwrites(seaweed: SeaweedServer) -> None:
    """If-None-Match: * stores an object once and answers 412 from then on."""
    client, bucket = seaweed.client(), seaweed.new_bucket()
    client.put_object(Bucket=bucket, Key="a", Body=b"first", IfNoneMatch="*")

    with pytest.raises(ClientError) as refused:
        client.put_object(Bucket=bucket, Key="a", Body=b"second", IfNoneMatch="*")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"first"


def test_buckets_are_apart_and_keys_are_checked(
    seaweed: SeaweedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each test has an empty bucket; the environment is all that boto3 needs; a wrong key is refused."""
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)
    first, second = seaweed.new_bucket(), seaweed.new_bucket()
    boto3.Session().client("s3").put_object(Bucket=first, Key="a", Body=b"")
    assert seaweed.client().list_objects_v2(Bucket=second)["KeyCount"] == 0
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        boto3.Session().client("s3").put_object(Bucket=first, Key="b", Body=b"")
