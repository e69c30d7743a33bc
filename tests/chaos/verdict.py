"""Says what is wrong after a chaos run: with the bucket, with the receipts, with the working folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.world import PREFIX, World
from tests.machine.places import left_overs
from tests.servers.lfs_store import object_path
from tests.servers.repositories import git_environment, refs

REQUIRED = (
    "repository",
    "repository_id",
    "backup_date",
    "pushed_at",
    "sha256",
    "md5",
    "refs_digest",
    "size_bytes",
)


@dataclass(frozen=True)
class Known:
    """An object as it was found whole."""

    etag: str
    sha256: str
    size: int


class Bucket:
    """What is known of the bucket: objects that were found whole are read again only when they change."""

    def __init__(self, world: World, earlier: list[str]) -> None:
        """Look at the backups of an earlier day, which nothing may change."""
        self._world = world
        self._known: dict[str, Known] = {}
        problems = list(self.find_problems())
        assert not problems, problems
        self._earlier = {key: self._known[key] for key in earlier}

    def find_problems(self) -> Iterator[str]:
        """Yield what is wrong with the objects that are in the bucket now."""
        keys = self._world.list_keys()
        for key in keys:
            yield from self._check(key)
        for key, known in getattr(self, "_earlier", {}).items():
            if self._known.get(key) != known or key not in keys:
                yield f"{key}, of an earlier day, was changed or deleted"

    def newest(self) -> dict[str, str]:
        """Return the key of each repository's newest backup."""
        return {key.split("/")[-2]: key for key in self._world.list_keys()}

    def known(self, key: str) -> Known | None:
        """Return what was found under a key."""
        return self._known.get(key)

    def download(self, key: str, target: Path) -> None:
        """Write an object to a file."""
        self._world.client.download_file(self._world.bucket, key, str(target))

    def _check(self, key: str) -> Iterator[str]:
        """Read an object that is new, and compare it with what its metadata say."""
        world = self._world
        head = world.client.head_object(Bucket=world.bucket, Key=key)
        known = self._known.get(key)
        if known is not None and known.etag == head["ETag"]:
            return
        body = world.client.get_object(Bucket=world.bucket, Key=key)["Body"].read()
        digest = hashlib.sha256(body).hexdigest()
        self._known[key] = Known(head["ETag"], digest, len(body))
        metadata = head["Metadata"]
        if missing := [name for name in REQUIRED if name not in metadata]:
            yield f"{key} has no {', '.join(missing)} in its metadata"
            return
        if digest != metadata["sha256"]:
            yield f"{key} has another SHA-256 than its metadata say"
        if str(len(body)) != metadata["size_bytes"]:
            yield f"{key} has another size than its metadata say"
        if metadata["backup_date"].replace("-", "") not in key:
            yield f"{key} is of another day than its metadata say"


def find_problems(world: World, bucket: Bucket) -> Iterator[str]:
    """Yield what is wrong once a calm run has ended."""
    yield from bucket.find_problems()
    newest = bucket.newest()
    for name in world.names:
        if name not in newest:
            yield f"{name} has no backup"
        else:
            yield from _check_restore(world, bucket, name, newest[name])
    yield from _check_receipts(world, bucket, newest)
    yield from (f"left over: {path}" for path in left_overs(world.workspace))
    if not (world.workspace.path / "results" / "summary.json").exists():
        yield "there is no summary"
        return
    summary = world.workspace.summary()
    if not summary["ok"] or summary["total"] != len(world.names):
        yield f"the summary says ok={summary['ok']}, {summary['total']} repositories"


def _check_restore(world: World, bucket: Bucket, name: str, key: str) -> Iterator[str]:
    """Restore a backup by tar and git, and compare it with upstream."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bucket.download(key, folder / "backup.tar.gz")
        with tarfile.open(folder / "backup.tar.gz") as tar:
            tar.extractall(folder, filter="data")
        upstream = world.path(name)
        pairs = {f"{name}.git": upstream}
        wiki = upstream.with_name(f"{name}.wiki.git")
        if wiki.exists():
            pairs[wiki.name] = wiki
        for inside, source in pairs.items():
            mirror = folder / inside
            if not mirror.is_dir():
                yield f"{key} lacks {inside}"
                continue
            check = ["git", f"--git-dir={mirror}", "fsck", "--full"]
            done = subprocess.run(check, env=git_environment(), capture_output=True, check=False)
            if done.returncode:
                yield f"{key}: git fsck of {inside}: {done.stderr.decode(errors='replace')}"
            elif refs(mirror) != refs(source):
                yield f"{key}: {inside} has other refs than upstream"
        for kept in (path for path in (upstream / "lfs").rglob("*") if path.is_file()):
            inside_lfs = object_path(folder / f"{name}.git", kept.name)
            if not inside_lfs.is_file() or inside_lfs.read_bytes() != kept.read_bytes():
                yield f"{key} lacks the LFS object {kept.name}"


def _check_receipts(world: World, bucket: Bucket, newest: dict[str, str]) -> Iterator[str]:
    """Compare the receipts with the bucket, both ways."""
    receipts = {}
    for path in sorted(world.workspace.path.glob("results/uploaded/*")):
        try:
            receipt = json.loads(path.read_bytes())
            receipts[PREFIX + receipt["key"]] = receipt
        except (ValueError, KeyError):
            yield f"the receipt {path.name} can't be read"
    for key, receipt in receipts.items():
        known = bucket.known(key)
        if known is None or key not in world.list_keys():
            yield f"the receipt of {key} has no object"
        elif (receipt["version"], receipt["size_bytes"], receipt["sha256"]) != (
            known.etag,
            known.size,
            known.sha256,
        ):
            yield f"the receipt of {key} tells of another object"
    yield from (f"{name} has a backup and no receipt" for name, key in newest.items() if key not in receipts)
