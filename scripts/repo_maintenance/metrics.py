"""How everything stands, in numbers for Prometheus: which metrics there are, and what they mean.

All are gauges. Each run is a process of its own, so that nothing could be counted on from one to the next;
of such jobs Prometheus asks what the last run did, and when
(https://prometheus.io/docs/practices/instrumentation/#batch-jobs).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from repo_maintenance.history import RunRecord
from repo_maintenance.overview import Overview, RepositoryState, State
from repo_maintenance.tally import Quota

ONE_DAY = dt.timedelta(days=1)
SERVICES = ("git", "github", "s3")
Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True)
class Family:
    """One metric: its name without the namespace, what it means, and its values by labels."""

    name: str
    meaning: str
    samples: list[Sample]


def describe(overview: Overview, quota: Quota | None) -> list[Family]:
    """Return all metrics; pure. What is not known has no value, rather than a wrong one."""
    families = [*_totals(overview), *_repositories(overview), *_runs(overview.runs), *_quota(quota)]
    return [family for family in families if family.samples]


def _totals(overview: Overview) -> Iterator[Family]:
    states = {state: overview.states.get(state, 0) for state in State}
    covered = sum(one.is_matched and one.backups > 0 for one in overview.repositories)
    yield _one("build_info", "Always 1; the version that wrote this.", 1, version=overview.tool_version)
    yield _one("generated_timestamp_seconds", "When all this was found.", overview.generated_at.timestamp())
    yield Family(
        "repositories",
        "Repositories, by how safe they are.",
        [({"state": _label(state)}, count) for state, count in states.items()],
    )
    yield _one("matched_repositories", "Repositories that the settings select.", overview.matched)
    yield _one("covered_repositories", "Of the selected ones, those that have a backup.", covered)
    yield _one("stored_backups", "Backups in the store.", overview.backups)
    yield _one("stored_bytes", "What all backups take.", overview.stored_bytes)
    yield _one(
        "storage_cost_per_month",
        "What the store costs a month, by the configured prices.",
        overview.cost,
        currency=overview.currency,
    )


def _repositories(overview: Overview) -> Iterator[Family]:
    """Yield what there is of each repository, selected or only stored."""
    now = overview.generated_at.timestamp()
    measures: list[tuple[str, str, Callable[[RepositoryState], float | None]]] = [
        ("last_backup_timestamp_seconds", "When the newest backup was made.", _taken_at),
        ("last_backup_age_seconds", "How old the newest backup is.", lambda one: _since(now, _taken_at(one))),
        ("last_proven_timestamp_seconds", "When a backup was last proven restorable.", _proven_at),
        ("last_proven_age_seconds", "How old the last proof is.", lambda one: _since(now, _proven_at(one))),
        ("repository_backups", "Backups of a repository.", lambda one: one.backups),
        ("repository_stored_bytes", "What all backups of a repository take.", lambda one: one.stored_bytes),
        ("newest_backup_bytes", "Size of the newest backup, with its base.", lambda one: one.newest_bytes),
        (
            "previous_backup_bytes",
            "Size of the backup before the newest, with its base.",
            lambda one: one.previous_bytes,
        ),
        ("restore_duration_seconds", "What the last good proof took.", lambda one: one.restore_seconds),
    ]
    yield Family(
        "repository_state",
        "Always 1; how safe a repository is.",
        [({"repository": one.name, "state": _label(one.state)}, 1) for one in overview.repositories],
    )
    for name, meaning, measure in measures:
        values = ((one.name, measure(one)) for one in overview.repositories)
        samples: list[Sample] = [({"repository": repo}, value) for repo, value in values if value is not None]
        yield Family(name, meaning, samples)


def _runs(runs: Iterable[RunRecord]) -> Iterator[Family]:
    """Yield what is remembered of the last run of each kind."""
    last = {run.kind: run for run in runs}.values()
    good = {run.kind: run for run in runs if run.ok}.values()
    measures: list[tuple[str, str, Iterable[RunRecord], Callable[[RunRecord], float]]] = [
        ("last_run_timestamp_seconds", "When the last run ended.", last, _ended_at),
        ("last_success_timestamp_seconds", "When the last run without a failure ended.", good, _ended_at),
        ("last_run_success", "1 where the last run had no failure, else 0.", last, lambda run: run.ok),
        ("last_run_duration_seconds", "What the last run took.", last, lambda run: run.seconds),
        ("last_run_bytes", "What the last run stored, read or deleted.", last, lambda run: run.bytes_done),
    ]
    parts: list[tuple[str, str, str, Callable[[RunRecord], Mapping[str, float]]]] = [
        ("last_run_repositories", "How the last run ended for its repositories.", "outcome", _outcomes),
        (
            "last_run_step_duration_seconds",
            "What a step took in the last run, summed over all repositories.",
            "step",
            lambda run: run.step_seconds,
        ),
        ("last_run_retries", "Requests that the last run made again.", "service", _retries),
    ]
    for name, meaning, of, measure in measures:
        yield Family(name, meaning, [({"kind": run.kind}, measure(run)) for run in of])
    for name, meaning, label, split in parts:
        samples: list[Sample] = [
            ({"kind": run.kind, label: part}, value) for run in last for part, value in split(run).items()
        ]
        yield Family(name, meaning, samples)


def _quota(quota: Quota | None) -> Iterator[Family]:
    if quota is not None:
        yield _one("github_quota_remaining", "Requests that GitHub's API still grants.", quota.remaining)
        yield _one("github_quota_limit", "Requests that GitHub's API grants an hour.", quota.limit)
        yield _one("github_quota_reset_timestamp_seconds", "When GitHub grants all again.", quota.resets_at)


def _one(name: str, meaning: str, value: float, **labels: str) -> Family:
    return Family(name, meaning, [(labels, value)])


def _label(state: State) -> str:
    """Return a state as a label has it: one word, which stays though the words for people may change."""
    return state.name.lower()


def _taken_at(one: RepositoryState) -> float | None:
    """Return when the newest backup was made: when it was stored, but within the day of its name.

    A bucket that was copied says of all its objects that they are new.
    """
    if one.newest is None:
        return None
    morning = dt.datetime.combine(one.newest, dt.time(), dt.UTC)
    stored = one.newest_at or morning
    return min(max(stored, morning), morning + ONE_DAY).timestamp()


def _proven_at(one: RepositoryState) -> float | None:
    if one.proven_at is not None:
        return one.proven_at.timestamp()
    if one.last_proven is None:
        return None
    return dt.datetime.combine(one.last_proven, dt.time(), dt.UTC).timestamp()


def _since(now: float, moment: float | None) -> float | None:
    return None if moment is None else max(0.0, now - moment)


def _ended_at(run: RunRecord) -> float:
    return run.started_at.timestamp() + run.seconds


def _outcomes(run: RunRecord) -> dict[str, float]:
    return {"done": run.done, "failed": run.failed, "unchanged": run.total - run.done - run.failed}


def _retries(run: RunRecord) -> dict[str, float]:
    return {service: run.retries.get(service, 0) for service in SERVICES}
