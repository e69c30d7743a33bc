"""The table above the preview: what a run would do for each repository, and why."""

from __future__ import annotations

import humanfriendly
from tabulate import tabulate

from repo_maintenance.inventory import Resolution
from repo_maintenance.planning import Decision

HEADERS = ("repository", "action", "why", "size", "newest backup")


def render_preview(resolution: Resolution) -> str:
    """Return the table, what is due first, and a line that sums it up."""
    ordered = sorted(resolution.decisions, key=lambda one: (not one.is_due, one.repository.name))
    kinds = any(decision.kind for decision in ordered)
    rows = [(*_row(decision), decision.kind) if kinds else _row(decision) for decision in ordered]
    headers = (*HEADERS, "kind of backup") if kinds else HEADERS
    table = tabulate(rows, headers, tablefmt="simple", disable_numparse=True)
    moved = "".join(f"\n{movement}" for movement in resolution.movements)
    return f"{table}\n{moved}\n{render_headline(resolution)}\n"


def render_headline(resolution: Resolution) -> str:
    """Return in one line what was found and how much of it is due."""
    listed, selected, due = len(resolution.listed), len(resolution.decisions), len(resolution.due)
    return (
        f"{resolution.source} → {resolution.store}: {listed} repositories, {selected} selected, "
        f"{due} to back up, {selected - due} up to date"
    )


def _row(decision: Decision) -> tuple[str, ...]:
    return (
        decision.repository.name,
        str(decision.action),
        decision.reason,
        humanfriendly.format_size(decision.repository.size_bytes),
        decision.newest.date.isoformat() if decision.newest else "none",
    )
