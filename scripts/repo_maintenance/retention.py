"""Which backups stay and which go, and why each. Pure: no clock, no store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from repo_maintenance.settings import RetentionSettings

MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class Candidate:
    """One backup of a repository, as far as retention looks at it."""

    date: dt.date
    proven: bool = False
    """Its last proof succeeded."""
    bad: bool = False
    """Its last proof failed."""
    pinned_on: dt.date | None = None
    """The day on which it was found to hold what upstream has rewritten."""
    is_increment: bool = False
    """Whether it can be restored only together with a full backup."""
    needs: frozenset[dt.date] = frozenset()
    """The days of the full backups that must not go without it."""
    promised_to: dt.date | None = None
    """The day of an increment on it that is being made, and is not stored yet."""


@dataclass(frozen=True)
class Verdict:
    """Whether a backup stays, and why."""

    candidate: Candidate
    keep: bool
    reason: str


def judge(candidates: Iterable[Candidate], policy: RetentionSettings, *, today: dt.date) -> list[Verdict]:
    """Return a verdict on each backup of one repository, newest first.

    A period (day, week, month, year) is stood for by its newest proven backup, or where it has none by its
    newest untried one: so neither an untried nor a bad backup is ever the reason why a proven one goes. The
    newest proven one stays, whatever its age; so do the newest that is not bad, the last ``keep_last``, and
    the last ``keep_last`` proven ones. A bad one goes once a proven one stays. A repository is never left
    without a backup. A pinned one stays until a person unpins it. What an increment stands on stays as long
    as that stays, however bad or old it is; so does the newest full one, on which the next ones will stand.
    """
    ordered = sorted(candidates, key=lambda one: one.date, reverse=True)
    reasons = {one: [f"pinned: history was rewritten on {one.pinned_on}"] for one in ordered if one.pinned_on}
    sound = [one for one in ordered if not one.bad]
    proven = [one for one in sound if one.proven]
    for one in proven[:1]:
        reasons.setdefault(one, []).append("newest proven")
    for one in sound[:1]:
        reasons.setdefault(one, []).append("newest")
    for one in {*sound[: policy.keep_last], *proven[: policy.keep_last]}:
        reasons.setdefault(one, []).append(f"one of the last {policy.keep_last}")
    for label, in_window, period in _rules(policy, today):
        for one in _representatives([one for one in sound if in_window(one.date)], period):
            reasons.setdefault(one, []).append(label)
    if not proven:
        for one in ordered:
            if one.bad:
                reasons.setdefault(one, []).append("failed its proof, but nothing proven stays")
    _keep_bases(ordered, reasons)
    return [_verdict(one, reasons.get(one, [])) for one in ordered]


def _keep_bases(ordered: Sequence[Candidate], reasons: dict[Candidate, list[str]]) -> None:
    """Add to what stays, newest first, what it stands on, and the newest full one that is not bad."""
    increments = any(one.is_increment for one in ordered)
    fulls = [one for one in ordered if not one.is_increment and not one.bad]
    for one in fulls[:1] if increments else ():
        reasons.setdefault(one, []).append("newest full one")
    standing: dict[dt.date, list[dt.date]] = {}
    for one in ordered:
        if one.promised_to is not None:
            reasons.setdefault(one, []).append(f"base of {one.promised_to}, which is being made")
        if above := standing.get(one.date):
            more = f" and {len(above) - 1} more" if len(above) > 1 else ""
            reasons.setdefault(one, []).append(f"base of {above[0]}{more}")
        for day in one.needs if one in reasons else ():
            standing.setdefault(day, []).append(one.date)


def _rules(
    policy: RetentionSettings, today: dt.date
) -> list[tuple[str, Callable[[dt.date], bool], Callable[[dt.date], Hashable]]]:
    """Return for each kind of period its name, whether a date is young enough for it, and its period."""
    return [
        ("daily", lambda date: (today - date).days < policy.daily_days, lambda date: date),
        ("weekly", lambda date: _weeks(today) - _weeks(date) < policy.weekly_weeks, _weeks),
        ("monthly", lambda date: _months(today) - _months(date) < policy.monthly_months, _months),
        ("yearly", lambda date: today.year - date.year < policy.yearly_years, lambda date: date.year),
    ]


def _representatives(
    candidates: Sequence[Candidate], period: Callable[[dt.date], Hashable]
) -> Iterable[Candidate]:
    """Yield for each period its newest proven backup, or its newest where it has none; newest come first."""
    chosen: dict[Hashable, Candidate] = {}
    for one in candidates:
        key = period(one.date)
        if key not in chosen or (one.proven and not chosen[key].proven):
            chosen[key] = one
    return chosen.values()


def _weeks(date: dt.date) -> int:
    """Return the number of the week, counted from Monday, since the year 1."""
    return (date.toordinal() - 1) // 7


def _months(date: dt.date) -> int:
    return date.year * MONTHS_A_YEAR + date.month


def _verdict(candidate: Candidate, reasons: list[str]) -> Verdict:
    if reasons:
        return Verdict(candidate, keep=True, reason=", ".join(reasons))
    why = "failed its proof, and a proven one stays" if candidate.bad else "no rule keeps it"
    return Verdict(candidate, keep=False, reason=why)
