"""Pushes restored repositories to new remotes, and makes these where they are missing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict

from repo_maintenance.errors import GitError, PushError
from repo_maintenance.git import list_refs, run_git
from repo_maintenance.hosts.base import GitAccess
from repo_maintenance.hosts.token import find_token
from repo_maintenance.lfs import find_pointers
from repo_maintenance.manifest import Manifest
from repo_maintenance.naming import MANIFEST
from repo_maintenance.records import read_json
from repo_maintenance.restore import Restored
from repo_maintenance.settings import LOOPBACK_HOSTS, GitHubSettings, RestoreSettings

logger = logging.getLogger(__name__)

# What a remote takes: GitHub keeps refs/pull/* to itself, and refuses a push that holds one.
REFSPECS = ("refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*", "refs/notes/*:refs/notes/*")


class Pushed(BaseModel):
    """That a restored repository was pushed."""

    model_config = ConfigDict(frozen=True)

    repository: str
    address: str
    created: bool
    """Whether the remote was made for it."""
    changed: list[str]
    """The refs that the remote did not have yet, or not so."""


def push_restored(
    restored: Restored, settings: RestoreSettings, github: GitHubSettings, environment: Mapping[str, str]
) -> Pushed:
    """Push a restored repository to where the settings say; raises PushError or GitError."""
    address = remote_address(settings.push_to or "", restored.repository)
    git_dir = restored.folder / f"{restored.repository}.git"
    manifest = read_json(restored.folder / MANIFEST, Manifest)
    token = find_token(environment)
    access = push_access(address, token)
    if not settings.create:
        changed = push_repository(git_dir, address, access)
        return Pushed(repository=restored.repository, address=address, created=False, changed=changed)
    from repo_maintenance.hosts.github_target import GitHubTarget

    target = GitHubTarget(github, token)
    created = target.ensure(address, manifest)
    changed = push_repository(git_dir, address, access)
    branch = manifest.default_branch if manifest else ""
    if branch and f"refs/heads/{branch}" in list_refs(git_dir):
        target.set_default_branch(address, branch)
    return Pushed(repository=restored.repository, address=address, created=created, changed=changed)


def require_token(environment: Mapping[str, str]) -> None:
    """Raise PushError where there is no token: nothing can be made on GitHub without."""
    if find_token(environment) is None:
        raise PushError("restore.create: there is no token", hint="set GITHUB_TOKEN to one that may create")


def remote_address(template: str, repo: str) -> str:
    """Return the address that a template such as ``https://github.com/new/{repo}.git`` gives."""
    return template.replace("{repo}", quote(repo))


def push_access(address: str, token: str | None) -> GitAccess:
    """Return how git may reach a remote; raises PushError for an address that is not allowed.

    Only https is, http to this machine, and file; the token goes to the remote's own host alone.
    """
    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise PushError("restore.push_to: an address must not hold a user name or a password")
    if parts.scheme == "file":
        return GitAccess(protocols=("file",))
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
    if parts.scheme != "https" and not is_local:
        raise PushError(f"restore.push_to: {parts.scheme or 'no'} protocol", hint="give an https:// address")
    return GitAccess(
        protocols=("https", "http") if is_local else ("https",), host=parts.netloc, password=token
    )


def push_repository(git_dir: Path, address: str, access: GitAccess) -> list[str]:
    """Push branches, tags, notes and LFS objects, and return the refs that the remote did not have yet.

    What the remote has and the backup has not is left alone; a ref that both have and that moved on there is
    an error, never overwritten. Raises GitError.
    """
    before = _remote_refs(address, access)
    wanted = _pushable_refs(git_dir)
    changed = [name for name, object_id in wanted.items() if before.get(name) != object_id]
    if find_pointers(git_dir):
        _push_lfs(git_dir, address, access)
    if changed:
        used = [one for one in REFSPECS if any(name.startswith(one.partition("*")[0]) for name in wanted)]
        run_git(["push", "--quiet", "--", address, *used], git_dir=git_dir, access=access)
    logger.info("pushed %d of %d refs to %s", len(changed), len(wanted), address)
    return changed


def _pushable_refs(git_dir: Path) -> dict[str, str]:
    prefixes = tuple(refspec.partition("*")[0] for refspec in REFSPECS)
    return {name: oid for name, oid in list_refs(git_dir).items() if name.startswith(prefixes)}


def _remote_refs(address: str, access: GitAccess) -> Mapping[str, str]:
    """Return the refs of a remote; a tag has its own id, not its target's."""
    lines = run_git(["ls-remote", "--quiet", "--refs", "--", address], access=access).splitlines()
    pairs = (line.split("\t", 1) for line in lines)
    return {name: object_id for object_id, name in pairs}


def _push_lfs(git_dir: Path, address: str, access: GitAccess) -> None:
    """Push the LFS objects first, so that no pointer is there without its object.

    What the backup itself lacks is no reason to hold back the rest.
    """
    url = address if address.startswith("file:") else f"{address}/info/lfs"
    options = ["-c", f"lfs.url={url}", "-c", "lfs.allowincompletepush=true"]
    try:
        run_git([*options, "lfs", "push", "--all", address], git_dir=git_dir, access=access)
    except GitError as error:
        raise PushError(f"LFS objects can't be pushed: {error.message}", hint=error.hint) from error
