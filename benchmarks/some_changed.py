"""Times a run in which 5 % of the repositories changed, against fetching the changed ones alone.

.venv/bin/python -m benchmarks.some_changed --repositories 1000 --repeats 3
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders import clone, snakemake_start
from benchmarks.harness import Measurement, measure, run_interleaved
from benchmarks.organization import PREFIX, list_upstream, s3_settings
from benchmarks.repositories import copy_sources, make_small_repositories
from benchmarks.servers import Site, serve_github
from benchmarks.suite import Found, folder_maker, options_of, say, show, wall_times
from benchmarks.tables import Goal, median_ratio, megabytes
from benchmarks.workspace import Workspace
from tests.servers.repositories import git_environment
from tests.servers.seaweed import SeaweedServer

MAX_RATIO = 1.3
# One repository in so many changes.
CHANGED_OF = 20


@dataclass(frozen=True)
class FetchOnly:
    """The floor: `git fetch` of the changed repositories into bare mirrors, several at a time."""

    site: Site
    folder: Path
    names: Sequence[str]
    at_once: int

    def clone(self) -> None:
        """Make the mirrors, as they are before the changes."""
        self.folder.mkdir(parents=True)
        with ThreadPoolExecutor(self.at_once) as pool:
            urls = (self.site.clone_urls[name] for name in self.names)
            list(pool.map(clone, urls, (self.folder / name for name in self.names)))

    def __call__(self, _folder: Path) -> Measurement:
        """Change the repositories, then measure how long it takes to fetch that."""
        self.site.push(self.names)

        def work() -> None:
            with ThreadPoolExecutor(self.at_once) as pool:
                list(pool.map(_fetch, (self.folder / name for name in self.names)))

        return measure(work)


@dataclass(frozen=True)
class ListOnly:
    """GitHub's list and the store's, one after the other, and nothing made of them."""

    site: Site
    server: SeaweedServer
    bucket: str

    def __call__(self, _folder: Path) -> Measurement:
        """List both."""
        pages = self.server.client().get_paginator("list_objects_v2")

        def work() -> None:
            list_upstream(self.site)
            list(pages.paginate(Bucket=self.bucket, Prefix=PREFIX))

        return measure(work)


@dataclass(frozen=True)
class Update:
    """This workflow with `backup.cache`, all of whose repositories are backed up before."""

    site: Site
    workspace: Workspace
    names: Sequence[str]
    cores: int

    def __call__(self, _folder: Path) -> Measurement:
        """Change the repositories, then measure how long it takes to back that up."""
        self.site.push(self.names)
        measured = self.workspace.run("--cores", str(self.cores), "backup")
        summary = self.workspace.summary()
        if (summary["backed_up"], summary["failed"]) != (len(self.names), 0):
            raise RuntimeError(f"{len(self.names)} repositories were to be backed up: {summary}")
        return measured


def main() -> None:
    """Make, serve, back up, change, time, print."""
    parser = options_of("benchmarks.some_changed", __doc__, repeats=3)
    parser.add_argument("--repositories", type=int, default=1000, help="small repositories to make")
    parser.add_argument("--sources", type=Path, help="a folder of real repositories to add")
    parser.add_argument("--cores", type=int, default=4, help="for Snakemake, and fetches at a time")
    options = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.work) as name:
        show(_run(options, Path(name)), options.json)


def _run(options: argparse.Namespace, work: Path) -> Found:
    repositories = work / "repositories"
    say(f"making {options.repositories} repositories")
    size = make_small_repositories(repositories, options.repositories)
    real = copy_sources(options.sources, repositories) if options.sources else 0
    with (
        SeaweedServer(work / "store") as server,
        serve_github(repositories, latency_ms=options.latency_ms) as site,
    ):
        names = sorted(site.clone_urls)[::CHANGED_OF]
        bucket = server.new_bucket()
        workspace = Workspace(
            work / "workspace",
            site.api_url,
            s3_settings(bucket, server.endpoint_url),
            server.environment(),
            {"cache": str(work / "cache")},
            options.checkout,
        )
        fetch = FetchOnly(site, work / "mirrors", names, options.cores)
        say("the first backup, and the mirrors to fetch into")
        workspace.run("--cores", str(options.cores), "backup")
        fetch.clone()
        found = run_interleaved(
            {
                "fetch": fetch,
                "list": ListOnly(site, server, bucket),
                "start": snakemake_start,
                "run": Update(site, workspace, names, options.cores),
            },
            options.repeats,
            fresh_folder=folder_maker(work / "runs"),
            server_pids=[site.pid, server.pid],
            say=say,
        )
    labels = {
        "fetch": f"fetching the {len(names)} changed ones alone, {options.cores} at a time",
        "list": "listing GitHub and the store alone",
        "start": "Snakemake, one trivial rule",
        "run": f"this workflow with its object cache, `--cores {options.cores}`",
    }
    title = f"{len(names)} changed of {options.repositories} small repositories ({megabytes(size)} MB)"
    title += f" and {real} real ones" if real else ""
    title += f", S3, GitHub {options.latency_ms} ms away, {options.repeats} rounds"
    return Found(title, found, labels, [_goal(found)])


def _fetch(mirror: Path) -> None:
    """Run `git fetch` in a mirror, as anyone would."""
    subprocess.run(
        ["git", f"--git-dir={mirror}", "fetch", "--quiet", "--prune"], env=git_environment(), check=True
    )


def _goal(found: Mapping[str, Sequence[Measurement]]) -> Goal:
    times = {name: wall_times(every) for name, every in found.items()}
    beside = zip(times["run"], times["start"], times["list"], strict=True)
    ratio = median_ratio([run - start - listing for run, start, listing in beside], times["fetch"])
    return Goal(
        f"at most {MAX_RATIO} x fetching the changed ones, plus Snakemake's start and the listing",
        ratio <= MAX_RATIO,
        f"{ratio:.2f} x fetching, plus the start and the listing",
    )


if __name__ == "__main__":
    main()
