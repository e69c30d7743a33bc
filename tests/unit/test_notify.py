"""Promises of notifications as the Snakefile calls them: real servers, a real store, and no lost backup."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import HostError, JobFailedError, LockedError
from repo_maintenance.naming import BackupName, ProofName
from repo_maintenance.notify import Notifier
from repo_maintenance.observer import Observer
from repo_maintenance.run import Run
from repo_maintenance.settings import load_settings
from tests.servers import repositories
from tests.servers.sinks import WebhookSink, unused_port
from tests.unit.making import back_up
from tests.unit.organization import Organization, utc_today

# Apprise's plugins import what Python 3.13 has no more; they have their own for it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
OPS = "REPO_MAINTENANCE_NOTIFY_OPS"
HEARTBEAT = "REPO_MAINTENANCE_HEARTBEAT_URL"
LOG = Path("results/logs/notify.log")
PING = "/ping-s3cr3t-path"


@pytest.fixture
def hook() -> Iterator[WebhookSink]:
    """Receive what a channel is sent."""
    with WebhookSink() as sink:
        yield sink


@pytest.fixture
def monitor() -> Iterator[WebhookSink]:
    """Receive heartbeats."""
    with WebhookSink() as sink:
        yield sink


@pytest.fixture(autouse=True)
def closed_locks() -> Iterator[None]:
    """Close what a run keeps open until its process ends."""
    yield
    while Night.begun:
        lock = Night.begun.pop()._lock
        if lock is not None:
            lock.close()


class Night:
    """One run of backup with notifications, without Snakemake."""

    begun: ClassVar[list[Run]] = []

    def __init__(self, organization: Organization, environment: Mapping[str, str], **channel: Any) -> None:
        naming.LOCK.unlink(missing_ok=True)  # as the end of the process before has let it go
        self.organization = organization
        config = organization.config()
        config["notifications"] = {"channels": {"ops": channel}, "timeout_seconds": 10}
        self.run = Run.start(config, {})
        self.begun.append(self.run)
        self.settings = self.run.settings
        observer = Observer(self.settings, self.run.open_store, self.run.open_host)
        self.notifier = Notifier(self.settings, self.run.open_store, observer, environment)
        self.run.afterwards.append(self.notifier.finish_backup)

    def go(self) -> None:
        """Do what the Snakefile does, from the beginning to the end."""
        self.notifier.begin(self.run.due_receipts, preview=False)
        for decision in self.organization.resolve().due:
            try:
                back_up(load_settings(self.organization.config(), {}), self.organization.store, decision.name)
            except JobFailedError:
                continue
        self.run.finish()
        self.notifier.finish(is_backup=True, is_verify=False)


def titles(sink: WebhookSink) -> list[str]:
    """Return the titles that arrived."""
    return [json.loads(one.body)["title"].rpartition(": ")[2] for one in sink.requests]


def test_a_good_run_says_nothing_but_its_heartbeat(
    organization: Organization, hook: WebhookSink, monitor: WebhookSink
) -> None:
    """Start and success reach the monitor; no channel is bothered."""
    Night(organization, {OPS: hook.apprise, HEARTBEAT: monitor.url}).go()

    assert ([f"{PING}/start", PING], []) == (monitor.paths, hook.requests)


def test_a_run_with_nothing_to_do_has_its_heartbeat(
    organization: Organization, hook: WebhookSink, monitor: WebhookSink
) -> None:
    """Where everything is up to date no job ends the run, and the monitor is told all the same, once."""
    organization.run()

    Night(organization, {OPS: hook.apprise, HEARTBEAT: monitor.url}).go()

    assert [f"{PING}/start", PING] == monitor.paths


def test_a_failed_backup_is_told_at_once(
    organization: Organization, hook: WebhookSink, monitor: WebhookSink
) -> None:
    """One of three can't be mirrored: the alert arrives with its reason, and the heartbeat is a failure."""
    repositories.corrupt(organization.path("data_tools"))

    Night(organization, {OPS: hook.apprise, HEARTBEAT: monitor.url}).go()

    assert [f"{PING}/start", f"{PING}/fail"] == monitor.paths
    assert ["2 critical"] == titles(hook)
    assert "backup-failed: data_tools: mirror failed" in hook.text


def test_a_standing_alert_is_told_once_also_by_a_fresh_runner(
    organization: Organization, hook: WebhookSink
) -> None:
    """What was told is known to the store: the next run says nothing; its end is told when it comes."""
    repositories.corrupt(organization.path("data_tools"))
    Night(organization, {OPS: hook.apprise}).go()
    shutil.rmtree(naming.RESULTS)
    Night(organization, {OPS: hook.apprise}).go()
    shutil.rmtree(organization.path("data_tools"))
    repositories.make_repository(organization.path("data_tools"))
    shutil.rmtree(naming.RESULTS)

    Night(organization, {OPS: hook.apprise}).go()

    assert ["2 critical", "2 cleared"] == titles(hook)


