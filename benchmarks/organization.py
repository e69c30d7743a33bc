"""An organisation whose backups are stored already: repositories without a commit, and small objects in S3.

What is measured with it neither clones nor reads a tarball, so there need be none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks.serve import OWNER, TOKEN
from benchmarks.servers import Site
from repo_maintenance.naming import BackupName, object_key
from tests.servers.repositories import make_empty
from tests.servers.seaweed import REGION, SeaweedServer

PREFIX = "backups/"
PUTS_AT_ONCE = 16
TIMEOUT_SECONDS = 60
CONTENT = b"x"
DIGEST = "0" * 64


@dataclass(frozen=True)
class Listed:
    """What GitHub says of a repository, as far as its backups need it."""

    id: str
    name: str
    pushed_at: dt.datetime


def make_empties(folder: Path, count: int) -> None:
    """Make `FOLDER/repository-00001.git` and so on, without a commit."""
    for number in range(1, count + 1):
        make_empty(folder / f"repository-{number:05}.git")


def list_upstream(site: Site) -> list[Listed]:
    """Return what the fake GitHub shows, by its API."""
    url: str | None = f"{site.api_url}/orgs/{OWNER}/repos?per_page=100"
    listed = []
    while url is not None:
        answer = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        for one in answer.json():
            pushed_at = dt.datetime.fromisoformat(one["pushed_at"])
            listed.append(Listed(str(one["id"]), one["name"], pushed_at))
        url = answer.links.get("next", {}).get("url")
    return listed


def s3_settings(bucket: str, endpoint_url: str) -> dict[str, Any]:
    """Return the keys below `backup` that send the workflow to a bucket."""
    return {"s3": {"bucket": bucket, "region": REGION, "prefix": PREFIX, "endpoint_url": endpoint_url}}


def store_backups(
    server: SeaweedServer, bucket: str, listed: Iterable[Listed], *, backups: int = 1, is_stale: bool = False
) -> int:
    """Store one backup a week of each repository, the newest of yesterday, as the workflow would name them.

    Each holds one byte, and the metadata of a real one. The newest holds the last push, or, where `is_stale`,
    an earlier one. Returns how many objects there are.
    """
    client = server.client(max_pool_connections=PUTS_AT_ONCE)
    newest = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)

    def put(one: tuple[str, Mapping[str, str]]) -> None:
        key, metadata = one
        client.put_object(Bucket=bucket, Key=PREFIX + key, Body=CONTENT, Metadata=dict(metadata))

    every = list(_objects(listed, newest, backups, dt.timedelta(hours=is_stale)))
    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        list(pool.map(put, every))
    return len(every)


def _objects(
    listed: Iterable[Listed], newest: dt.date, backups: int, late: dt.timedelta
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield keys below the prefix, each with its metadata."""
    for repository in listed:
        for week in range(backups):
            name = BackupName(repository.name, newest - dt.timedelta(weeks=week))
            pushed_at = repository.pushed_at - late - dt.timedelta(weeks=week)
            yield (
                object_key(name),
                {
                    "repository": f"{OWNER}/{repository.name}",
                    "repository_id": repository.id,
                    "backup_date": name.date.isoformat(),
                    "default_branch": "main",
                    "size_bytes": str(len(CONTENT)),
                    "pushed_at": pushed_at.isoformat(),
                    "sha256": DIGEST,
                    "md5": DIGEST[:32],
                    "refs_digest": DIGEST,
                    "ref_count": "1",
                },
            )
