"""GitHub's workflow commands: lines on standard output that the runner acts upon.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

# What the runner does not unescape, it would take for the end of a message or of a property.
_IN_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_DATA, ":": "%3A", ",": "%2C"}
_SECRET_NAME = re.compile(
    r"(GITHUB_TOKEN|GH_TOKEN|GITHUB_APP_PRIVATE_KEY|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN"
    r"|REPO_MAINTENANCE_(NOTIFY_.+|HEARTBEAT_URL)|.*_(PASSWORD|SECRET|WEBHOOK(_URL)?))"
)
SHORTEST_SECRET = 6


@dataclass(frozen=True)
class Annotation:
    """A message that GitHub shows on the page of the run."""

    level: Literal["error", "warning", "notice"]
    title: str
    message: str

    def __str__(self) -> str:
        return f"::{self.level} title={_escape(self.title, _IN_PROPERTY)}::{_escape(self.message, _IN_DATA)}"


def _escape(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)


def find_secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the secrets of an environment, line by line, as masks work; what is too short to be one stays."""
    for name, value in environment.items():
        if _SECRET_NAME.fullmatch(name):
            yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= SHORTEST_SECRET)


def mask(secret: str) -> str:
    """Return the command that has the runner show ``***`` for a secret from now on."""
    return f"::add-mask::{_escape(secret, _IN_DATA)}"


@dataclass(frozen=True)
class Mute:
    """A stretch of output in which nothing is a command: it holds what others have written."""

    token: str

    @classmethod
    def new(cls) -> Mute:
        """Return a stretch that nobody can end who has not seen its token."""
        return cls(secrets.token_hex(16))

    @property
    def begin(self) -> str:
        """The line before it."""
        return f"::stop-commands::{self.token}"

    @property
    def end(self) -> str:
        """The line after it."""
        return f"::{self.token}::"
