"""Branches that nobody has touched for long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check

MOST_NAMED = 5


@check(
    severity=Severity.NOTICE,
    remedy="delete what is merged or given up; the backups keep it (names that must stay: `ignore`)",
    limits={"days": 180},
)
def stale_branches(repository: Examined) -> Iterator[Found]:
    """Find branches, besides the default one, without a commit for `days` days."""
    before = repository.today - dt.timedelta(days=repository.limits["days"])
    stale = [
        branch.name
        for branch in repository.tree.branches
        if branch.committed_at.date() < before
        and branch.name != repository.repository.default_branch
        and not repository.is_ignored(branch.name)
    ]
    if stale:
        more = ", …" if len(stale) > MOST_NAMED else ""
        many = "1 branch" if len(stale) == 1 else f"{len(stale)} branches"
        days = repository.limits["days"]
        yield Found(f"{many} without a commit for {days} days: {', '.join(stale[:MOST_NAMED])}{more}")
