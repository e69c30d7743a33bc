"""Whether all is safe, in a sentence; and what is the matter with a repository, and what to do, in words."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from repo_maintenance.alert import Alert, Severity
from repo_maintenance.invocation import as_invoked
from repo_maintenance.overview import Overview, RepositoryState, State


class Level(StrEnum):
    """How urgent something is."""

    BAD = "bad"
    """What is upstream could not be had back today, or not as it is."""
    WARN = "warn"
    """There is a backup; something about it wants a look."""
    QUIET = "quiet"
    """Worth knowing, nothing to do."""
    GOOD = "good"


LEVELS = {
    State.NEVER: Level.BAD,
    State.FAILED: Level.BAD,
    State.BAD: Level.BAD,
    State.LATE: Level.BAD,
    State.INCOMPLETE: Level.WARN,
    State.UNPROVEN: Level.WARN,
    State.GONE: Level.QUIET,
    State.LEFT_OUT: Level.QUIET,
    State.SAFE: Level.GOOD,
}
URGENT = frozenset({Level.BAD, Level.WARN})
ALERT_LEVELS = {Severity.CRITICAL: Level.BAD, Severity.WARNING: Level.WARN}
SAID_BY_STATES = frozenset({"backup-failed", "backup-late", "never-backed-up", "proof-failed"})


class Verdict(NamedTuple):
    """Whether all is safe."""

    level: Level
    headline: str
    """In a few words, without a stop."""
    kinds: str = ""
    """How many repositories are in which state, of those that need attention."""

    @property
    def sentence(self) -> str:
        """Return it in one sentence."""
        return f"{self.headline}: {self.kinds}." if self.kinds else f"{self.headline}."

    @property
    def mark(self) -> str:
        """Return a sign for those who see no colours."""
        return {Level.BAD: "❌", Level.WARN: "⚠️"}.get(self.level, "✅")


class Matter(NamedTuple):
    """One thing that needs somebody's attention."""

    subject: str
    """A repository; ``the whole`` where it is about none."""
    label: str
    level: Level
    why: str
    advice: str


def judge(overview: Overview) -> Verdict:
    """Return whether all is safe, in one sentence."""
    if overview.matched == 0:
        return Verdict(Level.BAD, "No repository is matched, so none is backed up")
    matters = find_matters(overview)
    if not matters:
        return Verdict(Level.GOOD, f"{_all(overview.matched)} safe")
    kinds = _count(matters)
    unsafe = [one for one in overview.repositories if one.is_matched and LEVELS[one.state] in URGENT]
    if any(LEVELS[one.state] is Level.BAD for one in unsafe):
        of = f"{len(unsafe):,} of {overview.matched:,}"
        verb = "repository is" if len(unsafe) == overview.matched == 1 else "repositories are"
        return Verdict(Level.BAD, f"{of} {verb} not safe", kinds)
    level = Level.BAD if any(matter.level is Level.BAD for matter in matters) else Level.WARN
    look = "1 thing needs a look" if len(matters) == 1 else f"{len(matters):,} things need a look"
    return Verdict(level, f"{_all(overview.matched)} backed up, but {look}", kinds)


def find_matters(overview: Overview) -> list[Matter]:
    """Return what needs somebody's attention, the worst first; what a state says, no alert repeats."""
    urgent = [one for one in overview.repositories if LEVELS[one.state] in URGENT]
    named = {one.name for one in urgent}
    matters = [
        Matter(one.name, one.state.value, LEVELS[one.state], explain(one), advise(one))
        for one in sorted(urgent, key=lambda one: (rank(one.state), one.name))
    ]
    matters += [
        _of_alert(alert)
        for alert in overview.alerts
        if alert.severity in ALERT_LEVELS
        and not (alert.name in SAID_BY_STATES and (alert.repository in named))
    ]
    return sorted(matters, key=lambda matter: list(Level).index(matter.level))


def _count(matters: list[Matter]) -> str:
    """Return how many there are of each kind, those that are no state of a repository after the others."""
    states = {state.value for state in State}
    counts = Counter(matter.label for matter in matters)
    of_states = ", ".join(f"{count:,} {label}" for label, count in counts.items() if label in states)
    others = ", ".join(f"{count:,} {label}" for label, count in counts.items() if label not in states)
    return "; also ".join(part for part in (of_states, others) if part)


def _of_alert(alert: Alert) -> Matter:
    label = alert.name.replace("-", " ")
    level = ALERT_LEVELS[alert.severity]
    return Matter(alert.repository or "the whole", label, level, alert.message, alert.remedy)


def rank(state: State) -> int:
    """Return the place of a state, 0 for the worst."""
    return list(State).index(state)


def explain(one: RepositoryState) -> str:
    """Return what is the matter with a repository, in words; what is worth knowing where nothing is."""
    words = {
        State.NEVER: _never(one),
        State.FAILED: _failed(one),
        State.BAD: f"its backup of {one.newest} can't be restored",
        State.LATE: _late(one),
        State.INCOMPLETE: one.incomplete,
        State.UNPROVEN: f"never restored to prove it; it has {_plural(one.backups, 'backup')}",
        State.GONE: f"{one.movement or 'no longer listed'}; {_kept(one)}",
        State.LEFT_OUT: f"no pattern matches it any more; {_kept(one)}",
        State.SAFE: one.note,
    }
    return words[one.state]


def advise(one: RepositoryState) -> str:
    """Return what to do about a repository; nothing where there is nothing to do."""
    hint = one.failure.hint if one.failure else None
    advice = {
        State.NEVER: hint or f"run {as_invoked('--cores 4 backup')}",
        State.FAILED: hint or "read its log, and run the backup again",
        State.BAD: "the next backup makes a new one" if one.is_matched else "try an older backup of it",
        State.LATE: "see in the last runs why none has made one",
        State.INCOMPLETE: "see upstream whether what it lacks is still to be had",
        State.UNPROVEN: f"run {as_invoked('--cores 2 verify')}",
    }
    return advice.get(one.state, "")


def _all(count: int) -> str:
    return "The one repository is" if count == 1 else f"All {count:,} repositories are"


def _never(one: RepositoryState) -> str:
    if one.movement is not None:
        words = "the backups under its name are of another repository, which was"
        return f"{words} {one.movement}"
    return f"nothing is stored of it; {_failed(one)}" if one.failure else "nothing is stored of it"


def _failed(one: RepositoryState) -> str:
    if one.failure is None:
        return ""
    return f"{one.failure.step}: {one.failure.kind}: {one.failure.message}"


def _late(one: RepositoryState) -> str:
    words = f"its newest backup is {_plural(one.age_days or 0, 'day')} old"
    waiting = one.waiting_since
    return f"{words}; the push of {waiting:%Y-%m-%d} waits for one" if waiting else words


def _kept(one: RepositoryState) -> str:
    count = _plural(one.backups, "backup")
    return f"{count} {'is' if one.backups == 1 else 'are'} kept"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
