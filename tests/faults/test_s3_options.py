"""S3's options reach each object, and its credentials come by boto3's own chain."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.utils import ContainerMetadataFetcher
from pydantic import ValidationError

from repo_maintenance.errors import StoreError
from repo_maintenance.settings import S3Settings
from tests.faults.s3_gateway import Asked, S3Gateway
from tests.faults.storing import KEY, Space, make_tarball, put, upload
from tests.servers.seaweed import SeaweedServer

pytestmark = pytest.mark.usefixtures("s3_environment")
MEBIBYTE = 1 << 20


@pytest.fixture(params=["whole", "in parts"])
def size_bytes(request: pytest.FixtureRequest, small_parts: None) -> int:
    """Return the size of a file that is sent in one request, and of one that is sent in parts."""
    _ = small_parts
    return 7 * MEBIBYTE if request.param == "in parts" else 1000


def test_the_storage_class_is_set(space: Space, size_bytes: int) -> None:
    """``storage_class`` is that of the stored object."""
    put(space.connect(storage_class="STANDARD_IA"), bytes(size_bytes))
    assert "STANDARD_IA" == space.head().get("StorageClass")


def test_objects_are_encrypted(space: Space, size_bytes: int) -> None:
    """With ``sse: AES256`` the object is encrypted at rest, still checked after the upload, and readable."""
    content = bytes(range(256)) * (size_bytes // 256 + 1)
    put(space.connect(sse="AES256"), content)

    stored = space.client.get_object(Bucket=space.bucket, Key=space.prefix + KEY)
    assert ("AES256", content) == (stored.get("ServerSideEncryption"), stored["Body"].read())


def test_objects_are_locked(space: Space, seaweed: SeaweedServer, size_bytes: int) -> None:
    """With ``object_lock`` nobody can delete the object's version before its days are over."""
    locked = replace(space, bucket=seaweed.new_bucket(ObjectLockEnabledForBucket=True))
    put(locked.connect(object_lock={"mode": "GOVERNANCE", "days": 7}), bytes(size_bytes))

    head = locked.head()
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=7)
    assert "GOVERNANCE" == head.get("ObjectLockMode")
    assert abs(head["ObjectLockRetainUntilDate"] - until) < dt.timedelta(minutes=2)
    key, version = locked.prefix + KEY, head["VersionId"]
    with pytest.raises(space.client.exceptions.ClientError, match="AccessDenied"):
        space.client.delete_object(Bucket=locked.bucket, Key=key, VersionId=version)
    space.client.delete_object(
        Bucket=locked.bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
    )


def test_a_lock_on_a_bucket_without_it_is_named(space: Space) -> None:
    """A bucket that was made without object lock refuses, in one line, and nothing is stored unlocked."""
    store = space.connect(object_lock={"mode": "GOVERNANCE", "days": 7})
    with pytest.raises(StoreError, match=space.bucket):
        put(store)
    assert [] == list(store.list_objects())


def sent_with(gateway: S3Gateway, query: str) -> Asked:
    """Return the request that begins an upload."""
    (found,) = [
        asked for asked in gateway.requests if asked.method in {"PUT", "POST"} and asked.query == query
    ]
    return found


def test_keys_of_kms_and_acls_are_sent(space: Space, gateway: S3Gateway, size_bytes: int) -> None:
    """``aws:kms`` with its key, and the ACL, stand in the request that begins an upload, also in parts."""
    options = {"sse": "aws:kms", "kms_key_id": "arn:aws:kms:key/1", "acl": "bucket-owner-full-control"}
    gateway.refuse(400, "KMS.NotFoundException", where=lambda asked: asked.method in {"PUT", "POST"})

    with pytest.raises(StoreError, match=r"KMS\.NotFoundException"):
        put(space.connect(gateway.url, **options), bytes(size_bytes))

    headers = sent_with(gateway, "uploads" if size_bytes > MEBIBYTE else "").headers
    assert ("aws:kms", "arn:aws:kms:key/1", "bucket-owner-full-control") == (
        headers["x-amz-server-side-encryption"],
        headers["x-amz-server-side-encryption-aws-kms-key-id"],
        headers["x-amz-acl"],
    )


