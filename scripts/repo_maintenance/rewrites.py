"""Finds what upstream has rewritten between two backups: branches that moved back, and what vanished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from repo_maintenance.errors import GitError
from repo_maintenance.git import ask_git, run_git

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
# Heads of pull requests are moved and removed by GitHub itself.
PULL_REQUESTS = "refs/pull/"

ObjectId = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Rewrite(BaseModel):
    """That a ref does not lead to what it led to before."""

    model_config = ConfigDict(frozen=True)

    ref: str
    old: ObjectId
    new: ObjectId | None
    """None where it vanished."""

    def __str__(self) -> str:
        return f"{self.ref} {self.old} → {self.new or 'gone'}"


def watched(refs: Mapping[str, str]) -> dict[str, str]:
    """Return the refs that are compared: all but those of pull requests."""
    return {name: object_id for name, object_id in refs.items() if not name.startswith(PULL_REQUESTS)}


def find_rewrites(
    old: Mapping[str, str], new: Mapping[str, str], git_dir: Path, *, merged_too: bool
) -> list[Rewrite]:
    """Return the refs of ``old`` that were rewritten since, by name; ``git_dir`` holds ``new``.

    A branch is rewritten where its old commit does not stand behind its new one; a tag wherever it moved or
    vanished. A branch that vanished counts where some of its commits can't be reached any more from any
    ref, or with ``merged_too`` in any case. Raises GitError.
    """
    before, now = watched(old), watched(new)
    changed = [
        Rewrite(ref=ref, old=before[ref], new=now.get(ref))
        for ref in sorted(before)
        if before[ref] != now.get(ref)
    ]
    vanished = _commits(git_dir, [one.old for one in changed if one.new is None])
    reachable = vanished - _unreachable(git_dir, vanished)
    return [one for one in changed if _is_rewrite(one, reachable, git_dir, merged_too=merged_too)]


def _is_rewrite(one: Rewrite, reachable: Set[str], git_dir: Path, *, merged_too: bool) -> bool:
    if one.ref.startswith(TAGS):
        return True
    if one.new is None:
        return merged_too or one.old not in reachable
    try:
        return not _is_behind(git_dir, one.old, one.new)
    except GitError:  # as the mirror lacks the old one
        return True


def _is_behind(git_dir: Path, commit: str, later: str) -> bool:
    """Whether a commit is, or stands behind, a later one."""
    return not run_git(["rev-list", "--max-count=1", commit, "--not", later], git_dir=git_dir)


def _unreachable(git_dir: Path, commits: Set[str]) -> Set[str]:
    """Return the commits that no ref leads to: a cached mirror may still have some."""
    command = ["rev-list", "--stdin", "--not", "--all"]
    return commits & set(ask_git(command, commits, git_dir)) if commits else commits


def _commits(git_dir: Path, object_ids: Iterable[str]) -> Set[str]:
    """Return which of the objects are there, and are commits."""
    asked = set(object_ids)
    answers = (
        ask_git(["cat-file", "--batch-check=%(objectname) %(objecttype)"], asked, git_dir) if asked else ()
    )
    return {answer.partition(" ")[0] for answer in answers if answer.endswith(" commit")}
