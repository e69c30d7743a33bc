"""What the tests of health checks are made from: small repositories, and one check at work on one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repo_maintenance.health.examine import examine
from repo_maintenance.health.examined import Facts, Organization
from repo_maintenance.health.findings import RepositoryHealth
from repo_maintenance.health.index import PackageIndex
from repo_maintenance.health.registry import Registry
from repo_maintenance.health.tree import Tree
from repo_maintenance.settings import HealthSettings
from tests.servers.repositories import git, make_empty
from tests.unit.making import repository

TODAY = dt.date(2026, 11, 24)
LAST_WEEK = dt.datetime(2026, 11, 17, 12, tzinfo=dt.UTC)
# Where nobody listens: a check that asks an index all the same says that it can't be reached.
NOWHERE = {
    "pypi_url": "http://127.0.0.1:9",
    "npm_url": "http://127.0.0.1:9",
    "actions_url": "http://127.0.0.1:9",
}


def commit(
    git_dir: Path,
    files: Mapping[str, str | bytes | None],
    *,
    branch: str = "main",
    moment: dt.datetime = LAST_WEEK,
) -> Path:
    """Add a commit to a bare repository, which is made first where there is none; None deletes a file."""
    if not git_dir.exists():
        make_empty(git_dir)
    ref = f"refs/heads/{branch}"
    exists = git(git_dir, "for-each-ref", ref)
    head = f"commit {ref}\ncommitter A <a@example.org> {int(moment.timestamp())} +0000\ndata 1\n.\n".encode()
    parts = [head, f"from {ref}^0\n".encode() if exists else b""]
    for name, content in files.items():
        quoted = '"' + "".join(f"\\{byte:03o}" for byte in name.encode()) + '"'
        if content is None:
            parts.append(f"D {quoted}\n".encode())
            continue
        data = content.encode() if isinstance(content, str) else content
        parts.append(f"M 100644 inline {quoted}\ndata {len(data)}\n".encode() + data + b"\n")
    git(git_dir, "fast-import", "--quiet", "--force", stdin=b"".join(parts) + b"\n")
    return git_dir


def look(
    git_dir: Path,
    name: str,
    *,
    settings: Mapping[str, Any] | None = None,
    index: Mapping[str, Any] | None = None,
    organization: Mapping[str, Any] | None = None,
    newest_backup: dt.date | None = TODAY,
    cache: Path | None = None,
    plugins: tuple[Path, ...] = (),
    **facts: Any,
) -> RepositoryHealth:
    """Return what one check, with the given settings, finds of a repository as a host describes it."""
    health = HealthSettings.model_validate(
        {"checks": {name: settings or {}}, "index": {**NOWHERE, **(index or {})}, "plugins": plugins}
    )
    registry = Registry.load(health)
    alone = Registry([one for one in registry.checks if one.name == name], health)
    host_says = facts.pop("repository", {})
    known = Facts(repository=repository("lecture", **host_says), newest_backup=newest_backup, **facts)
    return examine(
        known,
        Organization.model_validate({"today": TODAY, "host": "github.com", **(organization or {})}),
        Tree(git_dir, known.repository.default_branch),
        PackageIndex(health.index, cache or git_dir.parent / "index"),
        alone,
    )


def messages(found: RepositoryHealth) -> list[str]:
    """Return what the findings say."""
    return [finding.message for finding in found.findings]
