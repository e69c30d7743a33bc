"""Repositories without a contributing guide."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check


@check(
    severity=Severity.NOTICE,
    remedy="add CONTRIBUTING.md, or one for all to the organisation's repository .github",
)
def missing_contributing(repository: Examined) -> Iterator[Found]:
    """Find what has no contributing guide, neither its own nor the organisation's."""
    own = repository.tree.has(r"((\.github|docs)/)?contributing([._-][^/]*)?")
    if not own and not repository.facts.inherits_contributing:
        yield Found("no contributing guide")
