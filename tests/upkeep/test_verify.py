"""Verifying: a backup that is whole is proven, and every way of not being whole is caught by name."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repo_maintenance.catalog import Catalog, read_catalog
from repo_maintenance.errors import StoreError
from repo_maintenance.naming import BackupName, object_key, parse_object_key
from repo_maintenance.settings import S3Settings, VerifySettings
from repo_maintenance.stores import StoredObject
from repo_maintenance.stores.s3 import S3Store
from repo_maintenance.verify import find_missing_backups, plan_verify, prove
from tests.servers.seaweed import SeaweedServer
from tests.upkeep.organization import NAMES, BackedUp

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


NOW = dt.datetime.now(dt.UTC)


class Copied:
    """A bucket that may be damaged: a copy of the backed-up one."""

    def __init__(self, client: S3Client, bucket: str, seaweed: SeaweedServer) -> None:
        self.client = client
        self.bucket = bucket
        self.store = S3Store(client, S3Settings(bucket=bucket, endpoint_url=seaweed.endpoint_url))

    def key(self, repo: str) -> str:
        """Return the key of a repository's one backup."""
        answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=f"backups/{repo}/")
        (found,) = [item["Key"] for item in answer["Contents"] if item["Key"].endswith(".tar.gz")]
        return found

    def name(self, repo: str) -> BackupName:
        """Return what names a repository's one backup."""
        name = parse_object_key(self.key(repo).removeprefix("backups/"))
        assert name is not None
        return name


@pytest.fixture
def own(backed_up: BackedUp, seaweed: SeaweedServer) -> Copied:
    """Return a copy of the backed-up bucket, to be damaged at will."""
    bucket = seaweed.new_bucket()
    for name in ("lecture", "data.sets"):
        key = backed_up.key(name)
        backed_up.client.copy_object(
            Bucket=bucket, Key=key, CopySource={"Bucket": backed_up.bucket, "Key": key}
        )
    return Copied(backed_up.client, bucket, seaweed)


def test_whole_backups_are_proven_once(backed_up: BackedUp, tmp_path: Path) -> None:
    """Each proof stands beside its backup and says what was checked; the next run has nothing to prove."""
    workspace = backed_up.elsewhere(tmp_path / "run")

    done = workspace.run("--cores", "4", "verify")

    assert done.code == 0, done.output
    assert f"verify: {len(NAMES)} of {len(NAMES)} done, 0 failed" in done.output
    (proof_key,) = [key for key in backed_up.keys("with-lfs") if ".proof-" in key]
    proof = json.loads(backed_up.client.get_object(Bucket=backed_up.bucket, Key=proof_key)["Body"].read())
    assert proof["is_good"] is True
    assert proof["checked"][:3] == ["size and SHA-256", "gzip and tar whole", "git fsck"]
    assert "2 LFS objects by SHA-256" in proof["checked"]
    assert proof["seconds"] > 0

    again = workspace.run("--cores", "4", "verify")

    assert again.code == 0
    assert "0 backups to prove" in again.output


Damage = Callable[[Copied, str], None]


def _get(own: Copied, key: str) -> tuple[bytes, dict[str, str]]:
    answer = own.client.get_object(Bucket=own.bucket, Key=key)
    return answer["Body"].read(), answer["Metadata"]


def _put(own: Copied, key: str, content: bytes, metadata: dict[str, str]) -> None:
    own.client.put_object(Bucket=own.bucket, Key=key, Body=content, Metadata=metadata)


def flip_a_bit(own: Copied, key: str) -> None:
    """Change one bit in the middle."""
    content, metadata = _get(own, key)
    altered = bytearray(content)
    altered[len(altered) // 2] ^= 1
    _put(own, key, bytes(altered), metadata)


def truncate(own: Copied, key: str) -> None:
    """Leave the last hundred bytes out."""
    content, metadata = _get(own, key)
    _put(own, key, content[:-100], metadata)


def swap(own: Copied, key: str) -> None:
    """Put another repository's tarball in its place, with that one's own metadata."""
    _put(own, key, *_get(own, own.key("data.sets")))


def edit_the_manifest(own: Copied, key: str) -> None:
    """Rewrite one ref in the manifest, and make size and digest fit again, as an attacker would."""
    content, metadata = _get(own, key)
    target = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=target, mode="w:gz") as new:
        for entry in old:
            stream = old.extractfile(entry) if entry.isfile() else None
            body = stream.read() if stream else b""
            if entry.name == "manifest.json":
                manifest: dict[str, Any] = json.loads(body)
                manifest["refs"]["refs/heads/main"] = "0" * 40
                body = json.dumps(manifest).encode()
                entry.size = len(body)
            new.addfile(entry, io.BytesIO(body))
    altered = target.getvalue()
    metadata |= {"sha256": hashlib.sha256(altered).hexdigest(), "size_bytes": str(len(altered))}
    _put(own, key, altered, metadata)


