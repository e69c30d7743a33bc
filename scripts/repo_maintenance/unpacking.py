"""Brings one backup back from the store and checks it: what restoring and verifying have in common."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from repo_maintenance.errors import GitError, ProofError
from repo_maintenance.extraction import disarm, extract, find_repositories
from repo_maintenance.git import digest_refs, list_refs, run_git
from repo_maintenance.increments import apply_increment
from repo_maintenance.lfs import find_missing, find_pointers
from repo_maintenance.manifest import Base, Manifest
from repo_maintenance.naming import MANIFEST, BackupName, object_key, tarball_name
from repo_maintenance.records import Receipt, read_json, receipt_of
from repo_maintenance.stores import Store, StoredObject


@dataclass
class Unpacked:
    """A backup that was brought back and checked."""

    folder: Path
    manifest: Manifest | None
    """None where the tarball was made by other tools."""
    size_bytes: int
    version: str
    """The store's version of the object that was brought back."""
    refs: dict[str, str] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    """What was checked, in words."""
    unchecked: list[str] = field(default_factory=list)
    """What could not be checked, in words, and why."""


def unpack_backup(store: Store, name: BackupName, scratch: Path) -> Unpacked:
    """Download a backup, check its digest, unpack it, and check all that it holds, in ``scratch``.

    Raises ProofError, UnsafeTarballError or GitError where the backup is not what it should be, and
    StoreError where it can't be had.
    """
    key = object_key(name)
    stored = store.find(key)
    if stored is None:
        raise ProofError(f"{store.locate(key)} is missing", kind="missing object")
    receipt = receipt_of(stored)
    tarball = scratch / tarball_name(name)
    store.download(key, tarball)
    found = Unpacked(
        folder=scratch / "unpacked",
        manifest=None,
        size_bytes=tarball.stat().st_size,
        version=stored.version,
    )
    _check_digest(tarball, stored, receipt, found)
    _extract(tarball, found.folder)
    found.checked.append("gzip and tar whole")
    manifest = read_json(found.folder / MANIFEST, Manifest)
    if manifest is not None and manifest.base is not None:
        found.folder = _put_on_base(store, name, manifest.base, found)
    repositories = find_repositories(found.folder)
    git_dir = found.folder / f"{name.repo}.git"
    if git_dir not in repositories:
        raise ProofError(f"the tarball holds no repository {git_dir.name}", kind="other content")
    for repository in repositories:
        disarm(repository)
        _check_objects(repository)
    found.checked.append("git fsck")
    found.refs = list_refs(git_dir)
    _check_manifest(name, git_dir, receipt, found)
    _check_lfs(git_dir, found)
    return found


def _extract(tarball: Path, folder: Path) -> None:
    folder.mkdir()
    extract(tarball, folder)
    tarball.unlink()


def _put_on_base(store: Store, name: BackupName, base: Base, found: Unpacked) -> Path:
    """Bring the full backup that an increment stands on, and put the increment on it; returns its folder.

    Raises ProofError, naming the base, where it is gone, or is not what the increment's manifest says.
    """
    if base.backup_date >= name.date:
        raise ProofError(f"it says that it stands on the later backup of {base.backup_date}", kind="manifest")
    key = object_key(BackupName(name.repo, base.backup_date))
    where = f"its base {store.locate(key)}"
    if store.find(key) is None:
        raise ProofError(f"{where} is missing", kind="missing base")
    tarball = found.folder.with_name("base.tar.gz")
    store.download(key, tarball)
    found.size_bytes += tarball.stat().st_size
    digest = _sha256(tarball)
    if digest != base.sha256:
        raise ProofError(f"the SHA-256 of {where} is {digest}, not {base.sha256}", kind="altered base")
    folder = found.folder.with_name("base")
    _extract(tarball, folder)
    for repository in find_repositories(folder):
        disarm(repository)
    apply_increment(found.folder, folder)
    found.checked.append(f"its base of {base.backup_date} by SHA-256")
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_digest(tarball: Path, stored: StoredObject, receipt: Receipt | None, found: Unpacked) -> None:
    if found.size_bytes != stored.size:
        raise ProofError(f"{stored.size} bytes are stored, but {found.size_bytes} arrived", kind="truncated")
    size_then = stored.metadata.get("size_bytes", str(stored.size))
    if size_then != str(stored.size):
        raise ProofError(f"{size_then} bytes were stored, but {stored.size} are there", kind="truncated")
    if receipt is None:
        found.unchecked.append("digest: none was stored with it")
        return
    digest = _sha256(tarball)
    if digest != receipt.sha256:
        raise ProofError(f"its SHA-256 is {digest}, not {receipt.sha256} as stored", kind="altered")
    found.checked.append("size and SHA-256")


def _check_objects(git_dir: Path) -> None:
    """Have git read every object and follow every link of the history; raises ProofError."""
    try:
        run_git(["fsck", "--full", "--no-dangling", "--no-progress"], git_dir=git_dir)
    except GitError as error:
        raise ProofError(f"{git_dir.name}: {error.message}", kind="damaged objects") from error


def _check_manifest(name: BackupName, git_dir: Path, receipt: Receipt | None, found: Unpacked) -> None:
    """Compare what the manifest says with what was stored with the object, and with what is there."""
    manifest = read_json(found.folder / MANIFEST, Manifest)
    if manifest is None:
        if (found.folder / MANIFEST).exists() or receipt is not None:
            raise ProofError("its manifest is missing or not whole", kind="manifest")
        found.unchecked.append("refs: the tarball has no manifest")
        return
    found.manifest = manifest
    expected = {
        "repository": (name.repo, manifest.repository.rpartition("/")[2]),
        "date": (name.date, manifest.backup_date),
        "refs": (manifest.refs, found.refs),
        "digest of refs": (manifest.refs_digest, digest_refs(found.refs)),
        "HEAD": (manifest.head, _read_head(git_dir)),
    }
    if receipt is not None:
        expected["digest of refs as stored"] = (receipt.refs_digest, manifest.refs_digest)
        expected["base as stored"] = (
            receipt.base_sha256,
            manifest.base.sha256 if manifest.base else "",
        )
        expected["repository id as stored"] = (receipt.repository_id, manifest.repository_id)
    wiki = found.folder / f"{name.repo}.wiki.git"
    if manifest.wiki_refs is not None:
        expected["wiki's refs"] = (manifest.wiki_refs, list_refs(wiki) if wiki.is_dir() else None)
    differing = [subject for subject, (wanted, there) in expected.items() if wanted != there]
    if differing:
        raise ProofError(f"not as its manifest says: {', '.join(differing)}", kind="manifest")
    found.checked.append("refs and HEAD as in the manifest")


def _check_lfs(git_dir: Path, found: Unpacked) -> None:
    pointers = find_pointers(git_dir)
    known = set(found.manifest.lfs_missing) if found.manifest else set()
    missing = [oid for oid in find_missing(git_dir, pointers) if oid not in known]
    if missing and found.manifest is not None and found.manifest.lfs_objects:
        raise ProofError(f"LFS objects are missing or altered: {', '.join(missing)}", kind="LFS objects")
    if pointers and not missing:
        found.checked.append(f"{len(pointers) - len(known)} LFS objects by SHA-256")
    elif missing:
        found.unchecked.append(f"{len(missing)} LFS objects: they were not backed up")


def _read_head(git_dir: Path) -> str:
    return (git_dir / "HEAD").read_text(encoding="utf-8", errors="backslashreplace").strip()
