"""``report.md``: the report for people who read text, such as the job summary of a GitHub Action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from repo_maintenance.markdown import escape, escape_part
from repo_maintenance.overview import Overview
from repo_maintenance.report import words
from repo_maintenance.report.verdict import Matter, find_matters, judge, rank

MATTERS_SHOWN = 200
BAR = r"\|"


def render_markdown(overview: Overview, *, whole: bool = True) -> str:
    """Return the report; its first line says whether all is safe. ``whole`` has the table of everything."""
    verdict = judge(overview)
    lines = [f"## {verdict.mark} {verdict.sentence}", "", _headline(overview), ""]
    lines += _matters(find_matters(overview))
    lines += _figures(overview)
    if whole:
        lines += _all(overview)
    return "\n".join(lines) + "\n"


def _coded(text: str) -> str:
    """Return advice with its commands, which stand between backticks, as code."""
    parts = words.split_code(text)
    return "".join(f"`{part.replace('|', BAR)}`" if is_code else escape_part(part) for part, is_code in parts)


def _headline(overview: Overview) -> str:
    run = overview.last_backup_run
    last = "no run is on record" if run is None else f"last run {words.moment(run.started_at)}"
    source, store = escape(overview.source), escape(overview.store)
    return f"{source} to {store}, as of {words.moment(overview.generated_at)}; {last}."


def _matters(matters: list[Matter]) -> list[str]:
    if not matters:
        return []
    rows = [
        (escape(one.subject), escape(one.label), escape(one.why), _coded(one.advice))
        for one in matters[:MATTERS_SHOWN]
    ]
    more = len(matters) - len(rows)
    after = [f"and {more:,} more: `report.json` has them all.", ""] if more else []
    return [*_table(("repository", "what", "why", "what to do"), rows), "", *after]


def _figures(overview: Overview) -> list[str]:
    proven = sum(one.is_matched and one.last_proven is not None for one in overview.repositories)
    states = ", ".join(f"{count} {state}" for state, count in overview.states.items() if count)
    cost = words.money(overview.cost, escape(overview.currency))
    rows = [
        ("repositories", states or "none"),
        ("proven restorable", f"{proven} of {overview.matched}"),
        ("backups", f"{overview.backups:,}, {words.size(overview.stored_bytes)}"),
        ("estimated storage cost", f"{cost} a month"),
    ]
    if overview.health:
        counts = Counter(finding.severity.value for finding in overview.health)
        rows.append(("health", ", ".join(f"{count:,} {severity}" for severity, count in counts.items())))
    return [*_table(("", ""), rows), ""]


def _all(overview: Overview) -> list[str]:
    today = overview.generated_at.date()
    headers = (
        *("repository", "state", "backups", "size", "newest", "proven", "restore", "growth", "incomplete"),
        *("upstream", "cost a month"),
    )
    rows = [
        (
            escape(one.name),
            one.state.value,
            f"{one.backups:,}",
            words.size(one.stored_bytes),
            f"{one.newest} ({words.days_ago(one.newest, today)})" if one.newest else "never",
            str(one.last_proven or "never"),
            words.duration(one.restore_seconds),
            words.change(one.growth_bytes),
            escape(one.incomplete) or words.NONE,
            escape(one.movement or one.full_name or "gone"),
            words.money(one.cost, escape(overview.currency)),
        )
        for one in sorted(overview.repositories, key=lambda one: (rank(one.state), one.name))
    ]
    title = f"<summary>All {len(rows):,} repositories</summary>"
    return ["<details>", title, "", *_table(headers, rows), "", "</details>"]


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    named = list(headers)
    lines = [f"| {' | '.join(row)} |" for row in [named, *rows]]
    return [lines[0], f"|{'---|' * len(named)}", *lines[1:]]
