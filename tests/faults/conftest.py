"""What the fault suite shares: a token in the environment, buckets, and waits that are noted, not waited."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import TOKEN
from tests.servers.seaweed import SeaweedServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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
def prefix() -> str:
    """Return a prefix in the bucket that is nobody else's."""
    return f"faults-{next(prefixes)}/"


@pytest.fixture
def s3_environment(seaweed: SeaweedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find the server and its keys as it does on a user's machine: in the environment."""
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)
