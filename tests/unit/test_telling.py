"""Promises of what is told: at once, not at every run, again after a time, and when it is over."""

from __future__ import annotations

import datetime as dt

import pytest

from repo_maintenance.alert import Alert, Severity
from repo_maintenance.settings import ChannelSettings
from repo_maintenance.telling import (
    LISTED,
    ChannelMemory,
    Choice,
    Memory,
    alert_message,
    choose,
    digest_message,
    is_digest_due,
    remembered,
    success_message,
)
from tests.unit.test_alerts import overview, run, state

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
OPS = ChannelSettings()


def alert(name: str = "lecture", severity: Severity = Severity.CRITICAL, about: str = "") -> Alert:
    """Return an alert about a repository."""
    return Alert(
        name="backup-late", severity=severity, repository=name, about=about, message="too old", remedy="look"
    )


def told(memory: ChannelMemory, *alerts: Alert, days: float = 0) -> tuple[Choice, ChannelMemory]:
    """Return what a channel is told some days later, and what it then knows."""
    now = NOW + dt.timedelta(days=days)
    choice = choose(alerts, OPS, memory, repeat_days=7, now=now)
    return choice, remembered(choice, memory, now)


def test_a_new_alert_is_told_at_once_and_then_not_at_every_run() -> None:
    """The first run tells it, the next ones say nothing, and after a week it is told again."""
    first, memory = told(ChannelMemory(), alert())
    nightly = []
    for day in range(1, 15):
        choice, memory = told(memory, alert(), days=day)
        nightly.append(len(choice.told))

    assert 1 == len(first.told)
    assert [7, 14] == [day for day, count in enumerate(nightly, 1) if count]


def test_a_run_that_begins_a_little_earlier_repeats_all_the_same() -> None:
    """What is due on the seventh day is not put off to the eighth by a few minutes."""
    _first, memory = told(ChannelMemory(), alert())
    assert [alert()] == told(memory, alert(), days=6.99)[0].told


def test_what_is_new_is_told_though_other_things_stand() -> None:
    """A second alert is told alone; the first is only counted."""
    _first, memory = told(ChannelMemory(), alert())
    choice, memory = told(memory, alert(), alert(about="another"), days=1)

    assert ([alert(about="another")], [alert()]) == (choice.told, choice.standing)
    assert "Besides, 1 that were told before" in alert_message(choice, "acme").body


def test_the_end_of_an_alert_is_told_once() -> None:
    """A channel that was told of something is told when it is over, and forgets it."""
    _first, memory = told(ChannelMemory(), alert())
    choice, memory = told(memory, days=1)
    after, _memory = told(memory, days=2)

    assert (["backup-late lecture"], True) == (choice.cleared, after.is_empty)
    assert ("success", "CLEARED backup-late lecture") == (
        *(alert_message(choice, "acme").kind, alert_message(choice, "acme").body),
    )


def test_a_channel_gets_its_severities_only() -> None:
    """What a channel did not ask for, it is not told."""
    alerts = [alert(name=str(severity), severity=severity) for severity in Severity]
    only = ChannelSettings(severities=["warning"])

    choice = choose(alerts, only, ChannelMemory(), repeat_days=7, now=NOW)

    assert ["warning"] == [one.repository for one in choice.told]


def test_the_worst_is_in_the_title_and_gives_the_kind() -> None:
    """Who sees only the title knows how bad it is."""
    choice = Choice([alert("a"), alert("b"), alert("c", Severity.WARNING)], [], [])
    message = alert_message(choice, "acme")
    assert ("Backup of acme: 2 critical, 1 warning", "failure") == (message.title, message.kind)
    assert ["CRITICAL backup-late: a: too old", "  → look"] == message.body.splitlines()[:2]


def test_a_message_is_bounded() -> None:
    """A thousand alerts make one message that can be read, and that says how many more there are."""
    choice = Choice([alert(str(number)) for number in range(1000)], [], [str(number) for number in range(99)])
    message = alert_message(choice, "acme")
    assert "1000 critical, 99 cleared" in message.title
    assert f"… and {1000 - LISTED} more" in message.body
    assert len(message.body.splitlines()) < 4 * LISTED


def test_a_success_is_told_with_its_figures() -> None:
    """Repositories, bytes and cost stand in the message of a run that went well."""
    message = success_message(overview(state(), runs=[run()]))
    assert ("success", "1 repositories", "USD a month") == (
        *(message.kind, *(part for part in ("1 repositories", "USD a month") if part in message.body)),
    )


def test_less_than_a_cent_is_not_nothing() -> None:
    """A small store costs less than a cent, not nothing, as in the report."""
    cheap = overview(state(), runs=[run()]).model_copy(update={"cost": 0.001})
    assert "< 0.01 USD a month" in success_message(cheap).body


@pytest.mark.parametrize(("days", "due"), [(None, True), (0, False), (6, False), (6.9, True), (8, True)])
def test_a_digest_comes_once_in_its_time(days: float | None, due: bool) -> None:
    """The first digest comes at once, the next after a week."""
    last = NOW - dt.timedelta(days=days) if days is not None else None
    assert due == is_digest_due(ChannelMemory(digest_at=last), digest_days=7, now=NOW)


def test_a_digest_sums_up_the_runs_since_the_last() -> None:
    """Good and bad runs are counted, and what stands is named."""
    standing = overview(state(), runs=[run(), run(), run(kind="verify")]).model_copy(
        update={"alerts": [alert()]}
    )
    before, after = NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=1)

    assert "2 backup runs, 2 of them without a failure" in digest_message(standing, before).body
    assert "CRITICAL backup-late: lecture: too old" in digest_message(standing, before).body
    assert "0 backup runs" in digest_message(standing, after).body


def test_what_is_remembered_is_read_back() -> None:
    """The note in the store gives the same memory again."""
    _choice, known = told(ChannelMemory(), alert())
    memory = Memory(channels={"ops": known})
    assert memory == Memory.model_validate_json(memory.model_dump_json())
