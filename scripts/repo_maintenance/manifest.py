"""The manifest inside every tarball: what the backup holds, in a form that people and programs read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from repo_maintenance import __version__
from repo_maintenance.errors import ArchiveError
from repo_maintenance.git import digest_refs, list_refs
from repo_maintenance.hosts.base import Repository
from repo_maintenance.mirror import MirrorContents
from repo_maintenance.naming import MIRROR_CONTENTS
from repo_maintenance.records import read_json

FORMAT_VERSION = 1
# Of a tarball that is of use only together with another one: an older version of this tool refuses it.
INCREMENT_FORMAT_VERSION = 2


class Base(BaseModel):
    """The full backup that an increment stands on: unpack it first, then the increment over it."""

    model_config = ConfigDict(frozen=True)

    repository: str
    """``owner/name``, as it was called then."""
    backup_date: dt.date
    key: str
    """Object key below the store's prefix."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Of its tarball."""


class Manifest(BaseModel):
    """What a tarball holds."""

    model_config = ConfigDict(frozen=True)

    format_version: int = FORMAT_VERSION
    tool_version: str = __version__
    repository: str
    """``owner/name``."""
    repository_id: str
    backup_date: dt.date
    pushed_at: AwareDatetime
    """The last push that the backup is known to hold, by the host's clock."""
    default_branch: str
    description: str = ""
    topics: tuple[str, ...] = ()
    visibility: str = "private"
    head: str
    """What ``HEAD`` holds: ``ref: refs/heads/main``, or an object id."""
    refs: dict[str, str]
    """Ref name → object id."""
    refs_digest: str
    """SHA-256 over the sorted lines ``<object id> <ref name>``."""
    wiki_refs: dict[str, str] | None = None
    """The wiki's refs; None where there is no wiki."""
    lfs_objects: int = 0
    """How many Git LFS objects the history points to."""
    lfs_missing: list[str] = []
    """Those of them that could not be had, by SHA-256: the backup is incomplete."""
    lacks_git_lfs: bool = False
    """Whether they could not be had because git-lfs was not installed."""
    base: Base | None = None
    """What the tarball is an increment on; None where it is full, and needs no other."""


def describe_mirror(repository: Repository, folder: Path, date: dt.date) -> Manifest:
    """Return the manifest of the mirror in ``folder`` that is about to be archived; raises ArchiveError."""
    contents = read_json(folder / MIRROR_CONTENTS, MirrorContents)
    if contents is None:
        raise ArchiveError(f"{folder} is not a whole mirror", hint="run the backup again")
    git_dir = folder / f"{repository.name}.git"
    refs = list_refs(git_dir)
    return Manifest(
        repository=repository.full_name,
        repository_id=repository.id,
        backup_date=date,
        pushed_at=repository.pushed_at,
        default_branch=repository.default_branch,
        description=repository.description,
        topics=repository.topics,
        visibility=repository.visibility,
        head=(git_dir / "HEAD").read_text(encoding="utf-8", errors="backslashreplace").strip(),
        refs=dict(sorted(refs.items())),
        refs_digest=digest_refs(refs),
        wiki_refs=list_refs(folder / f"{repository.name}.wiki.git") if contents.has_wiki else None,
        lfs_objects=contents.lfs_objects,
        lfs_missing=contents.lfs_missing,
        lacks_git_lfs=contents.lacks_git_lfs,
    )
