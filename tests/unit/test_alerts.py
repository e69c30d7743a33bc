"""Promises of the alerts: each is told when its threshold is passed, and no longer when it is not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

from repo_maintenance.alert import Severity
from repo_maintenance.alerts import Evidence, find_alerts
from repo_maintenance.catalog import read_catalog
from repo_maintenance.history import RunFailure, RunRecord
from repo_maintenance.overview import Overview, RepositoryState, State
from repo_maintenance.pins import Pin
from repo_maintenance.rewrites import Rewrite
from repo_maintenance.settings import AlertSettings
from repo_maintenance.settings.alerts import AlertName
from repo_maintenance.stores import StoredObject
from repo_maintenance.tally import Quota

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
TODAY = NOW.date()
FAILURE = RunFailure(repository="lecture", step="mirror", kind="network", message="cut off", hint="wait")
# Told by the notifications themselves, of a run that has no overview.
TOLD_ELSEWHERE = {"run-failed"}


def state(**fields: Any) -> RepositoryState:
    """Return a repository with which all is well, with `fields` in place of the usual values."""
    usual = {
        "name": "lecture",
        "full_name": "acme/lecture",
        "state": State.SAFE,
        "is_matched": True,
        "is_listed": True,
        "pushed_at": NOW - dt.timedelta(days=5),
        "backups": 2,
        "stored_bytes": 2000,
        "cost": 0.0,
        "oldest": TODAY - dt.timedelta(days=10),
        "newest": TODAY - dt.timedelta(days=1),
        "newest_bytes": 1000,
        "previous_bytes": 1000,
        "age_days": 1,
        "last_proven": TODAY - dt.timedelta(days=3),
        "incomplete": "",
        "note": "",
    }
    return RepositoryState.model_validate(dict.fromkeys(RepositoryState.model_fields) | usual | fields)


def run(*failures: RunFailure, kind: str = "backup") -> RunRecord:
    """Return the record of a run in which these failed."""
    numbers = dict.fromkeys(
        ["seconds", "total", "done", "failed", "covered", "bytes_done", "bytes_stored"], 0
    )
    known = {"kind": kind, "run": "0123abcd", "started_at": NOW, "ok": not failures, "failures": failures}
    return RunRecord.model_validate(numbers | known)


def overview(*repositories: RepositoryState, runs: list[RunRecord] | None = None) -> Overview:
    """Return how everything stands."""
    usual = {
        "generated_at": NOW,
        "source": "acme",
        "store": "s3://bucket/",
        "currency": "USD",
        "matched": len(repositories),
        "safe": len(repositories),
        "backups": 2,
        "stored_bytes": sum(one.stored_bytes for one in repositories),
        "cost": 0.0,
        "states": {},
        "repositories": repositories,
        "runs": runs or [],
    }
    return Overview.model_validate(usual)


def stored(*keys: str) -> Evidence:
    """Return what a listing of these keys tells."""
    return Evidence(read_catalog(StoredObject(key, 1000, "v1", NOW) for key in keys))


def pinned(count: int) -> Evidence:
    """Return that a backup is pinned, with so many refs rewritten."""
    rewrite = Rewrite(ref="refs/heads/main", old="a" * 40, new="b" * 40)
    pin = Pin(
        repository="lecture",
        backup_date=dt.date(2026, 11, 20),
        compared_with=TODAY,
        found_at=NOW,
        count=count,
        rewrites=[rewrite] * min(count, 100),
    )
    return Evidence(pins=(pin,))


@dataclass(frozen=True)
class Case:
    """A situation in which an alert is told, and one in which it is not."""

    name: str
    severity: Severity
    fires: tuple[Overview, Evidence]
    clears: tuple[Overview, Evidence]
    settings: dict[str, Any] = field(default_factory=dict)


NOTHING = Evidence()
WELL = overview(state())
BACKUP = "lecture/lecture-20261120.tar.gz"
NEWER = "lecture/lecture-20261121.tar.gz"
BAD = "lecture/lecture-20261120.proof-20261121.bad.json"
GOOD = "lecture/lecture-20261121.proof-20261122.good.json"
CRITICAL, WARNING, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO


def seen(repositories: list[RepositoryState] | None = None, **options: Any) -> tuple[Overview, Evidence]:
    """Return a situation in which only the overview matters."""
    return overview(*([state()] if repositories is None else repositories), **options), NOTHING


FAILED = [state(failure=FAILURE, state=State.FAILED)]
CASES = {
    "failed in the last run": Case("backup-failed", CRITICAL, seen(FAILED, runs=[run(FAILURE)]), seen()),
    "failed in two runs": Case(
        "backup-failed",
        CRITICAL,
        seen(FAILED, runs=[run(), run(FAILURE), run(kind="verify"), run(FAILURE)]),
        seen(FAILED, runs=[run(FAILURE), run(), run(FAILURE)]),
        {"failed_runs": 2},
    ),
    "too old": Case("backup-late", WARNING, seen([state(age_days=41)]), seen([state(age_days=40)])),
    "too old for a lower threshold": Case(
        "backup-late", WARNING, seen([state(age_days=8)]), seen([state(age_days=7)]), {"max_age_days": 7}
    ),
    "a push that waits": Case(
        "backup-late", WARNING, seen([state(state=State.LATE, waiting_since=NOW)]), seen()
    ),
    "never": Case(
        "never-backed-up",
        CRITICAL,
        seen([state(state=State.NEVER, backups=0, age_days=None, newest_bytes=None)]),
        seen(),
    ),
    "never, some days after the push": Case(
        "never-backed-up",
        CRITICAL,
        seen([state(state=State.NEVER, backups=0, pushed_at=NOW - dt.timedelta(days=3))]),
        seen([state(state=State.NEVER, backups=0, pushed_at=NOW - dt.timedelta(days=2))]),
        {"never_after_days": 3},
    ),
    "critical and unheard of": Case(
        "critical-missing", CRITICAL, seen([state(name="other")]), seen(), {"critical": ["lecture"]}
    ),
    "critical and not listed": Case(
        "critical-missing",
        CRITICAL,
        seen([state(is_listed=False, is_matched=False, state=State.GONE)]),
        seen(),
        {"critical": ["lec.*"]},
    ),
    "critical and left out": Case(
        "critical-missing",
        CRITICAL,
        seen([state(is_matched=False, state=State.LEFT_OUT)]),
        seen(),
        {"critical": ["lecture"]},
    ),
    "critical without a backup": Case(
        "critical-missing",
        CRITICAL,
        seen([state(state=State.NEVER, backups=0)]),
        seen(),
        {"critical": ["lecture"]},
    ),
    "too much stored": Case(
        "storage-full",
        WARNING,
        seen([state(stored_bytes=2_000_000_001)]),
        seen([state(stored_bytes=2_000_000_000)]),
        {"max_stored_gb": 2},
    ),
    "the quota nears its end": Case(
        "quota-low",
        WARNING,
        (WELL, Evidence(quota=Quota(499, 5000, 1_800_000_000))),
        (WELL, Evidence(quota=Quota(500, 5000, 1_800_000_000))),
    ),
    "much smaller": Case(
        "backup-shrunk", WARNING, seen([state(newest_bytes=499)]), seen([state(newest_bytes=500)])
    ),
    "the first backup": Case(
        "backup-shrunk", WARNING, seen([state(newest_bytes=1)]), seen([state(previous_bytes=None)])
    ),
    "rewritten": Case("history-rewritten", CRITICAL, (WELL, pinned(1)), (WELL, NOTHING)),
    "rewritten in many refs": Case(
        "history-rewritten", CRITICAL, (WELL, pinned(3)), (WELL, pinned(2)), {"rewritten_refs": 3}
    ),
    "pinned by a note that can't be read": Case(
        "history-rewritten", CRITICAL, (WELL, pinned(0)), (WELL, NOTHING), {"rewritten_refs": 3}
    ),
    "vanished": Case(
        "repository-vanished",
        WARNING,
        seen([state(movement="vanished", is_matched=False, age_days=90)]),
        seen([state(movement="vanished", is_matched=False, age_days=91)]),
    ),
    "renamed": Case(
        "repository-moved", INFO, seen([state(movement="renamed to acme/b", is_matched=False)]), seen()
    ),
    "can't be restored": Case(
        "proof-failed", CRITICAL, (WELL, stored(BACKUP, BAD)), (WELL, stored(BACKUP, BAD, NEWER, GOOD))
    ),
    "can't be restored, and a newer one is untried": Case(
        "proof-failed", CRITICAL, (WELL, stored(BACKUP, BAD, NEWER)), (WELL, stored(BACKUP, NEWER))
    ),
    "proven long ago": Case(
        "proof-overdue",
        WARNING,
        seen([state(last_proven=TODAY - dt.timedelta(days=61))]),
        seen([state(last_proven=TODAY - dt.timedelta(days=60))]),
    ),
    "never proven": Case(
        "proof-overdue",
        WARNING,
        seen([state(last_proven=None, oldest=TODAY - dt.timedelta(days=8))]),
        seen([state(last_proven=None, oldest=TODAY - dt.timedelta(days=7))]),
        {"max_proof_age_days": 7},
    ),
    "lost": Case("backup-lost", CRITICAL, (WELL, stored(GOOD)), (WELL, stored(NEWER, GOOD))),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_alert_is_told_and_ends(case: Case) -> None:
    """At its threshold an alert is told, with its severity and a remedy; short of it, it is not."""
    settings = AlertSettings.model_validate(case.settings)

    told = [one for one in find_alerts(*case.fires, settings) if one.name == case.name]

    assert [case.severity] == [one.severity for one in told]
    assert all(one.message and one.remedy and "\n" not in str(one) for one in told)
    assert case.name not in [one.name for one in find_alerts(*case.clears, settings)]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_alert_can_be_switched_off(case: Case) -> None:
    """An alert that stands in `alerts.off` is not told."""
    settings = AlertSettings.model_validate({**case.settings, "off": [case.name]})

    assert case.name not in [one.name for one in find_alerts(*case.fires, settings)]


def test_each_name_has_a_case() -> None:
    """No alert can be configured that is not shown here to fire and to clear."""
    assert set(get_args(AlertName)) == {case.name for case in CASES.values()} | TOLD_ELSEWHERE


def test_each_alert_is_explained() -> None:
    """Whoever is told of an alert finds in docs/observability.md when it is told, and what to do."""
    page = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")
    assert [] == [name for name in get_args(AlertName) if f"| `{name}` |" not in page]


def test_nothing_is_told_where_all_is_well() -> None:
    """Without anything the matter there is no alert."""
    assert [] == find_alerts(WELL, stored(NEWER, GOOD), AlertSettings())


def test_the_worst_comes_first() -> None:
    """Alerts are in the order of their severity."""
    found = find_alerts(
        overview(state(name="a", movement="renamed to b"), state(age_days=50)), pinned(1), AlertSettings()
    )
    assert [CRITICAL, WARNING, INFO] == [one.severity for one in found]


def test_what_is_another_matter_has_another_key() -> None:
    """A second pinned backup of a repository is a further alert, not the same one still standing."""
    first = pinned(1).pins[0]
    second = first.model_copy(update={"backup_date": dt.date(2026, 11, 21)})

    found = find_alerts(WELL, Evidence(pins=(first, second)), AlertSettings())

    assert 2 == len({one.key for one in found})


def test_a_rewrite_is_told_with_both_ids() -> None:
    """Who reads the alert sees the ref, where it led and where it leads, and how to get the old one back."""
    (found,) = find_alerts(WELL, pinned(1), AlertSettings())

    assert f"refs/heads/main {'a' * 40} → {'b' * 40}" in found.message
    assert "date: 20261120" in found.remedy
    assert "unpin='[lecture]'" in found.remedy
