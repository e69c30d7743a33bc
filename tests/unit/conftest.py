"""The organisation that the tests of whole steps work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.organization import Organization


@pytest.fixture
def organization(tmp_path: Path, workspace: Path) -> Organization:
    """Return three repositories, and an empty folder to work in."""
    _ = workspace
    return Organization(tmp_path / "acme", "lecture-intro", "lecture-python", "data_tools")
