"""Increments: what a mirror has and its base lacks, as tar and git put it back, and the putting back.

Of each repository an increment holds ``HEAD``, ``config``, all refs as ``packed-refs``, and a thin pack of
the objects that the base's refs do not lead to. Not a bundle: that leaves out refs whose commits the other
side has, and there is none without objects (git-bundle(1)).
"""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repo_maintenance.archive import write_tarball
from repo_maintenance.bases import IncrementPlan
from repo_maintenance.catalog import LARGEST_INCREMENT
from repo_maintenance.errors import GitError, ProofError
from repo_maintenance.git import ask_git, list_refs, run_git
from repo_maintenance.hosts.base import Repository
from repo_maintenance.lfs import held_objects, object_path
from repo_maintenance.manifest import INCREMENT_FORMAT_VERSION, Base, Manifest
from repo_maintenance.mirror import link_file
from repo_maintenance.naming import MIRROR_CONTENTS, PARTIAL
from repo_maintenance.stores import Digests

logger = logging.getLogger(__name__)

PACK = "increment.pack"
TAKEN_WHOLE = ("HEAD", "config")
_DETACHED = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class WrittenBackup:
    """The tarball of a backup."""

    digests: Digests
    base: Base | None = None
    """What it is an increment on; None where it is full."""
    increment: int = 0


def write_backup(
    repository: Repository, folder: Path, manifest: Manifest, plan: IncrementPlan | None, tarball: Path
) -> WrittenBackup:
    """Write the tarball of the mirror in ``folder``: an increment as planned, or a full one.

    It is full, too, where an increment can't be made, or would be more than half as large as its base. Raises
    ArchiveError and OSError.
    """
    mtime = int(repository.pushed_at.timestamp())
    if plan is not None:
        described = manifest.model_copy(
            update={"base": plan.base, "format_version": INCREMENT_FORMAT_VERSION}
        )
        try:
            with cut_increment(folder, repository.name, plan) as cut:
                if cut is not None:
                    digests = write_tarball(cut, _json(described), tarball, mtime=mtime)
                    if digests.size <= LARGEST_INCREMENT * plan.base_bytes:
                        return WrittenBackup(digests, plan.base, plan.increment)
            logger.info("full: the backup of %s holds too little of it", plan.base.backup_date)
        except GitError as error:
            logger.warning("full: no increment on the backup of %s: %s", plan.base.backup_date, error)
    return WrittenBackup(write_tarball(folder, _json(manifest), tarball, mtime=mtime))


def _json(manifest: Manifest) -> bytes:
    return f"{manifest.model_dump_json(indent=2)}\n".encode()


@contextmanager
def cut_increment(folder: Path, repo: str, plan: IncrementPlan) -> Iterator[Path | None]:
    """Provide a folder with what the mirror in ``folder`` has and the base lacks; it goes in the end.

    A wiki that the base has nothing of is in it whole. None where the base has nothing of the repository, or
    where the increment would be more than half as large as its base. Raises GitError and OSError.
    """
    with tempfile.TemporaryDirectory(
        dir=folder.parent, prefix=f"{PARTIAL}{repo}-increment-", ignore_cleanup_errors=True
    ) as scratch:
        target = Path(scratch) / repo
        is_cut = _cut_parts(folder, repo, plan, target)
        yield target if is_cut and _size(target) <= LARGEST_INCREMENT * plan.base_bytes else None


def _cut_parts(folder: Path, repo: str, plan: IncrementPlan, target: Path) -> bool:
    """Write what the mirror in ``folder`` has and the base lacks; False where nothing is in common."""
    main, wiki = f"{repo}.git", f"{repo}.wiki.git"
    target.mkdir()
    if not _cut(folder / main, plan.refs, plan.lfs_objects, target / main):
        return False
    for part in sorted(folder.iterdir()):
        made = target / part.name
        if part.name == MIRROR_CONTENTS or made.exists():
            continue
        if part.name != wiki or not _cut(part, plan.wiki_refs or {}, (), made):
            _link(part, made)
    return True


def _cut(git_dir: Path, base_refs: Mapping[str, str], base_lfs: Collection[str], target: Path) -> bool:
    """Write what a repository has and the base lacks; False where the base has nothing of it."""
    common = _present(git_dir, base_refs.values())
    if not common:
        return False
    (target / "refs").mkdir(parents=True)
    for name in TAKEN_WHOLE:
        shutil.copyfile(git_dir / name, target / name)
    with (target / "packed-refs").open("wb") as file:
        run_git(["for-each-ref", "--format=%(objectname) %(refname)"], git_dir=git_dir, stdout=file)
    wanted = set(list_refs(git_dir).values()) | _present(git_dir, _detached_head(git_dir))
    with (
        tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=PARTIAL, encoding="ascii") as revisions,
        (target / PACK).open("wb") as file,
    ):
        revisions.writelines(f"{one}\n" for one in [*sorted(wanted), *(f"^{one}" for one in sorted(common))])
        revisions.flush()
        command = ["pack-objects", "-q", "--revs", "--thin", "--delta-base-offset", "--stdout"]
        run_git(command, git_dir=git_dir, stdin=Path(revisions.name), stdout=file)
    for oid in sorted(held_objects(git_dir) - set(base_lfs)):
        _link(object_path(git_dir, oid), object_path(target, oid))
    return True


def _present(git_dir: Path, object_ids: Iterable[str]) -> set[str]:
    """Return which of the objects a repository has."""
    asked = set(object_ids)
    if not asked:
        return asked
    answers = ask_git(["cat-file", "--batch-check=%(objectname)"], asked, git_dir)
    return asked & set(answers)  # of one that is not there, git says "… missing"


def _detached_head(git_dir: Path) -> list[str]:
    """Return the object id that HEAD holds where it names no branch."""
    head = (git_dir / "HEAD").read_text(encoding="utf-8", errors="backslashreplace").strip()
    return [head] if _DETACHED.fullmatch(head) else []


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _link(source: Path, target: Path) -> None:
    """Link a file, or a folder file by file; other kinds are left for the archive to refuse."""
    if source.is_dir() and not source.is_symlink():
        target.mkdir(parents=True)
        for path in source.iterdir():
            _link(path, target / path.name)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    link_file(str(source), str(target))


def apply_increment(increment: Path, base: Path) -> None:
    """Make of an unpacked base, with no harm left in it, what its unpacked increment tells of.

    ``increment`` is used up. Raises ProofError where the two do not go together.
    """
    for path in base.iterdir():
        if not (increment / path.name).exists():
            _remove(path)
    for path in sorted(increment.iterdir()):
        if (path / PACK).is_file():
            _apply(path, base / path.name)
        else:
            _remove(base / path.name)
            path.rename(base / path.name)


def _apply(increment: Path, git_dir: Path) -> None:
    if not (git_dir / "objects").is_dir():
        raise ProofError(f"its base holds no repository {git_dir.name}", kind="other content")
    pack = increment / PACK
    try:
        run_git(["index-pack", "--stdin", "--fix-thin"], git_dir=git_dir, stdin=pack)
    except GitError as error:
        raise ProofError(f"{git_dir.name} over its base: {error.message}", kind="damaged objects") from error
    pack.unlink()
    for name in ("refs", "packed-refs"):
        _remove(git_dir / name)
    (git_dir / "refs").mkdir()
    for path in [path for path in increment.rglob("*") if path.is_file()]:
        target = git_dir / path.relative_to(increment)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
