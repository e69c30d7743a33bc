"""Notifications as the Snakefile sees them: at the end of a run, and of one that could not begin."""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from repo_maintenance import naming
from repo_maintenance.alert import Alert, Severity
from repo_maintenance.channels import Channel, Message, check_channels, find_channels, redact, send
from repo_maintenance.errors import JobFailedError, LockedError, RepoMaintenanceError
from repo_maintenance.findings import Level
from repo_maintenance.heartbeat import Heartbeat
from repo_maintenance.invocation import as_invoked
from repo_maintenance.logs import job_log
from repo_maintenance.observer import Observer
from repo_maintenance.overview import Overview
from repo_maintenance.processes import is_stopping
from repo_maintenance.records import read_json
from repo_maintenance.screen import say
from repo_maintenance.settings import Settings
from repo_maintenance.stores import Store
from repo_maintenance.summary import Summary
from repo_maintenance.telling import (
    ChannelMemory,
    Choice,
    Memory,
    alert_message,
    choose,
    digest_message,
    is_digest_due,
    remembered,
    success_message,
)

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
# A run that a signal ends has ten seconds in all.
LAST_WORDS_SECONDS = 3.0


class Notifier:
    """Tells the channels of alerts, and the heartbeat how a run ended; what fails there is a warning."""

    def __init__(
        self,
        settings: Settings,
        open_store: Callable[[], Store],
        observer: Observer,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._settings = settings
        self._options = settings.notifications
        self._open_store = open_store
        self._observer = observer
        self._environment = environment
        self._is_told = False
        self._heartbeat = Heartbeat(environment, self._options.timeout_seconds)

    # -- a run of backup

    def begin(self, due: Callable[..., Result], *, preview: bool) -> Result:
        """Find out what is due, and tell it where that fails, since then no run will end; raises the same."""
        if not preview:
            self._heartbeat.send("start")
        try:
            return due(preview=preview)
        except LockedError:
            raise  # the other run will tell
        except (RepoMaintenanceError, OSError) as error:
            if not preview:
                self._tell_of_failure(f"the run could not begin: {error}")
                self._heartbeat.send("fail")
            raise

    def finish(self, *, is_backup: bool, is_verify: bool) -> None:
        """Tell at the end of a run what came of what was asked for."""
        if is_backup and not self._is_told:
            self.finish_backup()
        elif is_verify:
            self.finish_verify()

    def finish_backup(self) -> None:
        """Tell how a run of backup ended: its alerts, its success to who wants it, and the heartbeat."""
        self._is_told = True
        summary = read_json(naming.SUMMARY, Summary)
        if is_stopping():
            self._tell_of_failure("the run was told to stop before it was done", LAST_WORDS_SECONDS)
            self._heartbeat.send("fail", LAST_WORDS_SECONDS)
            return
        if not find_channels(self._options, self._environment) and not self._heartbeat.is_configured:
            return
        overview = self._look()
        is_good = summary is not None and summary.ok and overview is not None
        if overview is not None:
            self._tell(overview, is_good=is_good)
        self._heartbeat.send("success" if is_good and not self._observer.lacks_backups() else "fail")

    def finish_verify(self) -> None:
        """Tell of alerts after a run of verify."""
        if not is_stopping() and find_channels(self._options, self._environment):
            overview = self._look()
            if overview is not None:
                self._tell(overview, is_good=None)

    def _look(self) -> Overview | None:
        """Return how everything stands, or tell that it can't be seen."""
        try:
            return self._observer.look_again()
        except (RepoMaintenanceError, OSError) as error:
            self._tell_of_failure(f"the run has ended, and how it stands can't be seen: {error}")
            return None

    def _tell(self, overview: Overview, *, is_good: bool | None) -> None:
        """Send each channel what it wants to know, and remember what arrived.

        ``is_good`` says whether a backup went well; None where none was asked for.
        """
        now = dt.datetime.now(dt.UTC)
        memory = self._recall()
        after = dict(memory.channels)
        for channel in find_channels(self._options, self._environment):
            known = memory.channels.get(channel.name, ChannelMemory())
            choice = choose(
                overview.alerts, channel.settings, known, repeat_days=self._options.repeat_days, now=now
            )
            if not choice.is_empty and self._send([(channel, alert_message(choice, overview.source))]):
                known = remembered(choice, known, now)
            known = self._tell_success(channel, known, overview, choice, is_good=is_good)
            after[channel.name] = known
        if after != memory.channels:
            self._remember(Memory(channels=after))

    def _tell_success(
        self,
        channel: Channel,
        known: ChannelMemory,
        overview: Overview,
        choice: Choice,
        *,
        is_good: bool | None,
    ) -> ChannelMemory:
        """Send the digest, or that a run went well, to who asked for it; returns what is then known."""
        wish = channel.settings.success
        now = overview.generated_at
        if is_good is None or wish == "never":
            return known
        if wish == "always":
            if is_good and not choice.told:
                self._send([(channel, success_message(overview))])
            return known
        if not is_digest_due(known, digest_days=self._options.digest_days, now=now):
            return known
        arrived = self._send([(channel, digest_message(overview, known.digest_at))])
        return known.model_copy(update={"digest_at": now}) if arrived else known

    def _tell_of_failure(self, what: str, timeout_seconds: float | None = None) -> None:
        """Tell that a run failed as a whole, at once, to all who want to know of critical alerts."""
        alert = Alert(
            name="run-failed",
            severity=Severity.CRITICAL,
            repository=None,
            message=what,
            remedy=f"run {as_invoked('--cores 1 preflight')}, and look at the log of the run",
        )
        message = alert_message(Choice([alert], [], []), self._source())
        channels = find_channels(self._options, self._environment)
        wanting = [one for one in channels if alert.severity in one.settings.severities]
        if alert.name not in self._settings.alerts.off:
            self._send([(channel, message) for channel in wanting], timeout_seconds)

    def _send(self, messages: list[tuple[Channel, Message]], timeout_seconds: float | None = None) -> bool:
        """Send messages, and warn of those that did not arrive; returns whether all did."""
        clean = [(channel, _without_addresses(message, channel.address)) for channel, message in messages]
        problems = send(clean, timeout_seconds or self._options.timeout_seconds)
        for name, problem in problems.items():
            if problem is not None:
                logger.warning("notifications: the channel %s could not be reached: %s", name, problem)
        return all(problem is None for problem in problems.values())

    def _source(self) -> str:
        return self._settings.backup.organization or str(self._settings.backup.folder or "the example")

    # -- what was told

    def _recall(self) -> Memory:
        try:
            return Memory.model_validate_json(self._open_store().read_note(naming.TOLD_ALERTS) or b"{}")
        except (RepoMaintenanceError, OSError, ValidationError) as error:
            logger.warning(
                "notifications: what was told before can't be read, so all is told again: %s", error
            )
            return Memory()

    def _remember(self, memory: Memory) -> None:
        try:
            content = f"{memory.model_dump_json(indent=2)}\n"
            self._open_store().put_note(naming.TOLD_ALERTS, content.encode())
        except (RepoMaintenanceError, OSError) as error:
            logger.warning("notifications: what was told can't be noted, so it is told again: %s", error)

    # -- targets of their own

    def test(self, log: Path) -> None:
        """Send one message to each channel, and say of each how that went; raises JobFailedError."""
        findings = [
            one
            for one in check_channels(self._options, self._environment)
            if one.level is not Level.OK or not self._options.channels
        ]
        channels = find_channels(self._options, self._environment)
        message = Message("repo-maintenance: a test", "This channel gets the alerts of the backup.", "info")
        problems = send([(channel, message) for channel in channels], self._options.timeout_seconds)
        with job_log("notify_test", log):
            if not self._options.channels:
                logger.error("no channel is configured: see notifications.channels in config/README.md")
            for name, problem in problems.items():
                logger.log(logging.ERROR if problem else logging.INFO, "%s: %s", name, problem or "arrived")
            for finding in findings:
                logger.error("%s", finding)
        failed = [name for name, problem in problems.items() if problem is not None]
        failed += [finding.message for finding in findings]
        failed += [] if self._options.channels else ["no channel is configured"]
        if failed:
            raise JobFailedError(f"notify_test: {'; '.join(failed)}")

    def show(self, log: Path) -> None:
        """Print all alerts that stand; raises JobFailedError where that can't be known."""
        try:
            alerts = self._observer.look_again().alerts
        except (RepoMaintenanceError, OSError) as error:
            logger.error("%s", error)
            raise JobFailedError(f"alerts: {error}") from None
        lines = [line for alert in alerts for line in (str(alert), f"  → {alert.remedy}")]
        text = "\n".join([*(lines or ["No alert stands."]), ""])
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(text, encoding="utf-8")
        except OSError as error:
            logger.warning("%s can't be written: %s", log, error.strerror)
        say(f"\n{text}")


def _without_addresses(message: Message, address: str) -> Message:
    """Return a message without the address of the channel itself, should an error have held it."""
    if address not in message.body:
        return message
    return Message(message.title, redact(message.body, address), message.kind)
