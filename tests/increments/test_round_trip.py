"""Promises of increments: what comes back is what was upstream on that day, whatever happened in between."""

from __future__ import annotations

from pathlib import Path

from tests.increments.chain import Chain


def test_each_day_comes_back_as_it_was(chain: Chain, tmp_path: Path) -> None:
    """A full backup and the increments on it are restored to the refs of their days."""
    chain.back_up(0)
    for week in range(1, 4):
        chain.push_and_back_up(week)

    assert [None, 0, 0, 0] == chain.bases()
    for week in range(4):
        chain.restore(week, tmp_path / "restored" / str(week))
