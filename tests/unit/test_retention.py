"""Retention: golden tables of what stays and why, and what must hold for any set of backups."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_maintenance.retention import Candidate, judge
from repo_maintenance.settings import RetentionSettings

GOLDEN = Path(__file__).with_name("golden")
TODAY = dt.date(2026, 11, 22)

POLICIES = {
    "defaults": RetentionSettings(),
    "last-only": RetentionSettings(
        keep_last=2, daily_days=0, weekly_weeks=0, monthly_months=0, yearly_years=0
    ),
    "weekly-monthly": RetentionSettings(
        keep_last=1, daily_days=0, weekly_weeks=4, monthly_months=6, yearly_years=3
    ),
}


def _every_sunday(years: int) -> list[dt.date]:
    return [TODAY - dt.timedelta(weeks=week) for week in range(52 * years)]


HISTORIES = {
    "weekly": [Candidate(day, proven=True) for day in _every_sunday(3)],
    "untried": [Candidate(day) for day in _every_sunday(1)],
    "newest-bad": [
        Candidate(day, proven=place > 2, bad=place <= 1) for place, day in enumerate(_every_sunday(1))
    ],
    "all-bad": [Candidate(day, bad=True) for day in _every_sunday(1)[:4]],
    "pinned": [
        Candidate(day, proven=place > 1, bad=place == 30, pinned_on=TODAY if place in {2, 20, 30} else None)
        for place, day in enumerate(_every_sunday(1))
    ],
    "increments": [
        Candidate(
            day,
            proven=place != 1,
            bad=place == 1,
            pinned_on=TODAY if place == 40 else None,
            is_increment=place % 13 != 12,
            needs=frozenset({TODAY - dt.timedelta(weeks=place // 13 * 13 + 12)} if place % 13 != 12 else ()),
        )
        for place, day in enumerate(_every_sunday(1))
    ],
    "daily": [Candidate(TODAY - dt.timedelta(days=day), proven=day % 3 == 0) for day in range(60)],
}


def render(history: str, policy: str) -> str:
    """Return the verdicts as a table, for the golden files."""
    lines = [
        f"{one.candidate.date} {'keep' if one.keep else 'go  '} {one.reason}"
        for one in judge(HISTORIES[history], POLICIES[policy], today=TODAY)
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("history", HISTORIES)
def test_the_verdicts_are_those_of_the_golden_table(history: str, policy: str) -> None:
    """What stays, what goes, and why each, is what was looked through by a person."""
    expected = (GOLDEN / f"retention-{history}-{policy}.txt").read_text(encoding="utf-8")
    assert expected == render(history, policy)


candidates = st.lists(
    st.builds(
        lambda days, state: Candidate(
            TODAY - dt.timedelta(days=days), proven=state == "good", bad=state == "bad"
        ),
        st.integers(0, 1500),
        st.sampled_from(["good", "bad", "untried"]),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda one: one.date,
)
policies = st.builds(
    RetentionSettings,
    keep_last=st.integers(1, 5),
    daily_days=st.integers(0, 40),
    weekly_weeks=st.integers(0, 20),
    monthly_months=st.integers(0, 20),
    yearly_years=st.integers(0, 5),
)


@st.composite
def chains(draw: st.DrawFn) -> list[Candidate]:
    """Draw backups of which some are increments, each on the last full one, some on one that is gone, too."""
    found: list[Candidate] = []
    base: dt.date | None = None
    for one in sorted(draw(candidates), key=lambda one: one.date):
        if base is None or draw(st.booleans()):
            base = one.date
            found.append(one)
        else:
            gone = frozenset({base - dt.timedelta(days=1)}) if draw(st.booleans()) else frozenset[dt.date]()
            found.append(replace(one, is_increment=True, needs=gone | {base}))
    return found


def kept(history: list[Candidate], policy: RetentionSettings, today: dt.date = TODAY) -> set[Candidate]:
    """Return what stays."""
    return {one.candidate for one in judge(history, policy, today=today) if one.keep}


@given(candidates, policies)
def test_every_backup_gets_one_verdict_with_a_reason(
    history: list[Candidate], policy: RetentionSettings
) -> None:
    """No backup is forgotten, none is judged twice, and each verdict says yes or no, and why."""
    verdicts = judge(history, policy, today=TODAY)
    assert sorted(history, key=lambda one: one.date, reverse=True) == [one.candidate for one in verdicts]
    assert all(one.reason and isinstance(one.keep, bool) for one in verdicts)


@given(candidates, policies)
def test_a_pinned_one_stays(history: list[Candidate], policy: RetentionSettings) -> None:
    """Whatever the policy, its age and its proof: until a person unpins it, it is kept; none goes for it."""
    pinned = [replace(one, pinned_on=TODAY) for one in history[::3]]
    stay = kept(pinned + [one for place, one in enumerate(history) if place % 3], policy)
    assert set(pinned) <= stay
    assert {one.date for one in kept(history, policy)} <= {one.date for one in stay}


@given(candidates, policies)
def test_a_repository_is_never_emptied(history: list[Candidate], policy: RetentionSettings) -> None:
    """Whatever the policy, something stays."""
    assert kept(history, policy)


@given(candidates, policies)
def test_the_newest_proven_one_stays(history: list[Candidate], policy: RetentionSettings) -> None:
    """Whatever its age, and whatever came after it."""
    proven = [one for one in history if one.proven]
    if proven:
        assert max(proven, key=lambda one: one.date) in kept(history, policy)


@given(candidates, policies)
def test_pruning_twice_is_pruning_once(history: list[Candidate], policy: RetentionSettings) -> None:
    """What stays once, stays again on the same day."""
    once = kept(history, policy)
    assert once == kept(list(once), policy)


@given(candidates, policies, st.integers(0, 800))
def test_time_alone_only_takes_away(history: list[Candidate], policy: RetentionSettings, later: int) -> None:
    """What goes today does not stay on a later day, so deleting early loses nothing."""
    assert kept(history, policy, TODAY + dt.timedelta(days=later)) <= kept(history, policy)


@given(candidates, policies)
@settings(max_examples=200)
def test_untried_and_bad_backups_never_cost_a_proven_one(
    history: list[Candidate], policy: RetentionSettings
) -> None:
    """Every proven backup that stays when there are only proven ones, stays beside any others too."""
    proven = [one for one in history if one.proven]
    if proven:
        assert kept(proven, policy) <= kept(history, policy)


@given(candidates, policies)
def test_a_bad_one_goes_only_while_a_proven_one_stays(
    history: list[Candidate], policy: RetentionSettings
) -> None:
    """Half a backup is better than none: bad ones stay as long as nothing is proven."""
    gone_bad = [one for one in history if one.bad and one not in kept(history, policy)]
    if gone_bad:
        assert any(one.proven for one in kept(history, policy))


@given(chains(), policies)
@settings(max_examples=300)
def test_no_increment_that_stays_lacks_its_base(history: list[Candidate], policy: RetentionSettings) -> None:
    """Whatever the policy, the ages, the proofs: what a kept one stands on stays, and the table says why."""
    verdicts = judge(history, policy, today=TODAY)
    stay = {one.candidate.date for one in verdicts if one.keep}
    there = {one.date for one in history}
    needed = {day for one in verdicts if one.keep for day in one.candidate.needs} & there
    assert needed <= stay
    assert all("base of " in one.reason for one in verdicts if one.candidate.date in needed)


@given(chains(), policies)
def test_increments_cost_nothing_that_would_stay_without_them(
    history: list[Candidate], policy: RetentionSettings
) -> None:
    """That some are increments only adds to what stays."""
    plain = [replace(one, is_increment=False, needs=frozenset()) for one in history]
    assert {one.date for one in kept(plain, policy)} <= {one.date for one in kept(history, policy)}


@given(chains(), policies)
def test_what_the_next_increments_will_stand_on_stays(
    history: list[Candidate], policy: RetentionSettings
) -> None:
    """The newest full one that is not bad stays: an increment on it may be on its way."""
    fulls = [one for one in history if not one.is_increment and not one.bad]
    if fulls and any(one.is_increment for one in history):
        assert max(fulls, key=lambda one: one.date) in kept(history, policy)


@given(chains(), policies)
def test_pruning_increments_twice_is_pruning_them_once(
    history: list[Candidate], policy: RetentionSettings
) -> None:
    """What stays once, stays again on the same day."""
    once = kept(history, policy)
    assert once == kept(list(once), policy)


@given(chains(), policies, st.integers(0, 800))
def test_time_alone_takes_no_base_from_what_stays(
    history: list[Candidate], policy: RetentionSettings, later: int
) -> None:
    """What goes today does not stay on a later day, bases included."""
    assert kept(history, policy, TODAY + dt.timedelta(days=later)) <= kept(history, policy)


def test_what_is_promised_to_an_increment_stays() -> None:
    """A full backup on which an increment is being made stays, though nothing else keeps it."""
    old = Candidate(TODAY - dt.timedelta(days=900), promised_to=TODAY)
    newer = [Candidate(TODAY - dt.timedelta(days=days), proven=True) for days in (1, 2)]

    (verdict,) = (
        one for one in judge([old, *newer], POLICIES["last-only"], today=TODAY) if one.candidate == old
    )

    assert (True, f"base of {TODAY}, which is being made") == (verdict.keep, verdict.reason)
