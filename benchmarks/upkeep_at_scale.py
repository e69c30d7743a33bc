"""Times the plans of ``prune`` and ``verify`` over many stored backups on a real S3 server.

``.venv/bin/python -m benchmarks.upkeep_at_scale --repositories 1000 --backups 100``
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from repo_maintenance.catalog import read_catalog
from repo_maintenance.prune import plan_prune
from repo_maintenance.settings import RetentionSettings, S3Settings, VerifySettings
from repo_maintenance.stores.s3 import S3Store
from repo_maintenance.verify import plan_verify
from tests.servers.seaweed import SeaweedServer

TODAY = dt.datetime.now(dt.UTC).date()
UPLOADS_AT_ONCE = 16


def fill(server: SeaweedServer, bucket: str, repositories: int, backups: int) -> int:
    """Store small objects named as backups, one a week, half of them with a proof; returns how many."""
    client = server.client(max_pool_connections=UPLOADS_AT_ONCE)
    keys = []
    for number in range(repositories):
        name = f"repository-{number:05d}"
        for week in range(backups):
            stem = f"backups/{name}/{name}-{TODAY - dt.timedelta(weeks=week):%Y%m%d}"
            keys.append(f"{stem}.tar.gz")
            if week % 2:
                keys.append(f"{stem}.proof-{TODAY:%Y%m%d}.good.json")

    def put(key: str) -> None:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")

    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        list(pool.map(put, keys))
    return len(keys)


def timed(label: str, work: Callable[[], Any]) -> tuple[str, float, Any]:
    """Return a label, the seconds that some work took, and its result."""
    started = time.monotonic()
    result = work()
    return label, time.monotonic() - started, result


def main() -> None:
    """Fill a store, then list it and plan over it; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--backups", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, SeaweedServer(Path(folder)) as server:
        bucket = server.new_bucket()
        label, seconds, objects = timed(
            "fill (not part of the figure)",
            lambda: fill(server, bucket, arguments.repositories, arguments.backups),
        )
        print(f"{label}: {objects} objects in {seconds:.0f} s")
        requests: list[str] = []
        client = server.client()
        client.meta.events.register("before-send.s3", lambda request, **_rest: requests.append(request.url))
        store = S3Store(client, S3Settings(bucket=bucket, endpoint_url=server.endpoint_url))
        names = [f"repository-{number:05d}" for number in range(arguments.repositories)]
        listing = timed("one listing", lambda: read_catalog(store.list_objects()))
        catalog = listing[2]
        policy = RetentionSettings(enabled=True)
        steps = [
            listing,
            timed("plan of prune", lambda: plan_prune(catalog, names, policy, today=TODAY)),
            timed("plan of verify", lambda: plan_verify(catalog, VerifySettings(), today=TODAY)),
        ]
        print("| step | seconds |\n|---|---:|")
        for label, seconds, _result in steps:
            print(f"| {label} | {seconds:.1f} |")
        pages = -(-objects // 1000)
        print(f"{len(requests)} requests for {objects} objects; {pages} pages of a thousand")


if __name__ == "__main__":
    main()
