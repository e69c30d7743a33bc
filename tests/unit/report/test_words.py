"""Promises of the figures: as people say them, and nothing where nothing is known."""

from __future__ import annotations

import datetime as dt

import pytest

from repo_maintenance.report import words

NOW = dt.datetime(2026, 11, 24, 6, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "—"), (2.46, "2.5 s"), (59.9, "59.9 s"), (200, "3 min 20 s"), (3900, "1 h 5 min")],
)
def test_a_duration(seconds: float | None, expected: str) -> None:
    """Seconds below a minute, then minutes, then hours."""
    assert expected == words.duration(seconds)


@pytest.mark.parametrize(
    ("count", "expected"), [(None, "—"), (0, "0"), (1500, "+1.5 KB"), (-2_000_000, "-2 MB")]
)
def test_a_change_has_its_sign(count: int | None, expected: str) -> None:
    """Growth and shrinking are told apart; no figure is not the same as no change."""
    assert expected == words.change(count)


@pytest.mark.parametrize(
    ("days", "expected"), [(0, "today"), (1, "yesterday"), (12, "12 days ago"), (1500, "1,500 days ago")]
)
def test_a_day(days: int, expected: str) -> None:
    """As people say it."""
    assert expected == words.days_ago(NOW.date() - dt.timedelta(days=days), NOW.date())


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(0, "just now"), (59, "59 min ago"), (300, "5 h ago"), (2820, "47 h ago"), (2880, "2 days ago")],
)
def test_how_long_ago(minutes: int, expected: str) -> None:
    """In the largest unit that says enough."""
    assert expected == words.ago(NOW - dt.timedelta(minutes=minutes), NOW)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(0, "0.00 EUR"), (0.004, "< 0.01 EUR"), (0.01, "0.01 EUR"), (1234.5, "1,234.50 EUR")],
)
def test_money(amount: float, expected: str) -> None:
    """What is less than a cent is not called nothing."""
    assert expected == words.money(amount, "EUR")
