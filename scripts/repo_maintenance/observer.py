"""Report, metrics and alerts as the Snakefile sees them: one look at the listing and the store serves all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property

from repo_maintenance.history import read_history
from repo_maintenance.hosts import Host
from repo_maintenance.inventory import survey
from repo_maintenance.overview import Overview, build_overview
from repo_maintenance.proofs import read_proofs
from repo_maintenance.settings import Settings
from repo_maintenance.stores import Store


class Observer:
    """The capabilities that only look; each asks host and store only when it is the target."""

    def __init__(
        self, settings: Settings, open_store: Callable[[], Store], open_host: Callable[[], Host]
    ) -> None:
        self._settings = settings
        self._open_store = open_store
        self._open_host = open_host

    @cached_property
    def overview(self) -> Overview:
        """How everything stands now; raises HostError and StoreError."""
        now = dt.datetime.now(dt.UTC)
        store = self._open_store()
        resolution = survey(self._settings, self._open_host(), store, today=now.date())
        return build_overview(
            resolution,
            read_history(store, resolution.catalog.history),
            read_proofs(store, resolution.catalog),
            self._settings.report,
            late_after_days=self._settings.alerts.max_age_days,
            now=now,
        )
