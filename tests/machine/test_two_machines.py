"""Two machines that back the same repositories up into one bucket at the same time."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from repo_maintenance.errors import StoreError
from repo_maintenance.settings import S3Settings
from repo_maintenance.stores import Digests
from repo_maintenance.stores.s3 import S3Store
from tests.machine.places import from_folder, into_bucket, make_source, stored_objects, upstream_refs
from tests.machine.running import Running
from tests.servers.repositories import make_repository
from tests.servers.seaweed import REGION, SeaweedServer

NAMES = tuple(f"repository-{number}" for number in range(5))
LARGE_BYTES = 66 << 20  # stored in parts
KEY = "one/one-20260101.tar.gz"


def test_two_machines_started_together_do_no_harm(tmp_path: Path, seaweed: SeaweedServer) -> None:
    """Both runs succeed, each object holds upstream's refs whole, and neither has anything left to do."""
    source = make_source(tmp_path / "source", NAMES)
    make_repository(source / "large.git", size_bytes=LARGE_BYTES)
    bucket = seaweed.new_bucket()
    places = [from_folder(tmp_path / name, source) for name in ("first", "second")]
    first, second = (into_bucket(place, seaweed, bucket) for place in places)

    with Running(first) as one:
        one.wait_for_text("6 to back up")
        one.signal(signal.SIGSTOP)  # until the other has found an empty bucket, too, and goes for everything
        with Running(second) as other:
            other.wait_for_text("6 to back up")
            one.signal(signal.SIGCONT)
            codes = {name: run.wait() for name, run in (("first", one), ("second", other))}
            outputs = one.output() + other.output()
    again = first.backup()

    assert {"first": 0, "second": 0} == codes, outputs
    stored = stored_objects(seaweed, bucket, tmp_path)
    assert upstream_refs(source) == {name: item.refs for name, item in stored.items()}
    assert {name: item.sha256 for name, item in stored.items()} == {
        name: item.metadata["sha256"] for name, item in stored.items()
    }
    assert again.code == 0, again.output
    assert "Nothing to be done" in again.output


def test_what_another_machine_stores_between_upload_and_check_stays(
    tmp_path: Path, seaweed: SeaweedServer
) -> None:
    """Where another run replaces the object before this one has checked its own, the other's stays."""
    bucket = seaweed.new_bucket()
    settings = S3Settings(bucket=bucket, region=REGION, endpoint_url=seaweed.endpoint_url)
    theirs = S3Store(seaweed.client(), settings)
    client = seaweed.client()
    ours = S3Store(client, settings)
    our_file, our_digests = tarball(tmp_path / "ours")
    their_file, their_digests = tarball(tmp_path / "theirs")

    def be_faster(**_: Any) -> None:
        client.meta.events.unregister("before-call.s3.HeadObject", be_faster)
        mine = theirs.find(KEY)
        assert mine is not None
        theirs.put(KEY, their_file, their_digests, described(their_digests), replaces=mine.version)

    client.meta.events.register("before-call.s3.HeadObject", be_faster)
    with pytest.raises(StoreError):
        ours.put(KEY, our_file, our_digests, described(our_digests), replaces=None)

    kept = theirs.find(KEY)
    assert kept is not None, "the other machine's backup was deleted"
    assert their_digests.sha256 == kept.metadata["sha256"]


def tarball(path: Path) -> tuple[Path, Digests]:
    """Write a file of a name's own content; returns it with its digests."""
    content = path.name.encode() * 1000
    path.write_bytes(content)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return path, Digests(len(content), md5, hashlib.sha256(content).hexdigest())


def described(digests: Digests) -> Mapping[str, str]:
    """Return the metadata that tell a content from another."""
    return {"sha256": digests.sha256}
