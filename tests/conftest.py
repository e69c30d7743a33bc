"""What all tests share: an environment of their own, the servers, and a working folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.servers.github import Account, FakeGitHub
from tests.servers.seaweed import SeaweedServer

TOKEN = "test-token"
OWN_VARIABLES = ("REPO_MAINTENANCE_", "GITHUB_", "GH_", "AWS_", "GIT_")
CERTIFICATES = {"AWS_CA_BUNDLE", "GIT_SSL_CAINFO"}

# The same examples in every run: a red test says something about a change, not about luck.
hypothesis.settings.register_profile("suite", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("suite")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the machine's own variables would change, and proxies before a test's own server."""
    for name in os.environ:
        if name.startswith(OWN_VARIABLES) and name not in CERTIFICATES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    """Put the library's logger back as it was."""
    logger = logging.getLogger("repo_maintenance")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    for handler in logger.handlers:
        if handler not in before[0]:
            handler.close()
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, where `results/` then stands; returns it."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    """Serve an empty organisation `acme` that the account `robot` of the token belongs to."""
    with FakeGitHub(tmp_path / "github", tokens={TOKEN: Account("robot")}) as server:
        server.add_organization("acme")
        yield server


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedServer]:
    """Serve S3 for the whole session; each test makes a bucket of its own."""
    with SeaweedServer(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
