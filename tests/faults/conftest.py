"""What the fault suite shares: a token in the environment, buckets, and waits that are noted, not waited."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repo_maintenance.stores import s3_upload
from tests.conftest import TOKEN
from tests.faults.media import OBJECTS
from tests.faults.s3_gateway import S3Gateway
from tests.faults.storing import Space
from tests.servers.github import FakeGitHub
from tests.servers.proxy import FaultProxy
from tests.servers.repositories import make_lfs_repository
from tests.servers.seaweed import SeaweedServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST_SECONDS = 40
prefixes = itertools.count(1)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(workspace: object) -> None:
    """Work in an empty folder, where `results/` then stands."""
    _ = workspace


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the token, as an administrator does, and return it."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return TOKEN


@pytest.fixture(autouse=True)
def never_for_ever() -> Iterator[None]:
    """End a test that hangs: what must not happen for ever must not hold the suite for ever."""

    def stop(*_: object) -> None:
        pytest.fail(f"not done after {LONGEST_SECONDS} seconds")  # no OSError, which would be retried

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=["directly", "by git"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Fetch as is usual, or by git's own client, as where there are settings that only git heeds."""
    if request.param == "by git":
        monkeypatch.setenv("GIT_SSL_CIPHER_LIST", "DEFAULT")
    return str(request.param)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note each wait in seconds in place of waiting."""
    noted: list[float] = []
    monkeypatch.setattr(time, "sleep", noted.append)
    return noted


@pytest.fixture(scope="session")
def s3_client(seaweed: SeaweedServer) -> S3Client:
    """Return a client by which a test sees, without the library, what the server holds."""
    return seaweed.client()


@pytest.fixture(scope="session")
def bucket(seaweed: SeaweedServer) -> str:
    """Return the one bucket of this folder's tests: SeaweedFS has room for some seventy in all."""
    return seaweed.new_bucket()


@pytest.fixture
def space(s3_client: S3Client, bucket: str) -> Space:
    """Return a prefix in the bucket that is nobody else's."""
    return Space(s3_client, bucket, f"faults-{next(prefixes)}/")


@pytest.fixture
def s3_environment(seaweed: SeaweedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find the server and its keys as it does on a user's machine: in the environment."""
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def gateway(seaweed: SeaweedServer) -> Iterator[S3Gateway]:
    """Serve a way to SeaweedFS on which some requests are answered in its place."""
    with S3Gateway(seaweed.endpoint_url) as between:
        yield between


@pytest.fixture
def proxy(seaweed: SeaweedServer) -> Iterator[FaultProxy]:
    """Serve a way to SeaweedFS that can be broken."""
    with FaultProxy("127.0.0.1", seaweed.ports["s3"], longest_stall=30) as between:
        yield between


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an upload in parts begin at 6 MiB, with the smallest parts that S3 takes."""
    monkeypatch.setattr(s3_upload, "MULTIPART_THRESHOLD_BYTES", 6 << 20)
    monkeypatch.setattr(s3_upload, "PART_BYTES", 5 << 20)


@pytest.fixture
def media(github: FakeGitHub, tmp_path: Path) -> dict[str, str]:
    """Add the private repository ``media`` with three objects; returns their ids by file name."""
    path = tmp_path / "media.git"
    oids = make_lfs_repository(path, OBJECTS)
    github.add_repository("acme", "media", path, private=True)
    return oids
