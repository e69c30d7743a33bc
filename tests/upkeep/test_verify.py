"""Verifying: a backup that is whole is proven, and every way of not being whole is caught by name."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.seaweed import SeaweedServer
from tests.upkeep.organization import NAMES, BackedUp


@pytest.fixture
def own(seaweed: SeaweedServer, tmp_path: Path) -> Iterator[BackedUp]:
    """Return an organisation of one's own, to be damaged at will."""
    organization = BackedUp(seaweed, tmp_path / "organization")
    with organization.github:
        done = organization.workspace.backup()
        assert done.code == 0, done.output
        yield organization


def test_whole_backups_are_proven_once(own: BackedUp, tmp_path: Path) -> None:
    """Each proof stands beside its backup and says what was checked; the next run has nothing to prove."""
    workspace = own.elsewhere(tmp_path / "run")

    done = workspace.run("--cores", "4", "verify")

    assert done.code == 0, done.output
    assert f"verify: {len(NAMES)} of {len(NAMES)} done, 0 failed" in done.output
    (proof_key,) = [key for key in own.keys("with-lfs") if ".proof-" in key]
    proof = json.loads(own.client.get_object(Bucket=own.bucket, Key=proof_key)["Body"].read())
    assert proof["is_good"] is True
    assert proof["checked"][:3] == ["size and SHA-256", "gzip and tar whole", "git fsck"]
    assert "2 LFS objects by SHA-256" in proof["checked"]
    assert proof["seconds"] > 0

    again = workspace.run("--cores", "4", "verify")

    assert again.code == 0
    assert "0 backups to prove" in again.output


Damage = Callable[[BackedUp, str], None]


def _get(own: BackedUp, key: str) -> tuple[bytes, dict[str, str]]:
    answer = own.client.get_object(Bucket=own.bucket, Key=key)
    return answer["Body"].read(), answer["Metadata"]


def _put(own: BackedUp, key: str, content: bytes, metadata: dict[str, str]) -> None:
    own.client.put_object(Bucket=own.bucket, Key=key, Body=content, Metadata=metadata)


def flip_a_bit(own: BackedUp, key: str) -> None:
    """Change one bit in the middle."""
    content, metadata = _get(own, key)
    altered = bytearray(content)
    altered[len(altered) // 2] ^= 1
    _put(own, key, bytes(altered), metadata)


def truncate(own: BackedUp, key: str) -> None:
    """Leave the last hundred bytes out."""
    content, metadata = _get(own, key)
    _put(own, key, content[:-100], metadata)


def swap(own: BackedUp, key: str) -> None:
    """Put another repository's tarball in its place, with that one's own metadata."""
    _put(own, key, *_get(own, own.key("data.sets")))


def edit_the_manifest(own: BackedUp, key: str) -> None:
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
    import hashlib

    altered = target.getvalue()
    metadata |= {"sha256": hashlib.sha256(altered).hexdigest(), "size_bytes": str(len(altered))}
    _put(own, key, altered, metadata)


def cut_inside_gzip(own: BackedUp, key: str) -> None:
    """Store half a tarball with metadata that fit it."""
    import hashlib

    content, metadata = _get(own, key)
    half = gzip.compress(gzip.decompress(content))[: len(content) // 2]
    metadata |= {"sha256": hashlib.sha256(half).hexdigest(), "size_bytes": str(len(half))}
    _put(own, key, half, metadata)


@pytest.mark.parametrize(
    ("damage", "called"),
    [
        (flip_a_bit, "altered: its SHA-256 is "),
        (truncate, "truncated: "),
        (swap, "other content: the tarball holds no repository lecture.git"),
        (edit_the_manifest, "manifest: not as its manifest says: refs"),
        (cut_inside_gzip, "damaged: "),
    ],
)
def test_damage_is_caught_by_name(own: BackedUp, tmp_path: Path, damage: Damage, called: str) -> None:
    """A damaged backup fails its proof, is named with what is wrong, is marked bad, and is made anew."""
    damage(own, own.key("lecture"))
    workspace = own.elsewhere(tmp_path / "run")

    done = workspace.run("--cores", "4", "verify")

    assert done.code == 1
    assert "FAILED lecture-" in done.output
    assert called in done.output
    assert "Traceback" not in done.output
    assert len([key for key in own.keys("lecture") if key.endswith(".bad.json")]) == 1

    healed = own.workspace.backup()

    assert healed.code == 0, healed.output
    assert healed.made == ["lecture"]
    assert workspace.run("--cores", "4", "verify").code == 0


def test_a_missing_object_is_caught_by_name(own: BackedUp, tmp_path: Path) -> None:
    """A backup that was proven once and is gone fails the next verification, by name."""
    workspace = own.elsewhere(tmp_path / "run")
    assert workspace.run("--cores", "4", "verify").code == 0
    key = own.key("lecture")
    own.client.delete_object(Bucket=own.bucket, Key=key)

    done = workspace.run("--cores", "4", "verify")

    assert done.code == 1
    assert f"MISSING {key.removeprefix('backups/')}: it was stored once" in done.output
    assert "missing object: " in done.output


def test_the_budget_bounds_a_run_and_every_backup_gets_its_turn(own: BackedUp, tmp_path: Path) -> None:
    """With a budget of 1 MB, the small ones are proven; what is left comes first in the next run."""
    workspace = own.elsewhere(tmp_path / "run", verify={"budget_mb": 1})
    proven: set[str] = set()
    for _run in range(len(NAMES)):
        done = workspace.run("--cores", "4", "verify")
        assert done.code == 0, done.output
        proven = {name for name in NAMES if any(".proof-" in key for key in own.keys(name))}
        if proven == set(NAMES):
            break
    assert set(NAMES) == proven
