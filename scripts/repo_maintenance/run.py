"""One run of the workflow, as the Snakefile sees it: resolved once, summed up at the end."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

from repo_maintenance import naming, tally
from repo_maintenance.catalog import Catalog
from repo_maintenance.channels import check_channels
from repo_maintenance.errors import JobFailedError, RepoMaintenanceError
from repo_maintenance.findings import has_failure
from repo_maintenance.history import record_of_backup, remember
from repo_maintenance.hosts import Host, open_host
from repo_maintenance.inventory import Resolution, resolve
from repo_maintenance.lock import acquire_lock
from repo_maintenance.logs import configure_logging
from repo_maintenance.machine import check_machine
from repo_maintenance.preflight import require, run_preflight
from repo_maintenance.preview import render_headline, render_preview
from repo_maintenance.processes import exit_on_signals, stop_on_signals
from repo_maintenance.records import write_json, write_text_if_changed
from repo_maintenance.screen import say
from repo_maintenance.settings import Settings, load_settings
from repo_maintenance.stores import Store, open_store
from repo_maintenance.summary import render_markdown, render_summary, summarize

logger = logging.getLogger(__name__)

# A transfer that was begun longer ago than this belongs to no run that is still going on.
STALE_AFTER = dt.timedelta(days=1)


class Run:
    """What a run knows: its settings at once; host, store, and what is due, only when somebody asks.

    So parsing the workflow, listing its rules, or a job on a cluster node ask the network nothing.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.id = uuid.uuid4().hex[:8]
        self._started_at = dt.datetime.now(dt.UTC)
        self._resolution: Resolution | None = None
        self._lock: TextIO | None = None
        self._is_summed_up = False
        self.afterwards: list[Callable[[], None]] = []
        """What a run with nothing to do does at its end: Snakemake tells nobody of that end."""

    @classmethod
    def start(cls, config: Mapping[str, Any], environment: Mapping[str, str]) -> Run:
        """Return a run with validated settings, and set up logging; raises SettingsError."""
        settings = load_settings(config, environment)
        run = cls(settings)
        configure_logging(settings.logging, run=run.id, verbose=settings.verbose)
        return run

    @cached_property
    def _host(self) -> Host:
        return open_host(self.settings.backup, os.environ)

    @cached_property
    def _store(self) -> Store:
        return open_store(self.settings.backup)

    def open_host(self) -> Host:
        """Return the host that the settings name, opened once for all jobs of this process."""
        return self._host

    def open_store(self) -> Store:
        """Return the store that the settings name, opened once for all jobs of this process."""
        return self._store

    def due_receipts(self, *, preview: bool, every: bool = False) -> list[Path]:
        """Return the receipts that Snakemake is asked to make; ``every`` one that there then is, if so asked.

        The first call takes the lock, lists, decides, and says what it found: for a preview as a table, else
        in one line. A run with nothing to do gets its summary here, since no job will end it.

        Raises RepoMaintenanceError where the lists can't be had whole.
        """
        if not self.settings.backup.enabled:
            say("backup.enabled is false: nothing to do", preview=preview)
            return []
        if self._resolution is None:
            exit_on_signals()
            self._lock = acquire_lock(naming.LOCK)
            self._resolution = self._resolve(preview=preview)
        return self._resolution.targets() if every else self._resolution.pending()

    def _resolve(self, *, preview: bool) -> Resolution:
        backup = self.settings.backup
        if backup.organization is None and backup.folder is None:
            say("No backup.organization, no backup.folder: this is the bundled example", preview=preview)
        require(check_machine(naming.RESULTS, lfs=backup.lfs))
        require(check_channels(self.settings.notifications, os.environ))
        host, store = self.open_host(), self.open_store()
        resolution = resolve(self.settings, host, store, today=self._started_at.date())
        say(render_preview(resolution) if preview else render_headline(resolution), preview=preview)
        if preview:  # nothing sums it up, and Snakemake needs the memory
            return replace(resolution, catalog=Catalog({}), receipts={})
        self._clear_left_overs(resolution)
        if resolution.due:
            require([store.check_writable()])
            store.clear_stale(self._started_at - STALE_AFTER)
        else:
            self._sum_up(resolution)
            for follow in self.afterwards:
                follow()
        return resolution

    @property
    def has_looked(self) -> bool:
        """Whether a backup was asked for, and it is known what is due."""
        return self._resolution is not None

    def preflight(self, log: Path) -> None:
        """Say all that can be known before a run, a line each; raises JobFailedError on a failure."""
        try:
            host, store = self.open_host(), self.open_store()
        except RepoMaintenanceError as error:
            say(f"Error: {error}")
            raise JobFailedError(str(error)) from None
        findings = run_preflight(host, store, naming.RESULTS, self.settings.backup)
        findings += check_channels(self.settings.notifications, os.environ)
        report = "".join(f"{finding}\n" for finding in findings)
        write_text_if_changed(log, report)
        say(f"\n{report}")
        if has_failure(findings):
            raise JobFailedError("preflight: a backup would be in vain as things stand")

    def _clear_left_overs(self, resolution: Resolution) -> None:
        """Remove what an earlier run did not finish, so that nothing half-written is ever built upon.

        Its summary goes as well: should this run not get to write its own, that is not taken for it.

        What is kept on purpose goes too where it is to be made anew.
        """
        backup = self.settings.backup
        for folder in (naming.FAILURES, naming.SCRATCH):
            shutil.rmtree(folder, ignore_errors=True)
        for path in (naming.DURATIONS, naming.SUMMARY, naming.SUMMARY.with_suffix(".md")):
            path.unlink(missing_ok=True)
        for folder, kept in ((naming.MIRRORS, backup.keep_mirrors), (naming.ARCHIVES, backup.keep_archives)):
            _clear(folder.glob(f"{naming.PARTIAL}*" if kept else "*"))
        for decision in resolution.due:
            tarball = naming.ARCHIVES / naming.tarball_name(decision.name)
            description = tarball.with_name(tarball.name.removesuffix(".tar.gz") + ".json")
            _clear([naming.MIRRORS / decision.repository.name, tarball, description])
        for place in (naming.RESULTS, naming.RECORDS, naming.RECEIPTS, naming.LISTINGS):
            _clear(place.glob(f"{naming.PARTIAL}*"))
        if backup.cache is not None:  # which another run may share: what it is making is young
            old = (self._started_at - STALE_AFTER).timestamp()
            partial = backup.cache.glob(f"{naming.PARTIAL}*")
            _clear(path for path in partial if path.stat().st_mtime < old)

    def begin(self) -> None:
        """Make ready for the jobs: from now on a signal ends them all."""
        stop_on_signals(self.finish)

    def finish(self) -> None:
        """Sum the run up, once, on the screen and in ``results/``; not where no backup was asked for."""
        if self._resolution is not None and not self._is_summed_up:
            self._sum_up(self._resolution)

    def _sum_up(self, resolution: Resolution) -> None:
        """Say how the run ended, write it to ``results/``, and have the store remember it."""
        self._is_summed_up = True
        summary = summarize(resolution, started_at=self._started_at, now=dt.datetime.now(dt.UTC))
        try:
            write_json(naming.SUMMARY, summary)
            write_text_if_changed(naming.SUMMARY.with_suffix(".md"), render_markdown(summary))
        except OSError as error:  # it is said all the same, and who waits for news of the run gets them
            logger.warning("the summary can't be written to %s: %s", naming.SUMMARY, error.strerror)
        say(render_summary(summary))
        record = record_of_backup(summary, resolution.catalog, self.id, retries=tally.retries())
        remember(self.open_store(), record)


def _clear(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
