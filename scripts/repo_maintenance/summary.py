"""The summary of a run: counted from the plan, the receipts and the failures; for people and for programs."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

import humanfriendly
from pydantic import AwareDatetime, BaseModel, ConfigDict

from repo_maintenance import naming
from repo_maintenance.inventory import Resolution
from repo_maintenance.jobs import read_durations, render_failure
from repo_maintenance.markdown import escape
from repo_maintenance.planning import Decision
from repo_maintenance.records import Failure, Receipt, read_json


class Outcome(StrEnum):
    """How a run ended for a repository."""

    BACKED_UP = "backed up"
    UP_TO_DATE = "up to date"
    FAILED = "failed"
    NOT_REACHED = "not reached"


class RepositoryResult(BaseModel):
    """How a run ended for one repository."""

    model_config = ConfigDict(frozen=True)

    repository: str
    outcome: Outcome
    action: str
    reason: str
    key: str | None = None
    size_bytes: int = 0
    incomplete: str = ""
    """What its newest backup lacks, in words."""
    step_seconds: dict[str, float] = {}
    """Step → how long it took in this run, failed or not."""
    empty: bool = False
    """Whether nothing was ever pushed: its newest backup is an empty mirror."""
    note: str = ""
    """What is out of the ordinary, in words, such as that it is empty."""
    failure: Failure | None = None


class Summary(BaseModel):
    """How a run ended: what ``results/summary.json`` holds."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    source: str
    store: str
    started_at: AwareDatetime
    seconds: float
    total: int
    backed_up: int
    up_to_date: int
    failed: int
    not_reached: int
    incomplete: int
    covered: int
    """Repositories that have a backup, of whatever day."""
    bytes_stored: int
    movements: list[str]
    """What became of stored repositories that are not listed under their names any more."""
    repositories: list[RepositoryResult]


def summarize(resolution: Resolution, *, started_at: dt.datetime, now: dt.datetime) -> Summary:
    """Return how a run ended, from the receipts and failures on disk."""
    seconds: dict[str, dict[str, float]] = {}
    for duration in read_durations():
        seconds.setdefault(duration.subject, {})[duration.step] = round(duration.seconds, 3)
    results = [
        _result(decision, resolution).model_copy(
            update={"step_seconds": seconds.get(decision.repository.name, {})}
        )
        for decision in resolution.decisions
    ]
    counts = Counter(result.outcome for result in results)
    return Summary(
        ok=counts[Outcome.FAILED] == counts[Outcome.NOT_REACHED] == 0,
        source=resolution.source,
        store=resolution.store,
        started_at=started_at,
        seconds=round((now - started_at).total_seconds(), 1),
        total=len(results),
        backed_up=counts[Outcome.BACKED_UP],
        up_to_date=counts[Outcome.UP_TO_DATE],
        failed=counts[Outcome.FAILED],
        not_reached=counts[Outcome.NOT_REACHED],
        incomplete=sum(bool(result.incomplete) for result in results),
        covered=sum(
            bool(decision.newest) or result.outcome is Outcome.BACKED_UP
            for decision, result in zip(resolution.decisions, results, strict=True)
        ),
        movements=[str(movement) for movement in resolution.movements],
        bytes_stored=sum(result.size_bytes for result in results if result.outcome is Outcome.BACKED_UP),
        repositories=results,
    )


def render_summary(summary: Summary) -> str:
    """Return the summary for the screen: the counts, and each failure with its reason and a hint."""
    stored = humanfriendly.format_size(summary.bytes_stored)
    lines = [
        "",
        f"Backup of {summary.source} to {summary.store}: {summary.total} repositories",
        f"  backed up    {summary.backed_up:6}   {stored} in {summary.seconds:.1f} s",
        f"  up to date   {summary.up_to_date:6}",
        f"  failed       {summary.failed:6}",
    ]
    if summary.not_reached:
        lines.append(f"  not reached  {summary.not_reached:6}   the run ended before their turn")
    incomplete = [result for result in summary.repositories if result.incomplete]
    lines += [f"INCOMPLETE {result.repository}: {result.incomplete}" for result in incomplete]
    lines += [f"NOTE {movement}" for movement in summary.movements]
    empty = [result.repository for result in summary.repositories if result.empty]
    lines += [f"NOTE empty, stored as empty mirrors: {', '.join(empty)}"] if empty else []
    lines += [f"NOTE {result.repository}: {result.note}" for result in summary.repositories if result.note]
    for result in summary.repositories:
        lines += render_failure(result.failure) if result.failure else []
    return "\n".join(lines) + "\n"


def render_markdown(summary: Summary) -> str:
    """Return the summary as Markdown, for the job summary of a GitHub Action."""
    rows = [
        f"| {escape(result.repository)} | {result.outcome} | {escape(_explain(result))} | "
        f"{humanfriendly.format_size(result.size_bytes)} |"
        for result in sorted(
            summary.repositories, key=lambda one: (one.outcome != Outcome.FAILED, one.repository)
        )
        if result.outcome is not Outcome.UP_TO_DATE
    ]
    counts = (
        f"{summary.total} repositories to `{summary.store}`: {summary.backed_up} backed up "
        f"({humanfriendly.format_size(summary.bytes_stored)} in {summary.seconds:.0f} s), "
        f"{summary.up_to_date} up to date, {summary.failed} failed, {summary.not_reached} not reached."
    )
    table = ["| repository | outcome | why | size |", "|---|---|---|---:|", *rows, ""] if rows else []
    mark = "✅" if summary.ok else "❌"
    notes = [f"- {escape(movement)}" for movement in summary.movements]
    return "\n".join([f"## {mark} Backup of {escape(summary.source)}", "", counts, "", *table, *notes, ""])


def _explain(result: RepositoryResult) -> str:
    if result.failure is None:
        return f"{result.reason}; incomplete: {result.incomplete}" if result.incomplete else result.reason
    hint = f" — {result.failure.hint}" if result.failure.hint else ""
    return f"{result.failure.step}: {result.failure.kind}: {result.failure.message}{hint}"


def _result(decision: Decision, resolution: Resolution) -> RepositoryResult:
    name = decision.repository.name
    known = {"repository": name, "action": str(decision.action), "reason": decision.reason}
    if not decision.is_due:
        return _with_receipt(Outcome.UP_TO_DATE, resolution.receipts.get(name), known)
    if failure := read_json(naming.failure_path(name), Failure):
        return RepositoryResult(outcome=Outcome.FAILED, failure=failure, **known)
    made = read_json(naming.receipt_path(decision.name), Receipt)
    return _with_receipt(Outcome.BACKED_UP if made else Outcome.NOT_REACHED, made, known)


def _with_receipt(outcome: Outcome, receipt: Receipt | None, known: Mapping[str, str]) -> RepositoryResult:
    if receipt is None:
        return RepositoryResult(outcome=outcome, **known)
    return RepositoryResult(
        outcome=outcome,
        key=receipt.key,
        size_bytes=receipt.size_bytes,
        incomplete=receipt.incomplete,
        empty=receipt.ref_count == 0,
        note=receipt.note,
        **known,
    )
