"""Repositories without continuous integration."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check

CONFIGURATIONS = "|".join(
    [
        r"\.github/workflows/[^/]+\.ya?ml",
        r"\.gitlab-ci\.ya?ml",
        r"\.circleci/config\.ya?ml",
        r"\.(travis|cirrus|drone|appveyor|semaphore)\.ya?ml",
        r"\.semaphore/[^/]+\.ya?ml",
        r"\.woodpecker(/[^/]+)?\.ya?ml",
        r"\.buildkite/[^/]+\.ya?ml",
        r"(appveyor|azure-pipelines|bitbucket-pipelines)\.ya?ml",
        r"jenkinsfile",
    ]
)


@check(severity=Severity.NOTICE, remedy="add a workflow to .github/workflows that builds or tests it")
def missing_ci(repository: Examined) -> Iterator[Found]:
    """Find where nothing builds or tests a change before it is merged."""
    if not repository.tree.has(CONFIGURATIONS):
        yield Found("no continuous integration")
