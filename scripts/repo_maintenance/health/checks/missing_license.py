"""Repositories without a license."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check


@check(severity=Severity.WARNING, remedy="add a file LICENSE: https://choosealicense.com")
def missing_license(repository: Examined) -> Iterator[Found]:
    """Find what nobody else may use, change or share, since it carries no license."""
    if not repository.tree.has(r"((un)?licen[cs]e|copying)([._-][^/]*)?|licenses/[^/]+"):
        yield Found("no license")
