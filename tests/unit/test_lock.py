"""Promises of the lock within one process; tests/machine/test_lock.py has those between two."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance.errors import LockedError
from repo_maintenance.lock import acquire_lock


def test_a_run_of_two_targets_is_not_sent_to_look_for_another_run(tmp_path: Path) -> None:
    """`snakemake backup verify` holds the lock itself: what is refused is the combination."""
    with acquire_lock(tmp_path / "lock"), pytest.raises(LockedError, match="one after the other") as refused:
        acquire_lock(tmp_path / "lock")

    assert "another run" not in str(refused.value)


def test_a_lock_that_is_let_go_can_be_taken(tmp_path: Path) -> None:
    """It stands for an open file, not for the file's being there."""
    acquire_lock(tmp_path / "lock").close()
    acquire_lock(tmp_path / "lock").close()


def test_who_holds_it_elsewhere_is_named(tmp_path: Path) -> None:
    """What another process has written into it is shown as it stands."""
    path = tmp_path / "lock"
    with acquire_lock(path):
        path.write_text('{"pid": 1, "host": "elsewhere"}')
        with pytest.raises(LockedError, match=r'another run .*"host": "elsewhere"'):
            acquire_lock(path)
