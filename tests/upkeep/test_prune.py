"""Pruning a real bucket: what the policy lets go goes, and nothing else, under any circumstances."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.github import Account, FakeGitHub
from tests.servers.seaweed import SeaweedServer
from tests.workflow.workspace import Workspace

TODAY = dt.datetime.now(dt.UTC).date()
NAMES = [f"lecture-{number}" for number in range(12)]
NO_PERIODS = {"daily_days": 0, "weekly_weeks": 0, "monthly_months": 0, "yearly_years": 0}
RETENTION = {"enabled": True, "keep_last": 2, **NO_PERIODS}


class Store:
    """A bucket with backups of many days."""

    def __init__(self, seaweed: SeaweedServer, github: FakeGitHub, folder: Path, **bucket: Any) -> None:
        self.client = seaweed.client()
        self.bucket = seaweed.new_bucket(**bucket)
        self.environment = {**seaweed.environment(), "GITHUB_TOKEN": "test-token"}
        self.endpoint_url = seaweed.endpoint_url
        self.github = github
        self.folder = folder
        for name in NAMES:
            for age in (0, 7, 14, 21):
                self.put(f"{name}/{name}-{TODAY - dt.timedelta(days=age):%Y%m%d}.tar.gz")

    def put(self, key: str) -> None:
        """Store a small object."""
        self.client.put_object(Bucket=self.bucket, Key=f"backups/{key}", Body=key.encode())

    def listing(self) -> list[str]:
        """Return all keys below the prefix, sorted, without the records of runs."""
        answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix="backups/")
        keys = [item["Key"].removeprefix("backups/") for item in answer.get("Contents", ())]
        return sorted(key for key in keys if not key.startswith(".history/"))

    def workspace(self, **retention: Any) -> Workspace:
        """Return a folder to prune from."""
        s3 = {"bucket": self.bucket, "region": "us-east-1", "endpoint_url": self.endpoint_url}
        backup = {"organization": "acme", "github": {"api_url": self.github.api_url}, "s3": s3}
        config = {"backup": backup, "retention": {**RETENTION, **retention}}
        return Workspace(self.folder, config, self.environment)


@pytest.fixture
def store(seaweed: SeaweedServer, tmp_path: Path) -> Iterator[Store]:
    """Return four backups of each of twelve repositories."""
    with FakeGitHub(tmp_path / "github", tokens={"test-token": Account("robot")}) as github:
        for name in NAMES:
            github.add_repository("acme", name)
        yield Store(seaweed, github, tmp_path / "workspace")


def backup_key(name: str, age: int) -> str:
    """Return the key of a backup so many days old."""
    return f"{name}/{name}-{TODAY - dt.timedelta(days=age):%Y%m%d}.tar.gz"


def test_the_preview_shows_reasons_and_bytes_and_deletes_nothing(store: Store) -> None:
    """``snakemake -n prune`` shows each backup with its verdict."""
    before = store.listing()

    preview = store.workspace().run("-n", "prune")

    assert preview.code == 0, preview.output
    assert len(NAMES) * 2 == preview.output.count("no rule keeps it")
    assert f"{len(NAMES) * 4} backups: {len(NAMES) * 2} to delete, " in preview.output
    assert before == store.listing()


def test_what_the_policy_lets_go_goes(store: Store) -> None:
    """The last two of each stay; a proof goes with its backup; names that are not ours stay."""
    foreign = ["keys.txt", *(f"lecture-0/{name}" for name in ("notes.txt", "a-20200101.tar.gz", "b.tar.gz"))]
    for key in foreign:
        store.put(key)
    old = TODAY - dt.timedelta(days=21)
    store.put(f"lecture-1/lecture-1-{old:%Y%m%d}.proof-{TODAY:%Y%m%d}.bad.json")
    good = f"lecture-1/lecture-1-{TODAY:%Y%m%d}.proof-{TODAY:%Y%m%d}.good.json"
    store.put(good)

    done = store.workspace().run("--cores", "1", "prune")

    assert done.code == 0, done.output
    expected = [backup_key(name, age) for name in NAMES for age in (0, 7)]
    assert sorted([*expected, *foreign, good]) == store.listing()
    assert "deleted " in done.output


def test_what_was_pruned_is_not_missed(tmp_path: Path) -> None:
    """A verify in the folder of the prune does not report as lost what went on purpose."""
    workspace = Workspace(tmp_path / "workspace", {"retention": {**RETENTION, "keep_last": 1}}, {})
    assert workspace.backup().code == 0
    stored = workspace.path / "backups" / "data_tools"
    receipts = workspace.path / "results" / "uploaded"
    for file in (*stored.glob("*"), *receipts.glob("data_tools-*")):
        shutil.copy(file, file.with_name(file.name.replace(f"{TODAY:%Y%m%d}", "20240506")))

    pruned = workspace.run("--cores", "1", "prune")
    verified = workspace.run("--cores", "2", "verify")

    assert "deleted 1 backups" in pruned.output
    assert "MISSING" not in verified.output
    assert verified.code == 0, verified.output


def test_off_until_enabled(store: Store) -> None:
    """Without ``retention.enabled`` nothing is deleted, and that is said."""
    before = store.listing()
    done = store.workspace(enabled=False).run("--cores", "1", "prune")
    assert done.code == 0
    assert "Nothing is deleted: retention.enabled is false" in done.output
    assert before == store.listing()


def test_a_proven_old_one_outlives_untried_new_ones(store: Store) -> None:
    """The newest proven backup stays, whatever the policy says of its age."""
    old = TODAY - dt.timedelta(days=21)
    store.put(f"lecture-3/lecture-3-{old:%Y%m%d}.proof-{TODAY:%Y%m%d}.good.json")
    assert store.workspace().run("--cores", "1", "prune").code == 0
    assert backup_key("lecture-3", 21) in store.listing()
    assert backup_key("lecture-4", 21) not in store.listing()


def test_a_vanished_repository_keeps_its_last_ones(store: Store) -> None:
    """One of twelve that is gone upstream loses nothing that its last days kept."""
    store.github.remove("acme", "lecture-5")
    done = store.workspace().run("--cores", "1", "prune")
    assert done.code == 0
    assert "no longer listed, so they keep their last ones: lecture-5" in done.output
    assert {backup_key("lecture-5", 0), backup_key("lecture-5", 7)} <= set(store.listing())


def test_a_shrunken_listing_stops_everything(store: Store) -> None:
    """Where more than a tenth of the repositories is no longer listed, nothing is deleted at all."""
    for name in NAMES[:2]:
        store.github.remove("acme", name)
    before = store.listing()
    done = store.workspace().run("--cores", "1", "prune")
    assert done.code == 0
    assert "Nothing is deleted: 2 of 12 stored repositories are no longer listed" in done.output
    assert before == store.listing()


def test_a_listing_that_fails_stops_everything(store: Store) -> None:
    """Without GitHub's list nothing is deleted, and the run fails with one line."""
    before = store.listing()
    store.github.revoke_token("test-token")
    done = store.workspace().run("--cores", "1", "prune")
    assert done.code == 1
    assert "401 Bad credentials" in done.output
    assert "Traceback" not in done.output
    assert before == store.listing()


def test_what_is_locked_stays_and_is_no_error(seaweed: SeaweedServer, tmp_path: Path) -> None:
    """In a bucket with versions and object lock, ``prune`` says that versions stay, and a locked one does."""
    with FakeGitHub(tmp_path / "github", tokens={"test-token": Account("robot")}) as github:
        for name in NAMES:
            github.add_repository("acme", name)
        store = Store(seaweed, github, tmp_path / "workspace", ObjectLockEnabledForBucket=True)
        key = f"backups/{backup_key('lecture-3', 21)}"
        until = dt.datetime.now(dt.UTC) + dt.timedelta(days=7)
        locked = store.client.put_object(
            Bucket=store.bucket,
            Key=key,
            Body=b"locked",
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=until,
        )

        done = store.workspace().run("--cores", "1", "prune")

        assert done.code == 0, done.output
        assert "the bucket keeps versions: what was deleted takes room" in done.output
        assert backup_key("lecture-4", 21) not in store.listing()
        kept = store.client.get_object(Bucket=store.bucket, Key=key, VersionId=locked["VersionId"])
        assert kept["Body"].read() == b"locked"
