"""The sections ``alerts`` and ``notifications``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, field_validator

from repo_maintenance.settings.sections import RegularExpression, Section

CHANNEL_PREFIX = "REPO_MAINTENANCE_NOTIFY_"
HEARTBEAT_VARIABLE = "REPO_MAINTENANCE_HEARTBEAT_URL"

Severity = Literal["critical", "warning", "info"]
AlertName = Literal[
    "backup-failed",
    "backup-late",
    "never-backed-up",
    "critical-missing",
    "storage-full",
    "quota-low",
    "backup-shrunk",
    "history-rewritten",
    "repository-vanished",
    "repository-moved",
    "proof-failed",
    "proof-overdue",
    "backup-lost",
    "run-failed",
]
Share = Annotated[float, Field(ge=0, le=1)]


class AlertSettings(Section):
    """What an administrator is told of, and from which threshold on."""

    off: list[AlertName] = []
    """Names of alerts that are not wanted."""

    failed_runs: PositiveInt = 1
    """A repository that failed in so many runs, one after the other, is told of."""

    max_age_days: PositiveInt = 40
    """A newest backup that is older than so many days is late; more than `backup.max_age_days`."""

    never_after_days: Annotated[int, Field(ge=0)] = 0
    """A repository without any backup is told of so many days after its last push; 0 for at once."""

    critical: list[RegularExpression] = []
    """Names or regular expressions of repositories that must be listed, matched and backed up."""

    max_stored_gb: Annotated[float, Field(ge=0)] | None = None
    """More than this in the store, in GB (10⁹ bytes), is told of; `null` for no limit."""

    min_quota: Share = 0.1
    """Less than this share of GitHub's quota of requests left is told of."""

    min_size: Share = 0.5
    """A backup smaller than this share of the one before is told of; 0 for never."""

    rewritten_refs: PositiveInt = 1
    """A backup is told of, as long as it is pinned, where so many of its refs were rewritten upstream."""

    merged_branches: bool = False
    """Whether a branch that vanished counts as rewritten though all of its commits can still be reached."""

    vanished_days: PositiveInt = 90
    """A repository that is gone upstream is told of until its newest backup is so many days old."""

    max_proof_age_days: PositiveInt = 60
    """Backups none of which was proven restorable for so many days are told of."""


class ChannelSettings(Section):
    """What goes to a channel; its address is in the variable `REPO_MAINTENANCE_NOTIFY_NAME`."""

    severities: list[Severity] = ["critical", "warning"]
    """Alerts of these severities are sent at the end of the run that finds them."""

    success: Literal["never", "digest", "always"] = "never"
    """Whether it is told when all went well: `never`, once in `digest_days`, or after every backup run."""


class NotificationSettings(Section):
    """Who is told of alerts; the addresses are in the environment."""

    channels: dict[str, ChannelSettings] = {}
    """Mail, Slack, Teams, webhooks and the like, by a name in lower-case letters, digits and `_`."""

    repeat_days: PositiveInt = 7
    """An alert that stands is told again after so many days."""

    digest_days: PositiveInt = 7
    """How often a digest is sent to the channels that ask for one."""

    timeout_seconds: PositiveInt = 30
    """How long a channel, or the heartbeat, may take before it is given up."""

    @field_validator("channels", mode="before")
    @classmethod
    def _are_named(cls, channels: object) -> object:
        """Refuse what can't be part of a variable's name; a channel without further keys is as by default."""
        if not isinstance(channels, Mapping):
            return channels
        if not all(re.fullmatch(r"[a-z][a-z0-9_]*", str(name)) for name in channels):
            raise ValueError("a channel's name is made of lower-case letters, digits and _, and no address")
        return {name: {} if chosen is None else chosen for name, chosen in channels.items()}
