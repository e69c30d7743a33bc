"""Default branches that no rule guards."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, NotChecked, Severity, check


@check(
    severity=Severity.WARNING,
    remedy="add a ruleset for the default branch: https://docs.github.com/en/repositories/"
    "configuring-branches-and-merges-in-your-repository/managing-rulesets",
    hosted=True,
)
def unprotected_branch(repository: Examined) -> Iterator[Found | NotChecked]:
    """Find default branches that anyone who may push can rewrite or delete."""
    branch = repository.repository.default_branch
    if repository.facts.is_protected is None:
        yield NotChecked(repository.organization.unprotected_unknown or "the host did not say")
    elif not repository.facts.is_protected:
        yield Found(f"no rule guards {branch}", branch)
