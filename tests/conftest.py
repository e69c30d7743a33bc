"""Servers that many tests share: each started once a session, used by one bucket or organisation a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.seaweed import SeaweedServer


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedServer]:
    """Return a real S3 server."""
    with SeaweedServer(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
