"""Looks at one repository with every check that is for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from repo_maintenance.errors import HealthError, RepoMaintenanceError
from repo_maintenance.health.check import Check, Found, NotChecked
from repo_maintenance.health.examined import Examined, Facts, Organization
from repo_maintenance.health.findings import HealthFinding, RepositoryHealth, Unchecked, plain
from repo_maintenance.health.index import PackageIndex
from repo_maintenance.health.registry import Registry
from repo_maintenance.health.tree import Tree

logger = logging.getLogger(__name__)


def examine(
    facts: Facts, organization: Organization, tree: Tree, index: PackageIndex, registry: Registry
) -> RepositoryHealth:
    """Return what the checks find of one repository; raises HealthError where a check itself fails."""
    repository = facts.repository
    findings: list[HealthFinding] = []
    unchecked: list[Unchecked] = []
    if tree.tip is None and tree.branches:
        reason = plain(f"the default branch {repository.default_branch} does not exist")
        unchecked.append(Unchecked(repository=repository.name, check="all files", reason=reason))
    checks = [one for one in registry.checks_for(repository.name) if _applies(one, facts, organization, tree)]
    for check in checks:
        examined = Examined(
            facts=facts,
            organization=organization,
            tree=tree,
            index=index,
            settings=registry.settings_of(check),
            limits=registry.limits_of(check),
        )
        for one in _look(check, examined):
            if isinstance(one, NotChecked):
                reason = plain(one.reason)
                logger.warning("%s: not checked: %s", check.name, reason)
                unchecked.append(Unchecked(repository=repository.name, check=check.name, reason=reason))
            elif not (one.subject and examined.is_ignored(one.subject)):
                findings.append(_finding(repository.name, check, registry, one))
    return RepositoryHealth(
        repository=repository.name,
        checks=[check.name for check in checks],
        findings=findings,
        unchecked=unchecked,
    )


def _applies(check: Check, facts: Facts, organization: Organization, tree: Tree) -> bool:
    """Whether a check says anything of such a repository: archived, without a commit, or of a mere folder."""
    return (
        (check.archived or not facts.repository.archived)
        and (check.empty or tree.tip is not None)
        and (organization.is_hosted or not check.hosted)
    )


def _look(check: Check, examined: Examined) -> Iterator[Found | NotChecked]:
    try:
        yield from check.look(examined)
    except (RepoMaintenanceError, OSError):
        raise
    except Exception as error:
        logger.exception("the check %s failed", check.name)
        hint = "see the job's log, and switch the check off until it is mended: health.checks.NAME.enabled"
        message = f"the check {check.name} failed: {type(error).__name__}: {plain(str(error))}"
        raise HealthError(message, hint=hint) from error


def _finding(repository: str, check: Check, registry: Registry, found: Found) -> HealthFinding:
    return HealthFinding(
        repository=repository,
        check=check.name,
        severity=registry.severity_of(check),
        subject=plain(found.subject),
        message=plain(found.message),
        remedy=found.remedy or check.remedy,
    )
