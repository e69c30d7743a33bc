"""Promises of the verdict: one sentence is right about everything, and each state has words and advice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from repo_maintenance.alert import Alert, Severity
from repo_maintenance.overview import Overview, State
from repo_maintenance.report.verdict import LEVELS, URGENT, Level, advise, explain, find_matters, judge
from tests.unit.report.scene import Scene, failure
from tests.unit.report.variety import of_every_state

REWRITTEN = Alert(
    name="history-rewritten",
    severity=Severity.CRITICAL,
    repository="a",
    message="2 refs were rewritten upstream",
    remedy="look at the old ones",
)


def _safe(*names: str) -> Scene:
    scene = Scene()
    for name in names:
        scene.safe(name)
    return scene


def _one_failed() -> Overview:
    scene = _safe("a", "b")
    scene.run(0, failures=[failure("a")])
    return scene.overview()


def _one_unproven() -> Overview:
    scene = _safe("a")
    scene.upstream("b")
    scene.backup("b", 1)
    return scene.overview()


def _gone_and_bad() -> Overview:
    scene = _safe("a")
    scene.backup("gone", 9)
    scene.proof("gone", 9, proven=1, is_good=False)
    return scene.overview()


def _alarmed(alert: Alert) -> Overview:
    return _safe("a", "b").overview().model_copy(update={"alerts": [alert]})


@pytest.mark.parametrize(
    ("look", "level", "sentence"),
    [
        (lambda: Scene().overview(), Level.BAD, "No repository is matched, so none is backed up."),
        (lambda: _safe("a").overview(), Level.GOOD, "The one repository is safe."),
        (lambda: _safe("a", "b", "c").overview(), Level.GOOD, "All 3 repositories are safe."),
        (_one_failed, Level.BAD, "1 of 2 repositories are not safe: 1 failed."),
        (
            *(_one_unproven, Level.WARN),
            "All 2 repositories are backed up, but 1 thing needs a look: 1 not yet proven.",
        ),
        (
            *(_gone_and_bad, Level.BAD),
            "The one repository is backed up, but 1 thing needs a look: 1 not restorable.",
        ),
        (
            *(lambda: _alarmed(REWRITTEN), Level.BAD),
            "All 2 repositories are backed up, but 1 thing needs a look: 1 history rewritten.",
        ),
        (
            lambda: _alarmed(REWRITTEN.model_copy(update={"severity": Severity.INFO})),
            *(Level.GOOD, "All 2 repositories are safe."),
        ),
    ],
)
def test_the_sentence_says_how_it_is(look: Callable[[], Overview], level: Level, sentence: str) -> None:
    """Nobody reads that all is safe where it is not, or is alarmed where it is."""
    verdict = judge(look())

    assert (level, sentence) == (verdict.level, verdict.sentence)


def test_every_state_has_words_and_what_is_urgent_has_advice() -> None:
    """What needs attention says what is the matter and what to do."""
    found = {one.state: one for one in of_every_state().overview().repositories}

    assert set(State) == set(found) == set(LEVELS)
    assert [] == [state for state, one in found.items() if state is not State.SAFE and not explain(one)]
    assert [] == [one.name for state, one in found.items() if LEVELS[state] in URGENT and not advise(one)]


def test_the_worst_comes_first() -> None:
    """What needs attention is in the order of the states, and then of the names."""
    expected = ["never", "failed", "bad", "late", "incomplete", "unproven"]

    assert expected == [matter.subject for matter in find_matters(of_every_state().overview())]


def test_an_alert_does_not_repeat_what_a_state_says() -> None:
    """A failed repository is one matter, though it has an alert; another alert about it is one more."""
    failed = REWRITTEN.model_copy(update={"name": "backup-failed"})
    overview = _one_failed().model_copy(update={"alerts": [failed, REWRITTEN]})

    matters = [(matter.subject, matter.label) for matter in find_matters(overview)]

    assert [("a", "failed"), ("a", "history rewritten")] == matters


def test_alerts_are_counted_beside_the_states() -> None:
    """How many repositories are not safe is not mixed up with how many alerts stand."""
    overview = _one_failed().model_copy(update={"alerts": [REWRITTEN]})

    expected = "1 of 2 repositories are not safe: 1 failed; also 1 history rewritten."
    assert expected == judge(overview).sentence
