"""Notifications through Snakemake, with real servers: told in time, and never in the way of a backup."""

from __future__ import annotations

import datetime as dt
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repo_maintenance import naming
from repo_maintenance.naming import BackupName
from tests.servers import repositories
from tests.servers.sinks import MailSink, WebhookSink, unused_port
from tests.unit.making import age
from tests.unit.organization import utc_today
from tests.workflow.workspace import Workspace

# The mail server in these tests is one without TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
PING = "/ping-s3cr3t-path"
NAMES = ["lecture-intro", "lecture-python"]
HEARTBEAT = "REPO_MAINTENANCE_HEARTBEAT_URL"


@pytest.fixture
def organization(tmp_path: Path) -> Path:
    """Return a folder of two repositories."""
    folder = tmp_path / "acme"
    for name in NAMES:
        repositories.make_repository(folder / f"{name}.git", tags=("v1",))
    age(folder, days=3)
    return folder


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


def workspace(folder: Path, organization: Path, *channels: str, **addresses: str) -> Workspace:
    """Return a folder to work in, with these channels."""
    backup = {"folder": str(organization), "git": {"attempts": 1, "wait_seconds": 0}}
    config: dict[str, Any] = {
        "backup": backup,
        "notifications": {"channels": {key: {} for key in channels}, "timeout_seconds": 10},
    }
    environment = {
        name if name == HEARTBEAT else f"REPO_MAINTENANCE_NOTIFY_{name.upper()}": address
        for name, address in addresses.items()
    }
    return Workspace(folder / "workspace", config, environment)


def titles(sink: WebhookSink) -> list[str]:
    """Return the titles that arrived."""
    return [json.loads(one.body)["title"].rpartition(": ")[2] for one in sink.requests]


def test_a_failure_reaches_mail_webhook_and_monitor(
    tmp_path: Path, organization: Path, hook: WebhookSink, monitor: WebhookSink
) -> None:
    """One repository fails: channels and monitor know, beside a dead channel; no address is shown."""
    repositories.corrupt(organization / "lecture-intro.git")
    with MailSink("pa55-s3cr3t") as mail:
        space = workspace(
            tmp_path,
            organization,
            *("mail", "hook", "dead"),
            mail=mail.apprise(),
            hook=hook.apprise,
            dead=f"json://127.0.0.1:{unused_port()}/s3cr3t",
            **{HEARTBEAT: monitor.url},
        )
        preview = space.run("-n", "backup")
        assert ([], [], []) == (mail.messages, hook.requests, monitor.requests)
        done = space.backup()

    assert (0, 1) == (preview.code, done.code), done.output
    assert ["2 critical"] == titles(hook)
    assert "lecture-intro: mirror failed" in hook.text
    assert "2 critical" in mail.messages[0]["Subject"]
    assert [f"{PING}/start", f"{PING}/fail"] == monitor.paths
    assert 1 == done.output.count("the channel dead could not be reached")
    everything = [path.read_bytes() for path in space.path.rglob("*") if path.is_file()]
    assert "s3cr3t" not in done.output
    assert [] == [content for content in everything if b"s3cr3t" in content]


def test_a_good_run_and_one_with_nothing_to_do_are_a_success(
    tmp_path: Path, organization: Path, hook: WebhookSink, monitor: WebhookSink
) -> None:
    """The monitor gets a start and a success from each; the channel nothing."""
    space = workspace(tmp_path, organization, "hook", hook=hook.apprise, **{HEARTBEAT: monitor.url})

    assert [0, 0] == [space.backup().code, space.backup().code]

    assert ([f"{PING}/start", PING] * 2, []) == (monitor.paths, hook.requests)


def test_a_run_that_can_t_begin_is_told(
    tmp_path: Path, organization: Path, hook: WebhookSink, monitor: WebhookSink
) -> None:
    """Where nothing can be listed, Snakemake ends before any job, and still it is told."""
    space = workspace(tmp_path, organization, "hook", hook=hook.apprise, **{HEARTBEAT: monitor.url})
    shutil.rmtree(organization)

    assert 1 == space.backup().code

    assert (["1 critical"], f"{PING}/fail") == (titles(hook), monitor.paths[-1])


def test_a_run_that_is_stopped_is_told(tmp_path: Path, organization: Path, hook: WebhookSink) -> None:
    """SIGTERM in the middle of a run: the channel hears of it before the process is gone."""
    space = workspace(tmp_path, organization, "hook", hook=hook.apprise)
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    begun = tmp_path / "begun"
    cloning = f'case "$*" in *clone*) echo x > {begun}; exec sleep 30;; esac'
    slow.write_text(f'#!/bin/sh\n{cloning}\nexec {shutil.which("git")} "$@"\n')
    slow.chmod(0o755)
    os.mkfifo(begun)
    cloned = os.open(begun, os.O_RDWR)
    space.write_config()
    environment = space.child_environment() | {"PATH": f"{slow.parent}:{os.environ['PATH']}"}
    with subprocess.Popen(
        space.command("--cores", "1", "backup"),
        cwd=space.path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert select.select([cloned], [], [], 60)[0]
        process.terminate()
        output = process.communicate(timeout=30)[0].decode()

    os.close(cloned)
    assert process.returncode != 0
    assert "told to stop" in hook.text, output


def test_rewritten_history_is_told_and_kept_until_unpinned(
    tmp_path: Path, organization: Path, hook: WebhookSink
) -> None:
    """A forced push upstream: told with both ids, pinned, shown by `alerts`, and let go by `unpin`."""
    space = workspace(tmp_path, organization, "hook", hook=hook.apprise)
    assert 0 == space.backup().code
    _make_older(space.path, "lecture-intro")
    repositories.force_push(organization / "lecture-intro.git")

    assert 0 == space.backup().code
    shown = space.run("--cores", "1", "alerts")
    released = space.run("--cores", "1", "unpin", "--config", "unpin=[lecture-intro]")
    again = space.run("--cores", "1", "alerts")

    assert (["1 critical"], 0) == (titles(hook), released.code), released.output
    assert "CRITICAL history-rewritten: lecture-intro: 1 refs were rewritten" in shown.output
    assert "unpinned lecture-intro" in released.output
    assert "No alert stands." in again.output


def test_notify_test_reaches_each_channel(tmp_path: Path, organization: Path, hook: WebhookSink) -> None:
    """`notify_test` sends one to each, and fails where one is dead, by name."""
    space = workspace(tmp_path, organization, "hook", hook=hook.apprise)
    good = space.run("--cores", "1", "notify_test")
    other = workspace(tmp_path, organization, "hook", "gone", hook=hook.apprise)
    bad = other.run("--cores", "1", "notify_test")

    assert (0, 1, 2) == (good.code, bad.code, len(hook.requests)), good.output + bad.output
    assert "hook: arrived" in good.output
    assert "the channel gone has no address" in bad.output


def _make_older(folder: Path, repo: str) -> None:
    """Give the only backup of a repository the name that it would have, had it been made two days ago."""
    today = BackupName(repo, utc_today())
    earlier = BackupName(repo, utc_today() - dt.timedelta(days=2))
    store = folder / "backups"
    for key in (naming.object_key, naming.refs_key):
        (store / key(today)).rename(store / key(earlier))
    beside = ".metadata.json"
    (store / f"{naming.object_key(today)}{beside}").rename(store / f"{naming.object_key(earlier)}{beside}")
    shutil.rmtree(folder / "results")
