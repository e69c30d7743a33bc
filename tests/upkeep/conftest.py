"""The organisation that is restored, verified and pruned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.seaweed import SeaweedServer
from tests.upkeep.organization import BackedUp


@pytest.fixture(scope="package")
def backed_up(seaweed: SeaweedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackedUp]:
    """Return an organisation that has been backed up once."""
    organization = BackedUp(seaweed, tmp_path_factory.mktemp("organization"))
    with organization.github:
        done = organization.workspace.backup()
        assert done.code == 0, done.output
        yield organization