@pytest.mark.usefixtures("small_parts")
def test_the_parts_of_an_encrypted_upload_are_called_what_s3_calls_them(
    space: Space, gateway: S3Gateway
) -> None:
    """Where KMS encrypts, a part's ETag is no MD5, and S3 completes an upload by its own ETags only."""
    gateway.refuse(200, "", query="partNumber=", headers={"ETag": '"of-kms"'}, body="")
    gateway.refuse(400, "InvalidPart", method="POST", query="uploadId=")

    with pytest.raises(StoreError, match="InvalidPart"):
        put(space.connect(gateway.url, sse="aws:kms"), bytes(7 * MEBIBYTE))

    (completed,) = [asked for asked in gateway.requests if asked.method == "POST" and asked.body]
    assert 2 == completed.body.count(b'<ETag>"of-kms"</ETag>')


@pytest.mark.parametrize("acl", ["public-read", "public-read-write", "authenticated-read"])
def test_a_public_acl_is_refused(acl: str) -> None:
    """No configuration makes a backup readable for others."""
    with pytest.raises(ValidationError):
        S3Settings.model_validate({"bucket": "b", "acl": acl})


def test_no_acl_is_sent_unasked(space: Space, gateway: S3Gateway) -> None:
    """Buckets that have ACLs switched off, as new ones have, take the objects."""
    put(space.connect(gateway.url))
    assert [] == [asked.path for asked in gateway.requests if "x-amz-acl" in asked.headers]


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({"sse": "AES256"}, "x-amz-server-side-encryption"),
        ({"acl": "bucket-owner-full-control"}, "x-amz-acl"),
    ],
)
def test_a_policy_that_demands_an_option_lets_backups_pass(
    space: Space, gateway: S3Gateway, options: dict[str, str], header: str
) -> None:
    """Where a bucket's policy denies objects without it, the look before the run carries the option, too."""
    make_tarball()
    gateway.refuse(403, "AccessDenied", method="PUT", where=lambda asked: header not in asked.headers)
    store = space.connect(gateway.url, **options)

    assert ("ok", None) == (store.check_writable().level, upload(store).failure)


def test_each_body_travels_with_its_digests(space: Space, gateway: S3Gateway, size_bytes: int) -> None:
    """Every request with a part of a backup carries its MD5 and SHA-256, by which S3 refuses another one."""
    put(space.connect(gateway.url), bytes(size_bytes))

    bodies = [asked for asked in gateway.requests if asked.method == "PUT"]
    assert (2 if size_bytes > MEBIBYTE else 1) == len(bodies)
    for asked in bodies:
        assert 24 == len(asked.headers["content-md5"])
        assert 44 == len(asked.headers["x-amz-checksum-sha256"])


def test_each_object_is_looked_at_after_its_upload(space: Space, gateway: S3Gateway) -> None:
    """The last word is the service's: after each upload it is asked for size and digest."""
    put(space.connect(gateway.url))
    (sent,) = [number for number, asked in enumerate(gateway.requests) if asked.method == "PUT"]
    looked = gateway.requests[sent + 1]
    assert "HEAD" == looked.method
    assert "enabled" == looked.headers["x-amz-checksum-mode"].lower()


def test_a_profile_s_credentials_are_found(
    space: Space, seaweed: SeaweedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys of a named profile in AWS's own files serve as well as variables."""
    (tmp_path / "credentials").write_text(
        f"[backup]\naws_access_key_id = {seaweed.access_key}\naws_secret_access_key = {seaweed.secret_key}\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "backup")
    put(space.connect())


def test_a_profile_that_is_not_there_is_named(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped profile is one line that has its name."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(StoreError, match="no-such-profile"):
        space.connect()


class Metadata(http.server.BaseHTTPRequestHandler):
    """Answers as a container's credentials service does (AWS docs, "Container credential provider")."""

    keys: tuple[str, str] = ("", "")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Give the role's credentials."""
        access, secret = self.keys
        later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"AccessKeyId": access, "SecretAccessKey": secret, "Token": "session", "Expiration": later}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def test_a_role_s_credentials_are_found(
    space: Space, gateway: S3Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container or on a machine with a role, no key is configured: requests are signed as the role."""
    handler = type("Role", (Metadata,), {"keys": ("ASIAROLE", "role-secret")})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_address[1]}/role"
    )
    gateway.refuse(403, "AccessDenied")

    with pytest.raises(StoreError, match="AccessDenied"):
        list(space.connect(gateway.url).list_objects())
    server.shutdown()
    server.server_close()

    (asked,) = gateway.requests
    assert "Credential=ASIAROLE/" in asked.headers["authorization"]
    assert "session" == asked.headers["x-amz-security-token"]


def test_a_role_that_can_not_be_had_is_named(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the credentials' own service does not answer, the error says that credentials are lacking."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/role")
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)

    with pytest.raises(StoreError, match="credentials") as refused:
        list(space.connect().list_objects())

    assert "\n" not in str(refused.value)
