"""The servers, and git as a client that knows nothing of the user's settings."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.github import Account, FakeGitHub
from tests.servers.repositories import git_environment
from tests.servers.seaweed import SeaweedServer

TOKEN = "test-token"
Git = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    """Serve an empty organisation `acme` that the token's account belongs to."""
    with FakeGitHub(tmp_path / "github", tokens={TOKEN: Account("robot")}) as server:
        server.add_organization("acme")
        yield server


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git, with a token by GIT_ASKPASS, in `tmp_path`."""
    askpass = tmp_path / "askpass.sh"
    askpass.write_text(
        '#!/bin/sh\ncase "$1" in Username*) echo x-access-token;; *) echo "$TEST_TOKEN";; esac\n'
    )
    askpass.chmod(0o700)

    def run(*arguments: str, token: str | None = TOKEN, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = git_environment() | {"LC_ALL": "C", "HOME": str(tmp_path)} | variables
        if token is not None:
            environment |= {"GIT_ASKPASS": str(askpass), "TEST_TOKEN": token}
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=30
        )

    return run


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedServer]:
    """Serve S3 for the whole session; each test makes a bucket of its own."""
    with SeaweedServer(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
