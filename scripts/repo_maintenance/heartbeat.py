"""Tells a monitor that watches for silence that a run began, and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from repo_maintenance.settings.alerts import HEARTBEAT_VARIABLE

logger = logging.getLogger(__name__)

Signal = Literal["start", "success", "fail"]
LOWEST_ERROR = 400


class Heartbeat:
    """The address of a check, from the environment; where it has none, nothing is sent.

    https://healthchecks.io/docs/http_api/: ``URL/start``, ``URL`` for a success, ``URL/fail``.
    """

    def __init__(self, environment: Mapping[str, str], timeout_seconds: float) -> None:
        self._address = environment.get(HEARTBEAT_VARIABLE, "")
        self._timeout_seconds = timeout_seconds

    @property
    def is_configured(self) -> bool:
        """Whether there is an address."""
        return bool(self._address)

    def send(self, signal: Signal, timeout_seconds: float | None = None) -> None:
        """Send a signal; what fails is a warning, without the address."""
        if not self._address:
            return
        import requests

        try:
            address = _address_of(self._address, signal)
            answer = requests.get(address, timeout=timeout_seconds or self._timeout_seconds)
        except (requests.RequestException, ValueError) as error:
            logger.warning("heartbeat: %s could not be sent: %s", signal, type(error).__name__)
            return
        if answer.status_code >= LOWEST_ERROR:
            logger.warning("heartbeat: %s was answered with %d", signal, answer.status_code)


def _address_of(address: str, signal: Signal) -> str:
    if signal == "success":
        return address
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{signal}"))
