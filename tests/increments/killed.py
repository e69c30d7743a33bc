"""Takes one step on a store in a folder and is killed on the way, as by a loss of power.

``python -m tests.increments.killed upload|prune DATE MOMENT``: what the store is told to keep or to delete is
counted, and before and after each of it is a moment, from 1 on.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from repo_maintenance.catalog import read_catalog
from repo_maintenance.naming import BackupName
from repo_maintenance.prune import plan_prune, prune
from repo_maintenance.settings import RetentionSettings
from repo_maintenance.stores import Digests, StoredObject
from repo_maintenance.stores.folder import FolderStore
from tests.increments.chain import REPO
from tests.unit.making import step_upload

PROJECT = Path(__file__).parents[2]
LAST_ONLY = RetentionSettings(
    enabled=True, keep_last=1, daily_days=0, weekly_weeks=0, monthly_months=0, yearly_years=0
)


class DeadlyStore(FolderStore):
    """A folder whose user does not live beyond a moment."""

    def __init__(self, folder: Path, moment: int) -> None:
        super().__init__(folder)
        self._left = moment

    def _pass(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def put_note(self, key: str, content: bytes) -> None:
        """Keep a note."""
        self._pass()
        super().put_note(key, content)
        self._pass()

    def put(
        self, key: str, source: Path, digests: Digests, metadata: Mapping[str, str], *, replaces: str | None
    ) -> StoredObject:
        """Keep a backup."""
        self._pass()
        stored = super().put(key, source, digests, metadata, replaces=replaces)
        self._pass()
        return stored

    def delete(self, keys: Sequence[str]) -> dict[str, str]:
        """Delete one after the other."""
        refused: dict[str, str] = {}
        for key in keys:
            self._pass()
            refused |= super().delete([key])
            self._pass()
        return refused


def kill_at(moment: int, step: str, date: dt.date) -> bool:
    """Take a step in a process of its own; returns whether it was killed, False where it came to its end."""
    command = [sys.executable, "-m", "tests.increments.killed", step, date.isoformat(), str(moment)]
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT / 'scripts'}{os.pathsep}{PROJECT}"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr.decode()
    return done.returncode != 0


def main() -> None:
    """Take the step."""
    step, date, moment = sys.argv[1], dt.date.fromisoformat(sys.argv[2]), int(sys.argv[3])
    store = DeadlyStore(Path("backups"), moment)
    if step == "upload":
        step_upload(store, BackupName(REPO, date))
    else:
        catalog = read_catalog(store.list_objects())
        prune(store, catalog, plan_prune(catalog, [REPO], LAST_ONLY, today=date))


if __name__ == "__main__":
    main()