def cut_inside_gzip(own: Copied, key: str) -> None:
    """Store half a tarball with metadata that fit it."""
    content, metadata = _get(own, key)
    half = gzip.compress(gzip.decompress(content))[: len(content) // 2]
    metadata |= {"sha256": hashlib.sha256(half).hexdigest(), "size_bytes": str(len(half))}
    _put(own, key, half, metadata)


@pytest.mark.parametrize(
    ("damage", "kind", "problem"),
    [
        (flip_a_bit, "altered", "its SHA-256 is "),
        (truncate, "truncated", "bytes were stored, but "),
        (swap, "other content", "the tarball holds no repository lecture.git"),
        (edit_the_manifest, "manifest", "not as its manifest says: refs"),
        (cut_inside_gzip, "damaged", "is not a whole tarball"),
    ],
)
def test_damage_is_caught_by_name(
    own: Copied, tmp_path: Path, damage: Damage, kind: str, problem: str
) -> None:
    """Each way in which a stored backup can be other than it was is told from the others."""
    key = own.key("lecture")
    assert prove(own.store, own.name("lecture"), tmp_path, clock=NOW).is_good
    damage(own, key)

    proof = prove(own.store, own.name("lecture"), tmp_path, clock=NOW)

    assert (False, kind) == (proof.is_good, proof.kind)
    assert problem in str(proof.problem)
    assert [] == list(tmp_path.iterdir())


def test_a_bad_backup_is_loud_and_made_anew(seaweed: SeaweedServer, tmp_path: Path) -> None:
    """A failed proof is named, fails the run, marks the backup bad, and makes a new one due."""
    organization = BackedUp(seaweed, tmp_path / "organization")
    with organization.github:
        assert organization.workspace.backup().code == 0
        copied = Copied(organization.client, organization.bucket, seaweed)
        flip_a_bit(copied, copied.key("lecture"))
        workspace = organization.elsewhere(tmp_path / "run")

        done = workspace.run("--cores", "4", "verify")

        assert done.code == 1
        assert "FAILED lecture-" in done.output
        assert "(verify): altered: its SHA-256 is " in done.output
        assert "Traceback" not in done.output
        assert 1 == len([key for key in organization.keys("lecture") if key.endswith(".bad.json")])

        healed = organization.workspace.backup()

        assert healed.code == 0, healed.output
        assert ["lecture"] == healed.made
        assert workspace.run("--cores", "4", "verify").code == 0


def test_a_missing_object_is_caught_by_name(own: Copied, tmp_path: Path) -> None:
    """A backup that was proven once and is gone is found missing, and fails its next proof by name."""
    name = own.name("lecture")
    assert prove(own.store, name, tmp_path, clock=NOW).is_good
    own.client.delete_object(Bucket=own.bucket, Key=own.key("lecture"))

    assert [name] == find_missing_backups(read_catalog(own.store.list_objects()), [])
    proof = prove(own.store, name, tmp_path, clock=NOW)

    assert (False, "missing object") == (proof.is_good, proof.kind)


@pytest.mark.parametrize("is_deleted", [True, False])
def test_what_changes_while_it_is_tried_is_not_judged(own: Copied, tmp_path: Path, is_deleted: bool) -> None:
    """A backup that another run replaces or deletes meanwhile gets no proof of the content before."""
    name = own.name("lecture")

    class Busy(S3Store):
        """A bucket in which another run works."""

        def download(self, key: str, target: Path) -> None:
            super().download(key, target)
            if is_deleted:
                own.client.delete_object(Bucket=own.bucket, Key=own.key("lecture"))
            else:
                own.client.put_object(Bucket=own.bucket, Key=own.key("lecture"), Body=b"other content")

    with pytest.raises(StoreError, match="replaced or deleted while it was tried"):
        prove(Busy(own.client, own.store._settings), name, tmp_path, clock=NOW)

    assert {} == read_catalog(own.store.list_objects()).proofs


def test_a_store_that_does_not_answer_proves_nothing(
    own: Copied, seaweed: SeaweedServer, tmp_path: Path
) -> None:
    """Where a backup can't be had, it is not called bad: nothing is concluded."""
    client = seaweed.client("http://127.0.0.1:9", retries={"total_max_attempts": 1})
    with pytest.raises(StoreError):
        prove(S3Store(client, S3Settings(bucket=own.bucket)), own.name("lecture"), tmp_path, clock=NOW)


def _catalog(sizes: dict[str, int]) -> Catalog:
    """Return a catalog of untried backups, one a repository, of these sizes in MB."""
    day = dt.date(2026, 1, 1)
    objects = [
        StoredObject(object_key(BackupName(name, day)), size * 1_000_000, "1", NOW)
        for name, size in sizes.items()
    ]
    return read_catalog(objects)


def test_the_budget_bounds_a_run_and_every_backup_gets_its_turn() -> None:
    """What fits is taken, oldest proof first; one that is larger than the budget is taken alone."""
    catalog = _catalog({"a": 40, "b": 300, "c": 50, "d": 20})
    settings = VerifySettings(budget_mb=100)

    first = [one.name.repo for one in plan_verify(catalog, settings, today=NOW.date())]
    alone = plan_verify(_catalog({"b": 300}), settings, today=NOW.date())

    assert ["a", "c"] == first
    assert ["b"] == [one.name.repo for one in alone]
