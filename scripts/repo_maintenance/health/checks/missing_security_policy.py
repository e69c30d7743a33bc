"""Repositories without a security policy."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check


@check(
    severity=Severity.NOTICE,
    remedy="add SECURITY.md, or one for all to the organisation's repository .github",
)
def missing_security_policy(repository: Examined) -> Iterator[Found]:
    """Find where whoever finds a hole is not told whom to write to, not even by the organisation."""
    own = repository.tree.has(r"((\.github|docs)/)?security([._-][^/]*)?")
    if not own and not repository.facts.inherits_security_policy:
        yield Found("no security policy")
