"""Report, metrics and alerts as the Snakefile sees them: one look at the listing and the store serves all."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from repo_maintenance import tally
from repo_maintenance.alerts import Evidence, find_alerts
from repo_maintenance.assessment import build_overview
from repo_maintenance.health.findings import read_health
from repo_maintenance.history import read_history
from repo_maintenance.hosts import Host
from repo_maintenance.inventory import survey
from repo_maintenance.jobs import job
from repo_maintenance.overview import Overview
from repo_maintenance.pins import read_pins
from repo_maintenance.proofs import read_proofs
from repo_maintenance.records import Receipt
from repo_maintenance.screen import say
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
        self._matched: list[str] = []
        self._receipts: Mapping[str, Receipt] = {}

    @cached_property
    def overview(self) -> Overview:
        """How everything stands now; raises HostError and StoreError."""
        now = dt.datetime.now(dt.UTC)
        store = self._open_store()
        resolution = survey(self._settings, self._open_host(), store, today=now.date())
        overview = build_overview(
            resolution,
            read_history(store, resolution.catalog.history),
            read_proofs(store, resolution.catalog),
            self._settings.report,
            late_after_days=self._settings.alerts.max_age_days,
            grace_days=max(1, self._settings.alerts.max_age_days - self._settings.backup.max_age_days),
            now=now,
        )
        self._matched = [decision.repository.name for decision in resolution.decisions]
        self._receipts = resolution.receipts
        evidence = Evidence(resolution.catalog, tuple(read_pins(store, resolution.catalog)), tally.quota())
        alerts = find_alerts(overview, evidence, self._settings.alerts)
        health = read_health(store)
        return overview.model_copy(update={"alerts": alerts, "health": health.findings if health else []})

    def lacks_backups(self) -> bool:
        """Whether the last look found a matched repository that the store has no whole backup of, or none.

        Whole is what was checked when it was stored: then there is a receipt of it.
        """
        return not self._matched or any(name not in self._receipts for name in self._matched)

    def look_again(self) -> Overview:
        """How everything stands now, though it may have been looked at before the run was over."""
        self.__dict__.pop("overview", None)
        return self.overview

    def report(self, log: Path) -> None:
        """Write the report, and say in one line whether all is safe; bad news are no failure."""
        from repo_maintenance.report import append_job_summary, render_line, write_report

        with job("report", "the report", log, repository="-"):
            folder = self._settings.report.directory
            write_report(self.overview, folder)
            if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
                append_job_summary(self.overview, Path(summary))
            say(f"\n{render_line(self.overview, folder)}")
