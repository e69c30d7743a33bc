"""The stores under test, what is stored in them, and how GitHub is opened."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import stamina

from tests.integration.backends import BACKENDS, Backend
from tests.servers.seaweed import SeaweedServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGE = (64 << 20) + (1 << 20)
numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Try again as often as the library does, without the waits between."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture(scope="session")
def s3_client(seaweed: SeaweedServer) -> S3Client:
    """Return a client by which a test sees, without the library, what the server holds."""
    return seaweed.client()


@pytest.fixture
def bucket(s3_client: S3Client) -> str:
    """Return the name of an empty bucket."""
    name = f"integration-{next(numbers)}"
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_environment(seaweed: SeaweedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find the server and its keys as it does on a user's machine: in the environment."""
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """Return an empty store, of each kind in turn."""
    return BACKENDS[request.param](request, tmp_path)


@pytest.fixture(scope="session")
def large() -> bytes:
    """Return 65 MB that no part of repeats: enough for an upload in parts."""
    return os.urandom(LARGE)
