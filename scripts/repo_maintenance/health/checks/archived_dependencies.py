"""Archived repositories that others still depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check
from repo_maintenance.health.manifests import NOT_OURS, READERS, read_manifests

ADDRESSED = "|".join([r"\.gitmodules", *READERS])


@check(
    severity=Severity.WARNING,
    remedy="replace it, or revive it: nobody mends an archived repository",
    hosted=True,
)
def archived_dependencies(repository: Examined) -> Iterator[Found]:
    """Find what uses, by address, submodule or action, an archived repository of the organisation."""
    archived = {name.lower(): name for name in repository.organization.archived}
    archived.pop(repository.repository.full_name.lower(), None)
    if not archived:
        return
    found = dict.fromkeys([*_by_address(repository, archived), *_by_action(repository, archived)])
    for path, name in found:
        if not repository.is_ignored(name):
            yield Found(f"{path} depends on {name}, which is archived", name)


def _by_address(repository: Examined, archived: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each file that holds the address of an archived repository, in any of git's forms."""
    host = re.escape(repository.organization.host)
    address = re.compile(rf"(?:{host}(?::\d+)?[/:]|\"github:)([\w-]+/[\w.-]+)", re.IGNORECASE)
    for file in repository.tree.matching(ADDRESSED):
        text = None if NOT_OURS.fullmatch(file.path) else repository.tree.read(file)
        for name in address.findall(text or ""):
            plain = name.lower().rstrip(".").removesuffix(".git")
            if plain in archived:
                yield file.path, archived[plain]


def _by_action(repository: Examined, archived: dict[str, str]) -> Iterator[tuple[str, str]]:
    for manifest in read_manifests(repository.tree):
        for one in manifest.dependencies:
            if one.kind == "action" and one.name.lower() in archived:
                yield manifest.path, archived[one.name.lower()]
