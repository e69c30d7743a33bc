"""The chain of backups that these tests work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.increments.chain import Chain


@pytest.fixture
def chain(tmp_path: Path, workspace: Path) -> Chain:
    """Return a repository of which nothing is backed up yet, and an empty folder to work in."""
    _ = workspace
    return Chain(tmp_path / "up")
