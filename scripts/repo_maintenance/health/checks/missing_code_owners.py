"""Repositories without code owners."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check


@check(severity=Severity.NOTICE, remedy="add .github/CODEOWNERS with a line such as `* @organisation/team`")
def missing_code_owners(repository: Examined) -> Iterator[Found]:
    """Find where nobody is asked automatically to review a change."""
    if not repository.tree.has(r"((\.github|docs|\.gitlab)/)?codeowners"):
        yield Found("no code owners")