def test_what_did_not_arrive_is_told_by_the_next_run(organization: Organization) -> None:
    """A channel that is dead tonight gets the alert tomorrow."""
    repositories.corrupt(organization.path("data_tools"))
    Night(organization, {OPS: f"json://127.0.0.1:{unused_port()}/"}).go()

    with WebhookSink() as sink:
        Night(organization, {OPS: sink.apprise}).go()

    assert ["2 critical"] == titles(sink)


def test_dead_channels_and_monitors_fail_nothing(
    organization: Organization, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Everything is backed up though nobody can be told; warnings say so without the addresses."""
    repositories.corrupt(organization.path("data_tools"))
    caplog.set_level("DEBUG")
    dead = f"127.0.0.1:{unused_port()}"
    night = Night(organization, {OPS: f"json://{dead}/s3cr3t", HEARTBEAT: f"http://{dead}/s3cr3t"})
    night.go()

    said = capfd.readouterr()
    assert 2 == sum(key.endswith(".tar.gz") for key in organization.stored())
    assert "the channel ops could not be reached" in said.err
    assert "heartbeat: fail could not be sent" in said.err
    assert "s3cr3t" not in said.out + said.err + caplog.text


def test_a_failed_proof_is_told_by_the_verify(organization: Organization, hook: WebhookSink) -> None:
    """At the end of a verify its bad proof is told; the monitor of backups hears nothing of it."""
    organization.run()
    bad = ProofName(BackupName("data_tools", utc_today()), utc_today(), is_good=False)
    organization.store.put_note(naming.proof_key(bad), b"{}")

    Night(organization, {OPS: hook.apprise}).notifier.finish(is_backup=False, is_verify=True)

    assert ["1 critical"] == titles(hook)
    assert "proof-failed: data_tools" in hook.text


def test_a_run_that_can_t_begin_is_told(
    organization: Organization, hook: WebhookSink, monitor: WebhookSink
) -> None:
    """Where the list of repositories can't be had, channels and monitor know; the error stays the same."""
    shutil.move(organization.folder, organization.folder.with_name("elsewhere"))

    with pytest.raises(HostError):
        Night(organization, {OPS: hook.apprise, HEARTBEAT: monitor.url}).go()

    assert [f"{PING}/start", f"{PING}/fail"] == monitor.paths
    assert ["1 critical"] == titles(hook)
    assert "run-failed: the run could not begin" in hook.text


def test_nothing_matched_is_no_success(organization: Organization, monitor: WebhookSink) -> None:
    """Where no repository is matched, none is safe: the monitor is not lulled."""
    shutil.rmtree(organization.folder)
    organization.folder.mkdir()

    Night(organization, {HEARTBEAT: monitor.url}).go()

    assert f"{PING}/fail" == monitor.paths[-1]


def test_a_second_run_beside_the_first_tells_nothing_bad(
    organization: Organization, hook: WebhookSink, monitor: WebhookSink
) -> None:
    """Where another run is going on, that one tells how it ended."""
    first = Night(organization, {})
    second = Night(organization, {OPS: hook.apprise, HEARTBEAT: monitor.url})
    first.notifier.begin(first.run.due_receipts, preview=False)

    with pytest.raises(LockedError):
        second.go()

    assert ([f"{PING}/start"], []) == (monitor.paths, hook.requests)


def test_a_preview_sends_nothing(organization: Organization, hook: WebhookSink, monitor: WebhookSink) -> None:
    """`snakemake -n` tells nobody, also where it fails."""
    night = Night(organization, {OPS: hook.apprise, HEARTBEAT: monitor.url})
    night.notifier.begin(night.run.due_receipts, preview=True)
    shutil.rmtree(organization.folder)
    with pytest.raises(HostError):
        again = Night(organization, {OPS: hook.apprise, HEARTBEAT: monitor.url})
        again.notifier.begin(again.run.due_receipts, preview=True)

    assert ([], []) == (hook.requests, monitor.requests)


@pytest.mark.parametrize(("wish", "expected"), [("never", 0), ("digest", 1), ("always", 2)])
def test_success_is_told_as_each_channel_wants_it(
    organization: Organization, hook: WebhookSink, wish: str, expected: int
) -> None:
    """Two good runs on one day: nothing, one digest, or two messages."""
    for _number in range(2):
        Night(organization, {OPS: hook.apprise}, success=wish).go()

    assert expected == len(hook.requests)


def test_a_test_reaches_each_channel(
    organization: Organization, hook: WebhookSink, caplog: pytest.LogCaptureFixture
) -> None:
    """`notify_test` sends one message, and says of each channel that it arrived."""
    Night(organization, {OPS: hook.apprise}).notifier.test(LOG)

    assert 1 == len(hook.requests)
    assert "ops: arrived" in LOG.read_text()
    _ = caplog


def test_a_test_fails_where_a_channel_is_dead_or_has_no_address(organization: Organization) -> None:
    """Who tests the channels learns of the dead one by name, and by the exit code."""
    with pytest.raises(JobFailedError, match="ops"):
        Night(organization, {OPS: f"json://127.0.0.1:{unused_port()}/"}).notifier.test(LOG)
    with pytest.raises(JobFailedError, match="no address"):
        Night(organization, {}).notifier.test(LOG)
