"""Times a run that finds in a large store that all is up to date, with and without receipts on this machine.

.venv/bin/python -m benchmarks.resolve --repositories 1000 --backups 50
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import snakemake_start
from benchmarks.harness import Measurement, median_of, run_interleaved
from benchmarks.organization import list_upstream, make_empties, s3_settings, store_backups
from benchmarks.servers import serve_github
from benchmarks.suite import Found, folder_maker, options_of, say, show
from benchmarks.tables import Goal
from benchmarks.workspace import Workspace
from tests.servers.seaweed import SeaweedServer

MAX_SECONDS = 30.0
LABELS = {
    "start": "Snakemake, one trivial rule",
    "fresh": "this workflow, receipts absent: a fresh machine",
    "known": "this workflow, receipts present",
}


def main() -> None:
    """Fill a store, time runs with nothing to do, print."""
    parser = options_of("benchmarks.resolve", __doc__, repeats=3)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--backups", type=int, default=50, help="of each repository")
    options = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.work) as name:
        show(_run(options, Path(name)), options.json)


def _run(options: argparse.Namespace, work: Path) -> Found:
    make_empties(work / "repositories", options.repositories)
    with (
        SeaweedServer(work / "store") as server,
        serve_github(work / "repositories", latency_ms=options.latency_ms) as site,
    ):
        bucket = server.new_bucket()
        say(f"storing {options.backups} backups of each of {options.repositories} repositories")
        objects = store_backups(server, bucket, list_upstream(site), backups=options.backups)

        def run(folder: Path) -> Measurement:
            workspace = Workspace(
                folder,
                site.api_url,
                s3_settings(bucket, server.endpoint_url),
                server.environment(),
                checkout=options.checkout,
            )
            measured = workspace.run("--cores", "4", "backup")
            if workspace.summary()["up_to_date"] != options.repositories:
                raise RuntimeError(f"{options.repositories} repositories were to be up to date")
            return measured

        run(work / "known")
        found = run_interleaved(
            {"start": snakemake_start, "fresh": run, "known": lambda _folder: run(work / "known")},
            options.repeats,
            fresh_folder=folder_maker(work / "runs"),
            server_pids=[site.pid, server.pid],
            say=say,
        )
    title = f"resolve, {options.repositories} repositories, {objects} objects in SeaweedFS"
    title += f", GitHub {options.latency_ms} ms away, {options.repeats} rounds"
    return Found(title, found, LABELS, [_goal(found, name) for name in ("fresh", "known")])


def _goal(found: dict[str, list[Measurement]], name: str) -> Goal:
    seconds = median_of(found[name]).seconds
    text = f"{LABELS[name]}: under {MAX_SECONDS:.0f} s, Snakemake's start included"
    return Goal(text, seconds < MAX_SECONDS, f"{seconds:.1f} s")


if __name__ == "__main__":
    main()
