"""Sends messages to mail, Slack, Teams, webhooks and the like, by Apprise; addresses are never shown."""

from __future__ import annotations

import importlib.util
import logging
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

from repo_maintenance.findings import Finding, ok, warning
from repo_maintenance.settings import ChannelSettings, NotificationSettings
from repo_maintenance.settings.alerts import CHANNEL_PREFIX

logger = logging.getLogger(__name__)

Kind = Literal["success", "info", "warning", "failure"]
INSTALL = "install it: `pip install -e '.[notify]'`, or the conda package apprise"
LEAST_SECRET = 4
_ADDRESS = re.compile(r"[a-z0-9+.-]+://\S+", re.IGNORECASE)
_SEPARATORS = re.compile(r"[:/?#@&=,]+")


@dataclass(frozen=True)
class Channel:
    """Where messages go, and which."""

    name: str
    settings: ChannelSettings
    address: str = field(repr=False)


@dataclass(frozen=True)
class Message:
    """What is sent."""

    title: str
    body: str
    kind: Kind


def variable_of(name: str) -> str:
    """Return the variable that holds the address of a channel."""
    return f"{CHANNEL_PREFIX}{name.upper()}"


def find_channels(settings: NotificationSettings, environment: Mapping[str, str]) -> list[Channel]:
    """Return the channels that have an address; none where Apprise is not installed."""
    if not settings.channels or not _has_apprise():
        return []
    return [
        Channel(name, chosen, environment[variable_of(name)])
        for name, chosen in settings.channels.items()
        if environment.get(variable_of(name))
    ]


def check_channels(settings: NotificationSettings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a warning for each channel that nothing can be sent to; a backup is made all the same."""
    if settings.channels and not _has_apprise():
        yield warning("notifications", "channels are configured, but Apprise is not installed", INSTALL)
        return
    for name in settings.channels:
        if environment.get(variable_of(name)):
            yield ok("notifications", f"the channel {name} has an address")
        else:
            yield warning(
                "notifications", f"the channel {name} has no address", f"put it into {variable_of(name)}"
            )
    for variable in sorted(environment):
        name = variable.removeprefix(CHANNEL_PREFIX).lower()
        if variable.startswith(CHANNEL_PREFIX) and name not in settings.channels:
            remedy = f"add {name} to notifications.channels"
            yield warning("notifications", f"{variable} is set, but there is no such channel", remedy)


def send(messages: Iterable[tuple[Channel, Message]], timeout_seconds: float) -> dict[str, str | None]:
    """Send each message to its channel, all at once; returns for each channel why it failed, or None.

    A channel that is not done in time is left behind: its thread ends with the process.
    """
    outcome: dict[str, str | None] = {}
    threads = []
    for channel, message in messages:
        outcome[channel.name] = f"not done within {timeout_seconds:g} s"
        thread = threading.Thread(target=_deliver, args=(channel, message, outcome), daemon=True)
        thread.start()
        threads.append(thread)
    deadline = time.monotonic() + timeout_seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(outcome)


def redact(text: str, address: str) -> str:
    """Return a text without an address, without what parts of it may be secret, and without any other."""
    hidden = text.replace(address, "***")
    parts = {form for part in _SEPARATORS.split(address) for form in (part, unquote(part))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= LEAST_SECRET:
            hidden = hidden.replace(part, "***")
    return _ADDRESS.sub("***", hidden)


def _has_apprise() -> bool:
    return importlib.util.find_spec("apprise") is not None


def _deliver(channel: Channel, message: Message, outcome: dict[str, str | None]) -> None:
    try:
        outcome[channel.name] = _send_one(channel, message)
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises must not reach a backup
        outcome[channel.name] = redact(f"{type(error).__name__}: {error}", channel.address)


def _send_one(channel: Channel, message: Message) -> str | None:
    """Send one message; returns why it failed, in Apprise's words without the address."""
    import apprise

    heard = _Listener.attach()
    heard.forget()
    client = apprise.Apprise(asset=apprise.AppriseAsset(app_id="repo-maintenance", async_mode=False))
    if not client.add(channel.address):
        return f"{variable_of(channel.name)} is no address that Apprise understands"
    options: dict[str, Any] = {"notify_type": message.kind, "body_format": apprise.NotifyFormat.TEXT}
    if client.notify(body=_calm(message.body), title=_calm(message.title), **options):
        return None
    return redact(heard.last() or "it did not arrive: refused, or nobody answers there", channel.address)


def _calm(text: str) -> str:
    """Break what Slack and the like take for a call to everybody: names come from whoever may push."""
    return text.replace("<!", "< !").replace("<@", "< @").replace("@everyone", "@ everyone")


class _Listener(logging.Handler):
    """Keeps what Apprise says from the screen, for it may hold the address, and remembers the last of it."""

    _only: _Listener | None = None
    _lock_of_only = threading.Lock()

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._heard: dict[int, str] = {}

    @classmethod
    def attach(cls) -> _Listener:
        """Return the listener of this process."""
        with cls._lock_of_only:
            if cls._only is None:
                cls._only = cls()
                apprises = logging.getLogger("apprise")
                apprises.addHandler(cls._only)
                apprises.propagate = False
                apprises.setLevel(logging.WARNING)
            return cls._only

    def emit(self, record: logging.LogRecord) -> None:
        self._heard[threading.get_ident()] = record.getMessage()

    def forget(self) -> None:
        """Forget what was said in this thread, or in one before that had its number."""
        self._heard.pop(threading.get_ident(), None)

    def last(self) -> str:
        """Return what was last said in this thread."""
        return self._heard.get(threading.get_ident(), "")
