"""Increments through Snakemake, as a user sees them: the preview, the backup, and what looks after it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tests.increments.chain import REPO, Chain, state
from tests.servers.seaweed import REGION, SeaweedServer
from tests.unit.organization import utc_today
from tests.workflow.workspace import Workspace

KEEP_ONE = {"keep_last": 1, "daily_days": 0, "weekly_weeks": 0, "monthly_months": 0, "yearly_years": 0}


def workspace_of(chain: Chain, **backup: Any) -> Workspace:
    """Return the working folder that the chain's backups were made in, for Snakemake."""
    places = {"folder": str(chain.organization.folder), "directory": "backups"}
    config = {
        "backup": {**places, "incremental": {"full_every": 4}, **backup},
        "retention": {"enabled": True, **KEEP_ONE},
    }
    return Workspace(Path.cwd(), config)


def test_the_whole_way(chain: Chain) -> None:
    """Previewed, made, proven, kept with its base by prune, and restored by another machine: an increment."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    chain.organization.push(REPO)
    workspace = workspace_of(chain)

    preview = workspace.run("-n", "backup", "--quiet", "rules")
    assert f"increment on {chain.day(0)}, number 2" in preview.output
    made = workspace.backup()
    assert 0 == made.code, made.output
    verified = workspace.run("--cores", "2", "verify")
    assert 0 == verified.code, verified.output
    pruned = workspace.run("--cores", "1", "prune")
    assert 0 == pruned.code, pruned.output
    assert f"base of {utc_today()}" in pruned.output
    kept = [backup.name.date for backup in chain.catalog()]
    assert [chain.day(0), utc_today()] == kept

    (workspace.path / "elsewhere").mkdir()
    other = Workspace(
        workspace.path / "elsewhere", {"backup": {"directory": str(workspace.path / "backups")}}
    )
    restored = other.run("--cores", "2", "restore")
    assert 0 == restored.code, restored.output
    assert chain.upstream() == state(other.path / "results" / "restored" / REPO / f"{REPO}.git")


def test_what_is_stored_says_what_it_is(chain: Chain) -> None:
    """Receipt and metadata name the base by day and digest; a fresh machine has nothing to do."""
    chain.back_up(0)
    chain.organization.push(REPO)
    workspace = workspace_of(chain)
    assert 0 == workspace.backup().code

    (receipt,) = (workspace.path / "results" / "uploaded").glob(f"*{utc_today():%Y%m%d}*")
    said = json.loads(receipt.read_text())
    found = chain.store.find(f"{REPO}/{REPO}-{chain.day(0):%Y%m%d}.tar.gz")
    assert found is not None
    assert (chain.day(0).isoformat(), found.metadata["sha256"], 1) == (
        *(said["base_date"], said["base_sha256"], said["increment"]),
    )
    receipt.unlink()
    again = workspace.backup()
    assert "up to date        1" in again.output
    assert said == json.loads(receipt.read_text())


def test_a_base_that_is_missing_is_loud(chain: Chain) -> None:
    """``verify`` names the missing base and fails; the next backup is full, and all is well again."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    workspace = workspace_of(chain)
    (workspace.path / "backups" / REPO / f"{REPO}-{chain.day(0):%Y%m%d}.tar.gz").unlink()

    verified = workspace.run("--cores", "2", "verify")

    assert 1 == verified.code
    assert "missing base: its base backups/" in verified.output
    assert "Traceback" not in verified.output
    made = workspace.backup()
    assert 0 == made.code, made.output
    assert chain.catalog().backups[REPO][-1].base is None


@pytest.mark.parametrize("is_off", [True, False])
def test_off_by_default(chain: Chain, is_off: bool) -> None:
    """Without ``backup.incremental``, each backup is full, and the preview has no column for it."""
    chain.back_up(0)
    chain.organization.push(REPO)
    workspace = workspace_of(chain, **({"incremental": None} if is_off else {}))

    preview = workspace.run("-n", "backup", "--quiet", "rules")

    assert is_off == ("kind of backup" not in preview.output)
    assert 0 == workspace.backup().code
    assert [None, None if is_off else chain.day(0)] == [one.base for one in chain.catalog()]


def test_in_a_bucket(chain: Chain, seaweed: SeaweedServer) -> None:
    """The same way with S3: today's increment stands on a full backup that was stored there before."""
    bucket = seaweed.new_bucket()
    s3 = {"bucket": bucket, "region": REGION, "endpoint_url": seaweed.endpoint_url}
    workspace = workspace_of(chain, s3=s3)
    workspace.environment = seaweed.environment()
    client = seaweed.client()
    chain.back_up(0)
    old = f"{chain.day(0):%Y%m%d}"
    for path in Path("backups").rglob(f"*{old}*"):
        if not path.name.endswith(".metadata.json"):
            key = f"backups/{path.relative_to('backups')}"
            described = path.with_name(f"{path.name}.metadata.json")
            metadata = json.loads(described.read_text()) if described.exists() else {}
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), Metadata=metadata)
    chain.organization.push(REPO)

    made = workspace.backup()

    assert 0 == made.code, made.output
    today = f"{REPO}/{REPO}-{dt.datetime.now(dt.UTC):%Y%m%d}"
    listed = {item["Key"] for item in client.list_objects_v2(Bucket=bucket, Prefix="backups/")["Contents"]}
    assert {f"backups/{today}.tar.gz", f"backups/{today}.base-{old}.json"} <= listed
    verified = workspace.run("--cores", "2", "verify")
    assert 0 == verified.code, verified.output
    assert "2 of 2 done" in verified.output
