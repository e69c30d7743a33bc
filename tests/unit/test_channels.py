"""Promises of the channels: messages arrive, dead ones cost little, and no address is ever shown."""

from __future__ import annotations

import json
import logging
import threading
import time

import pytest

from repo_maintenance.channels import (
    Channel,
    Message,
    _Listener,
    _send_one,
    check_channels,
    find_channels,
    redact,
    send,
)
from repo_maintenance.findings import Level
from repo_maintenance.git import NO_ACCESS, git_environment
from repo_maintenance.heartbeat import Heartbeat
from repo_maintenance.processes import NOTHING
from repo_maintenance.settings import ChannelSettings, NotificationSettings
from repo_maintenance.settings.alerts import HEARTBEAT_VARIABLE
from tests.servers.sinks import MailSink, WebhookSink, unused_port

pytestmark = [
    # Apprise's plugins import what Python 3.13 has no more; they have their own for it.
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
    # The mail server in these tests is one without TLS.
    pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning"),
]
SECRET = "pa55-w0rd-never-shown"
MESSAGE = Message("Backup of acme: 1 critical", "CRITICAL late: lecture-ü <b>\n  → look & see", "failure")
TIMEOUT = 15.0


def channel(address: str, name: str = "ops") -> Channel:
    """Return a channel to an address."""
    return Channel(name, ChannelSettings(), address)


def test_a_mail_arrives() -> None:
    """A real mail server gets the title as its subject, and the text as it was meant."""
    with MailSink(SECRET) as sink:
        assert {"ops": None} == send([(channel(sink.apprise()), MESSAGE)], TIMEOUT)

    (mail,) = sink.messages
    assert MESSAGE.title in mail["Subject"]
    plain = mail.get_body(("plain",)) or mail.get_body(("html",))
    assert plain is not None
    assert "lecture-ü" in plain.get_content()


def test_a_webhook_arrives() -> None:
    """A real receiver gets title, text and kind."""
    with WebhookSink() as sink:
        assert {"ops": None} == send([(channel(sink.apprise), MESSAGE)], TIMEOUT)

    got = json.loads(sink.requests[0].body)
    assert (MESSAGE.title, MESSAGE.body, "failure") == (got["title"], got["message"], got["type"])


def test_one_dead_channel_does_not_keep_the_others() -> None:
    """Of three channels the two that live get their message; the dead one is named with a reason."""
    with WebhookSink() as first, WebhookSink() as second:
        dead = channel(f"json://127.0.0.1:{unused_port()}/hook", "dead")
        sent = send(
            [
                (channel(first.apprise, "first"), MESSAGE),
                (dead, MESSAGE),
                (channel(second.apprise, "second"), MESSAGE),
            ],
            TIMEOUT,
        )
    assert (None, None) == (sent["first"], sent["second"])
    assert sent["dead"]
    assert (1, 1) == (len(first.requests), len(second.requests))


def test_a_channel_that_hangs_is_given_up() -> None:
    """A receiver that never answers holds nothing up beyond the time-out."""
    with WebhookSink(held=threading.Event()) as sink:
        started = time.monotonic()
        outcome = send([(channel(sink.apprise), MESSAGE)], 0.3)
    assert {"ops": "not done within 0.3 s"} == outcome
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_refusal_is_a_failure(status: int) -> None:
    """What the receiver does not take did not arrive."""
    with WebhookSink(status=status) as sink:
        assert send([(channel(sink.apprise), MESSAGE)], TIMEOUT)["ops"]


def test_no_failure_shows_an_address(capfd: pytest.CaptureFixture[str]) -> None:
    """Wrong passwords, refusals, dead servers and nonsense: neither reason nor screen holds a secret."""
    with MailSink(SECRET) as mail, WebhookSink(status=403) as hook:
        addresses = {
            "password": mail.apprise(f"wrong-{SECRET}"),
            "refused": f"json://user:{SECRET}@127.0.0.1:{hook.port}/{SECRET}/",
            "dead": f"json://user:{SECRET}@127.0.0.1:{unused_port()}/{SECRET}/",
            "nonsense": f"no-such-service://{SECRET}",
            "token": f"slack://{SECRET}/{SECRET}/{SECRET}",
            "percent": f"json://127.0.0.1:{unused_port()}/pa55%2Dw0rd%2Dnever%2Dshown",
        }
        outcome = send([(channel(address, name), MESSAGE) for name, address in addresses.items()], TIMEOUT)

    shown = capfd.readouterr()
    assert all(outcome.values()), outcome
    assert "never" not in f"{outcome} {shown.out} {shown.err}"


