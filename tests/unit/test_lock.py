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
    """A sentence says which process works here, on which machine, since when, and how to end it."""
    path = tmp_path / "lock"
    with acquire_lock(path):
        path.write_text('{"pid": 12, "host": "elsewhere", "since": "2026-11-25T10:00:00+01:00"}')
        with pytest.raises(LockedError) as refused:
            acquire_lock(path)

    assert str(refused.value) == (
        f"another run works in this folder: process 12 on elsewhere holds {path} "
        "since 2026-11-25 09:00:00 UTC (wait for it to end, or end it on elsewhere by: kill 12)"
    )


@pytest.mark.parametrize("written", ["", '{"pid": 1', '{"pid": "x", "host": 1}'])
def test_who_holds_it_may_not_be_known_yet(tmp_path: Path, written: str) -> None:
    """Between the taking of the lock and the first line in it, a second run is refused all the same."""
    path = tmp_path / "lock"
    with acquire_lock(path):
        path.write_text(written)
        with pytest.raises(LockedError, match="has not said yet which it is"):
            acquire_lock(path)
