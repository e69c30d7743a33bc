"""What each channel is told, and what it has been told already. Pure: no clock, no network, no store."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import humanfriendly
from pydantic import AwareDatetime, BaseModel, ConfigDict

from repo_maintenance.alert import Alert, Severity
from repo_maintenance.channels import Kind, Message
from repo_maintenance.invocation import as_invoked
from repo_maintenance.overview import Overview
from repo_maintenance.settings import ChannelSettings

LISTED = 50
CENT = 0.01
# A run that begins a little earlier than the last one did still repeats what is due that day.
SLACK = dt.timedelta(hours=12)
KINDS: dict[Severity, Kind] = {
    Severity.CRITICAL: "failure",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}


class ChannelMemory(BaseModel):
    """What a channel has been told."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    told: dict[str, AwareDatetime] = {}
    """Key of a standing alert → when it was last told."""
    digest_at: AwareDatetime | None = None


class Memory(BaseModel):
    """What was told, by channel: kept in the store, so that a fresh runner knows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    channels: dict[str, ChannelMemory] = {}


@dataclass(frozen=True)
class Choice:
    """What a channel is to be told of alerts."""

    told: list[Alert]
    """New ones, and those whose turn it is again."""
    standing: list[Alert]
    """Those that it knows of already."""
    cleared: list[str]
    """Keys of those that it was told of, and that stand no longer."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.told and not self.cleared


def choose(
    alerts: Sequence[Alert],
    settings: ChannelSettings,
    memory: ChannelMemory,
    *,
    repeat_days: int,
    now: dt.datetime,
) -> Choice:
    """Return what a channel is to be told: each alert when it is new, again after a time, and its end."""
    wanted = [alert for alert in alerts if alert.severity in settings.severities]
    repeat = dt.timedelta(days=repeat_days) - SLACK
    known = {key for key, told_at in memory.told.items() if now - told_at < repeat}
    standing = {alert.key for alert in wanted}
    return Choice(
        told=[alert for alert in wanted if alert.key not in known],
        standing=[alert for alert in wanted if alert.key in known],
        cleared=sorted(memory.told.keys() - standing),
    )


def remembered(choice: Choice, memory: ChannelMemory, now: dt.datetime) -> ChannelMemory:
    """Return what a channel knows once it was told."""
    kept = {alert.key: memory.told[alert.key] for alert in choice.standing}
    return memory.model_copy(update={"told": kept | {alert.key: now for alert in choice.told}})


def is_digest_due(memory: ChannelMemory, *, digest_days: int, now: dt.datetime) -> bool:
    """Whether a channel gets a digest now; the first one at once."""
    return memory.digest_at is None or now - memory.digest_at >= dt.timedelta(days=digest_days) - SLACK


def alert_message(choice: Choice, source: str) -> Message:
    """Return the message that tells of alerts, the worst first."""
    counts = Counter(alert.severity for alert in choice.told)
    parts = [f"{counts[severity]} {severity}" for severity in Severity if counts[severity]]
    parts += [f"{len(choice.cleared)} cleared"] if choice.cleared else []
    lines = [line for alert in choice.told[:LISTED] for line in (str(alert), f"  → {alert.remedy}")]
    if len(choice.told) > LISTED:
        lines.append(
            f"… and {len(choice.told) - LISTED} more: {as_invoked('--cores 1 alerts')} shows them all"
        )
    lines += [f"CLEARED {key}" for key in choice.cleared[:LISTED]]
    if len(choice.cleared) > LISTED:
        lines.append(f"… and {len(choice.cleared) - LISTED} more cleared")
    if choice.standing:
        lines.append(f"Besides, {len(choice.standing)} that were told before still stand.")
    kind: Kind = KINDS[choice.told[0].severity] if choice.told else "success"
    return Message(f"Backup of {source}: {', '.join(parts)}", "\n".join(lines), kind)


def success_message(overview: Overview) -> Message:
    """Return the message that tells that a run went well."""
    run = overview.last_backup_run
    done = f"{run.done} backed up ({humanfriendly.format_size(run.bytes_done)}) of" if run else "nothing of"
    standing = f"\n{len(overview.alerts)} alerts stand." if overview.alerts else ""
    return Message(
        f"Backup of {overview.source}: all went well",
        f"{done} {overview.matched} repositories; {_stock(overview)}{standing}",
        "success",
    )


def digest_message(overview: Overview, since: dt.datetime | None) -> Message:
    """Return the message that sums up the runs since the last digest, good and bad."""
    runs = [
        run for run in overview.runs if run.kind == "backup" and (since is None or run.started_at > since)
    ]
    good = sum(run.ok for run in runs)
    made = sum(run.done for run in runs)
    size = humanfriendly.format_size(sum(run.bytes_done for run in runs))
    lines = [
        f"{overview.safe} of {overview.matched} repositories are safe; {_stock(overview)}",
        f"{len(runs)} backup runs, {good} of them without a failure; {made} backups made, {size}",
        f"alerts that stand: {len(overview.alerts)}" if overview.alerts else "No alert stands.",
        *(str(alert) for alert in overview.alerts[:LISTED]),
    ]
    kind: Kind = KINDS[overview.alerts[0].severity] if overview.alerts else "success"
    return Message(f"Backup of {overview.source}: digest", "\n".join(lines), kind)


def _stock(overview: Overview) -> str:
    stored = humanfriendly.format_size(overview.stored_bytes)
    cost = f"< {CENT}" if 0 < overview.cost < CENT else f"{overview.cost:,.2f}"
    return f"{overview.backups} backups stored, {stored}, {cost} {overview.currency} a month"