def test_no_failure_is_told_in_the_words_of_another() -> None:
    """A thread that has the number of one before does not repeat what that one heard of its channel."""
    listener = _Listener.attach()
    logging.getLogger("apprise").warning("the key %s is not valid", SECRET)
    assert SECRET in listener.last()

    listener.forget()

    assert "" == listener.last()
    with WebhookSink(status=403) as sink:
        logging.getLogger("apprise").warning("the key %s is not valid", SECRET)
        said = _send_one(channel(sink.apprise), MESSAGE)
    assert said
    assert SECRET not in said


@pytest.mark.parametrize(
    "text",
    [
        f"failed: slack://T0/{SECRET}",
        f"POST https://hooks.example.org/{SECRET} timed out",
        f"bad token {SECRET}",
        f"bad token {SECRET.replace('-', '%2D')}",
        "see https://elsewhere.example.org/?key=never",
    ],
)
def test_what_is_said_is_cleaned(text: str) -> None:
    """No part of an address is left in a text, however it is written, and no other address either."""
    address = f"slack://T0/{SECRET}/{SECRET.replace('-', '%2D')}"
    assert "never" not in redact(text, address)


def test_the_address_is_in_no_representation() -> None:
    """A channel that ends up in a traceback or a log does not show where it leads."""
    assert SECRET not in repr(channel(f"slack://{SECRET}"))


def test_git_gets_no_address() -> None:
    """What git starts, such as git-lfs or a helper, finds no address in its environment."""
    secrets = {"REPO_MAINTENANCE_NOTIFY_OPS": SECRET, HEARTBEAT_VARIABLE: SECRET}
    assert SECRET not in git_environment(secrets, NO_ACCESS, NOTHING).values()


def test_addresses_come_from_the_environment() -> None:
    """A channel has the address of the variable that bears its name; one without is left out."""
    settings = NotificationSettings(channels={"ops": ChannelSettings(), "team_2": ChannelSettings()})

    found = find_channels(settings, {"REPO_MAINTENANCE_NOTIFY_TEAM_2": "json://somewhere"})

    assert [("team_2", "json://somewhere")] == [(one.name, one.address) for one in found]


def test_what_can_t_work_is_said_before() -> None:
    """A channel without an address, and an address without a channel, are each told, but stop nothing."""
    settings = NotificationSettings(channels={"ops": ChannelSettings()})
    good = list(check_channels(settings, {"REPO_MAINTENANCE_NOTIFY_OPS": SECRET}))
    bad = list(check_channels(settings, {"REPO_MAINTENANCE_NOTIFY_OSP": SECRET}))

    assert ([Level.OK], [Level.WARNING] * 2) == ([one.level for one in good], [one.level for one in bad])
    assert "REPO_MAINTENANCE_NOTIFY_OPS" in str(bad[0])
    assert SECRET not in f"{good} {bad}"


def test_a_missing_apprise_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Apprise is not installed and channels are configured, one line says how to install it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    settings = NotificationSettings(channels={"ops": ChannelSettings(), "team": ChannelSettings()})

    (found,) = check_channels(settings, {"REPO_MAINTENANCE_NOTIFY_OPS": SECRET})

    assert (Level.WARNING, "install it" in str(found)) == (found.level, True)
    assert [] == find_channels(settings, {"REPO_MAINTENANCE_NOTIFY_OPS": SECRET})
    assert [] == list(check_channels(NotificationSettings(), {}))


def test_the_heartbeat_tells_how_a_run_went() -> None:
    """Start and failure go to paths below the address, success to the address itself."""
    with WebhookSink() as sink:
        heartbeat = Heartbeat({HEARTBEAT_VARIABLE: f"{sink.url}?key=1"}, TIMEOUT)
        for signal in ("start", "success", "fail"):
            heartbeat.send(signal)

    path = "/ping-s3cr3t-path"
    assert [f"{path}/start?key=1", f"{path}?key=1", f"{path}/fail?key=1"] == sink.paths


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/s3cr3t", "nonsense-s3cr3t", "http://[s3cr3t"])
def test_a_dead_heartbeat_is_a_warning(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """A monitor that is away costs a line in the log, without its address."""
    Heartbeat({HEARTBEAT_VARIABLE: address.format(port=unused_port())}, TIMEOUT).send("success")

    assert "heartbeat: success could not be sent" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_a_refused_heartbeat_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A monitor that does not know the check says so by its answer."""
    with WebhookSink(status=404) as sink:
        Heartbeat({HEARTBEAT_VARIABLE: sink.url}, TIMEOUT).send("fail")

    assert "heartbeat: fail was answered with 404" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_no_heartbeat_is_no_request() -> None:
    """Without an address nothing is sent, and nothing said."""
    heartbeat = Heartbeat({}, TIMEOUT)
    heartbeat.send("success")
    assert not heartbeat.is_configured
