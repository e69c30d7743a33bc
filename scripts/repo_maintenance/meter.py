"""Metrics as the Snakefile sees them: a target of their own, and what a backup or verify ends with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from repo_maintenance import naming, tally
from repo_maintenance.errors import JobFailedError, MetricsError, RepoMaintenanceError
from repo_maintenance.logs import job_log
from repo_maintenance.metrics import describe
from repo_maintenance.overview import Overview
from repo_maintenance.processes import is_stopping
from repo_maintenance.screen import say
from repo_maintenance.settings import Settings

logger = logging.getLogger(__name__)


class Meter:
    """Measures how everything stands, and hands that to Prometheus."""

    def __init__(self, settings: Settings, look: Callable[[], Overview]) -> None:
        """``look`` says how everything stands now."""
        self._settings = settings
        self._look = look

    def publish(self) -> None:
        """Publish to where the settings say, if anywhere; what fails is a warning, and fails no backup.

        A run that a signal is ending leaves this to the next one.
        """
        if not self._settings.metrics.is_configured or is_stopping():
            return
        try:
            for problem in self._measure(self._settings.metrics.textfile):
                logger.warning("metrics: %s", problem)
        except (RepoMaintenanceError, OSError) as error:
            logger.warning("metrics: nothing is published: %s", error)

    def produce(self, log: Path) -> None:
        """Publish, for who asked for just this: to a file in results/ where the settings name no place.

        Raises JobFailedError where any of it fails.
        """
        chosen = self._settings.metrics
        textfile = chosen.textfile if chosen.is_configured else naming.METRICS
        with job_log("metrics", log, rule="metrics", repository="-"):
            try:
                problems = [str(problem) for problem in self._measure(textfile)]
            except (RepoMaintenanceError, OSError) as error:
                problems = [str(error)]
            for problem in problems:
                logger.error("%s", problem)
        if problems:
            raise JobFailedError(f"metrics: {'; '.join(problems)}")
        places = " and ".join(str(place) for place in (textfile, chosen.pushgateway) if place)
        say(f"metrics: published to {places}")

    def _measure(self, textfile: Path | None) -> Iterator[MetricsError]:
        """Measure, write and push; yields why one of the places did not get them, and goes on."""
        from repo_maintenance.exposition import push, registry_of, write_textfile

        source = self._source()
        registry = registry_of(describe(self._look(), tally.quota()), source)
        if textfile is not None:
            try:
                write_textfile(registry, textfile)
            except MetricsError as error:
                yield error
        if self._settings.metrics.pushgateway is not None:
            try:
                push(registry, self._settings.metrics.pushgateway, source)
            except MetricsError as error:
                yield error

    def _source(self) -> str:
        backup = self._settings.backup
        return backup.organization or (str(backup.folder) if backup.folder else "example")
