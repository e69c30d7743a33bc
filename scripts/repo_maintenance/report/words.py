"""Figures as people read them; ``—`` where there is none."""

from __future__ import annotations

import datetime as dt
import re

import humanfriendly

NONE = "—"
SECONDS_A_MINUTE = 60
SECONDS_AN_HOUR = 3600
HOURS_A_DAY = 24
CENT = 0.01
_BETWEEN_BACKTICKS = re.compile(r"`([^`]+)`")


def size(count: int | None) -> str:
    """Return bytes as ``12.5 MB``."""
    return NONE if count is None else humanfriendly.format_size(count)


def change(count: int | None) -> str:
    """Return bytes with a sign, ``+12.5 MB``."""
    if not count:
        return NONE if count is None else "0"
    return f"{'+' if count > 0 else '-'}{humanfriendly.format_size(abs(count))}"


def duration(seconds: float | None) -> str:
    """Return seconds as ``2.5 s``, ``3 min 20 s`` or ``1 h 5 min``."""
    if seconds is None:
        return NONE
    if seconds < SECONDS_A_MINUTE:
        return f"{seconds:.1f} s"
    if seconds < SECONDS_AN_HOUR:
        return f"{int(seconds // SECONDS_A_MINUTE)} min {int(seconds % SECONDS_A_MINUTE)} s"
    return f"{int(seconds // SECONDS_AN_HOUR)} h {int(seconds % SECONDS_AN_HOUR // SECONDS_A_MINUTE)} min"


def days_ago(day: dt.date | None, today: dt.date) -> str:
    """Return ``today``, ``yesterday`` or ``12 days ago``."""
    if day is None:
        return "never"
    days = (today - day).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days:,} days ago")


def ago(moment: dt.datetime, now: dt.datetime) -> str:
    """Return ``just now``, ``5 min ago``, ``3 h ago`` or ``12 days ago``."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < SECONDS_A_MINUTE:
        return "just now"
    if seconds < SECONDS_AN_HOUR:
        return f"{seconds // SECONDS_A_MINUTE} min ago"
    hours = seconds // SECONDS_AN_HOUR
    return f"{hours} h ago" if hours < 2 * HOURS_A_DAY else f"{hours // HOURS_A_DAY} days ago"


def moment(when: dt.datetime) -> str:
    """Return a moment as ``2026-11-24 06:30 UTC``."""
    return f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def money(amount: float, currency: str) -> str:
    """Return an amount; what is less than a cent is said to be so."""
    return f"< {CENT} {currency}" if 0 < amount < CENT else f"{amount:,.2f} {currency}"


def split_code(text: str) -> list[tuple[str, bool]]:
    """Return the parts of a text on one line, each with whether it stood between backticks."""
    parts = _BETWEEN_BACKTICKS.split(" ".join(text.split()))
    return [(part, place % 2 == 1) for place, part in enumerate(parts)]
