"""Repositories without a README."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check


@check(severity=Severity.WARNING, remedy="add a file README.md: what it is, for whom, and how to begin")
def missing_readme(repository: Examined) -> Iterator[Found]:
    """Find what does not say what it is for: there is no README."""
    if not repository.tree.has(r"((\.github|docs)/)?readme([._-][^/]*)?"):
        yield Found("no README")
