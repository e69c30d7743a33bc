"""Promises of the plan: what is backed up, why, and under which date."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_maintenance.planning import Action, Decision, NewestBackup, decide
from tests.unit.making import PUSHED_AT, TODAY, repository
from tests.unit.strategies import dates, moments

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MAX_AGE = 30
newest_backups = st.builds(NewestBackup, dates, st.none() | st.just(PUSHED_AT) | moments)
ages = st.integers(1, 400)


def decided(
    newest: NewestBackup | None,
    *,
    pushed_at: dt.datetime = PUSHED_AT,
    today: dt.date = TODAY,
    force: bool = False,
) -> Decision:
    """Return the decision for a repository pushed to at that time."""
    return decide(repository(pushed_at=pushed_at), newest, today=today, max_age_days=MAX_AGE, force=force)


def holding(date: dt.date, pushed_at: dt.datetime | None = PUSHED_AT) -> NewestBackup:
    """Return a backup of that day."""
    return NewestBackup(date, pushed_at)


@pytest.mark.parametrize(
    ("newest", "force", "action", "date"),
    [
        (None, False, Action.NEW, TODAY),
        (None, True, Action.NEW, TODAY),
        (holding(TODAY - DAY), False, Action.UP_TO_DATE, TODAY - DAY),
        (holding(TODAY), False, Action.UP_TO_DATE, TODAY),
        (holding(TODAY - DAY, PUSHED_AT - HOUR), False, Action.CHANGED, TODAY),
        (holding(TODAY, PUSHED_AT - HOUR), False, Action.CHANGED, TODAY),
        (holding(TODAY - DAY, None), False, Action.CHANGED, TODAY),
        (holding(TODAY - MAX_AGE * DAY), False, Action.UP_TO_DATE, TODAY - MAX_AGE * DAY),
        (holding(TODAY - (MAX_AGE + 1) * DAY), False, Action.TOO_OLD, TODAY),
        (holding(TODAY - DAY), True, Action.FORCED, TODAY),
        (holding(TODAY), True, Action.FORCED, TODAY),
        (holding(TODAY + DAY), False, Action.UP_TO_DATE, TODAY + DAY),
    ],
)
def test_what_is_done(newest: NewestBackup | None, force: bool, action: Action, date: dt.date) -> None:
    """New, changed, too old and forced are backed up today; what is up to date keeps its date."""
    decision = decided(newest, force=force)
    assert (action, date, action is not Action.UP_TO_DATE) == (
        decision.action,
        decision.date,
        decision.is_due,
    )
    assert decision.reason


OLD_DAY = TODAY - DAY
REASONS = [
    (None, Action.NEW, "no backup yet"),
    (replace(holding(OLD_DAY), is_bad=True), Action.CHANGED, "the newest backup failed its proof"),
    (
        replace(holding(OLD_DAY), lost_base=dt.date(2024, 5, 1)),
        Action.CHANGED,
        "the newest stands on that of 2024-05-01, which is lost",
    ),
    (
        replace(holding(OLD_DAY), is_curable=True),
        Action.CHANGED,
        "what the newest backup lacks can be had now",
    ),
    (
        holding(OLD_DAY, None),
        Action.CHANGED,
        "the newest backup does not say which push it holds",
    ),
    (
        replace(holding(OLD_DAY), repository_id="another"),
        Action.CHANGED,
        "another repository has this name now",
    ),
    (
        holding(OLD_DAY, PUSHED_AT - HOUR),
        Action.CHANGED,
        f"pushed {PUSHED_AT:%Y-%m-%d %H:%M} UTC",
    ),
    (
        holding(TODAY - (MAX_AGE + 1) * DAY),
        Action.TOO_OLD,
        f"newest is older than {MAX_AGE} days",
    ),
    (holding(OLD_DAY), Action.UP_TO_DATE, "nothing pushed since"),
]


@pytest.mark.parametrize(("newest", "action", "reason"), REASONS, ids=[reason for *_, reason in REASONS])
def test_the_reason_is_said(newest: NewestBackup | None, action: Action, reason: str) -> None:
    """Every decision says why, in words that the preview shows, and which backup it was made upon."""
    decision = decided(newest)
    assert (action, reason, newest) == (decision.action, decision.reason, decision.newest)


def test_force_says_that_it_was_asked_for() -> None:
    """Only what needs no backup otherwise is forced."""
    assert "asked for by force=true" == decided(holding(OLD_DAY), force=True).reason


def test_its_own_id_is_no_reason() -> None:
    """A backup of this very repository, by its id, stays the newest."""
    own = replace(holding(OLD_DAY), repository_id=repository().id)
    assert Action.UP_TO_DATE is decided(own).action


def test_an_earlier_push_counts_too() -> None:
    """A repository that was restored or replaced upstream, and so carries an older push, is backed up."""
    assert decided(holding(TODAY, PUSHED_AT + HOUR)).action == Action.CHANGED


@given(st.none() | newest_backups, moments, dates, ages, st.booleans())
def test_a_backup_is_never_made_under_an_earlier_day(
    newest: NewestBackup | None, pushed_at: dt.datetime, today: dt.date, max_age: int, force: bool
) -> None:
    """What is due is dated today or later, and never before the newest one: no old name gets new content."""
    source = repository(pushed_at=pushed_at)
    decision = decide(source, newest, today=today, max_age_days=max_age, force=force)

    assert not decision.is_due or decision.date >= today
    assert newest is None or decision.date >= newest.date
    assert (source.name, decision.date) == decision.name


@given(st.none() | newest_backups, moments, dates, ages, st.booleans())
def test_only_a_stored_push_is_up_to_date(
    newest: NewestBackup | None, pushed_at: dt.datetime, today: dt.date, max_age: int, force: bool
) -> None:
    """Nothing is skipped but a repository whose newest backup holds its last push and is young enough."""
    decision = decide(repository(pushed_at=pushed_at), newest, today=today, max_age_days=max_age, force=force)
    if not decision.is_due:
        assert newest is not None
        assert (newest.date, newest.pushed_at) == (decision.date, pushed_at)
        assert not force
        assert (today - newest.date).days <= max_age


@given(
    newest=st.none() | newest_backups,
    pushed_at=moments,
    today=dates,
    max_age=ages,
    force=st.booleans(),
    days=st.floats(0, 1),
)
def test_a_backup_is_made_once(
    *,
    newest: NewestBackup | None,
    pushed_at: dt.datetime,
    today: dt.date,
    max_age: int,
    force: bool,
    days: float,
) -> None:
    """Once a decision is carried out, later runs do nothing until a push or `max_age_days` pass."""
    source = repository(pushed_at=pushed_at)
    first = decide(source, newest, today=today, max_age_days=max_age, force=force)
    if first.is_due:
        later = today + int(days * max_age) * DAY
        stored = NewestBackup(first.date, pushed_at)
        again = decide(source, stored, today=later, max_age_days=max_age, force=False)
        assert (Action.UP_TO_DATE, first.date) == (again.action, again.date)
