"""Promises of deleting: what is cut off in the middle looks like no loss."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from repo_maintenance.catalog import read_catalog
from repo_maintenance.errors import StoreError
from repo_maintenance.naming import BackupName, ProofName, object_key, pin_key, proof_key
from repo_maintenance.prune import plan_prune, prune
from repo_maintenance.settings import RetentionSettings
from repo_maintenance.stores.folder import FolderStore
from repo_maintenance.verify import find_missing_backups

TODAY = dt.date(2026, 5, 6)
DAYS = [TODAY - dt.timedelta(days=age) for age in (0, 100, 200)]
ONE_EACH = RetentionSettings(
    enabled=True, keep_last=1, daily_days=0, weekly_weeks=0, monthly_months=0, yearly_years=0
)


class CutOffStore(FolderStore):
    """A store that is gone after its first request to delete."""

    requests = 0

    def delete(self, keys: Sequence[str]) -> dict[str, str]:
        """Delete once."""
        self.requests += 1
        if self.requests > 1:
            raise StoreError("gone")
        return super().delete(keys)


def test_a_prune_that_is_cut_off_leaves_no_proof_without_its_backup(tmp_path: Path) -> None:
    """Where the run dies between two requests, no backup seems to be lost, and the next prune goes on."""
    store = CutOffStore(tmp_path)
    for day in DAYS:
        name = BackupName("lecture", day)
        store.put_note(object_key(name), b"content")
        store.put_note(proof_key(ProofName(name, TODAY, is_good=True)), b"{}")
    catalog = read_catalog(store.list_objects())
    plan = plan_prune(catalog, ["lecture"], ONE_EACH, today=TODAY)
    assert len(plan.going) == 2

    with pytest.raises(StoreError, match="gone"):
        prune(store, catalog, plan)

    left = read_catalog(store.list_objects())
    assert find_missing_backups(left, ()) == []
    assert [one.name for one in plan_prune(left, ["lecture"], ONE_EACH, today=TODAY).going] == [
        BackupName("lecture", day) for day in DAYS[1:]
    ]


def test_a_backup_that_another_machine_pins_meanwhile_is_not_deleted(tmp_path: Path) -> None:
    """A pin that is noted between the list and the delete counts: nothing goes until all is planned anew."""
    store = FolderStore(tmp_path)
    for day in DAYS:
        store.put_note(object_key(BackupName("lecture", day)), b"content")
    catalog = read_catalog(store.list_objects())
    plan = plan_prune(catalog, ["lecture"], ONE_EACH, today=TODAY)
    store.put_note(pin_key(BackupName("lecture", DAYS[1])), b"{}")

    with pytest.raises(StoreError, match=f"lecture of {DAYS[1]} was pinned"):
        prune(store, catalog, plan)

    left = read_catalog(store.list_objects())
    assert sorted(DAYS) == [backup.name.date for backup in left.backups["lecture"]]
    again = plan_prune(left, ["lecture"], ONE_EACH, today=TODAY)
    assert [BackupName("lecture", DAYS[2])] == [backup.name for backup in prune(store, left, again).deleted]
