"""Times a run with nothing to do, and counts what it asks of GitHub and of S3.

.venv/bin/python -m benchmarks.nothing_to_do --repositories 1000 --repeats 5
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.contenders import run_snakemake, snakemake_preview, snakemake_start, snakemake_version
from benchmarks.harness import Measurement, run_interleaved
from benchmarks.organization import PREFIX, list_upstream, make_empties, s3_settings, store_backups
from benchmarks.servers import Site, serve_github
from benchmarks.suite import Found, folder_maker, options_of, say, show, wall_times
from benchmarks.tables import Goal, median_ratio
from benchmarks.workspace import Workspace
from tests.faults.s3_gateway import S3Gateway
from tests.servers.seaweed import SeaweedServer

MAX_RATIO = 2.0
REPOSITORIES_A_REQUEST = 100
OBJECTS_A_REQUEST = 1000
MAX_START_SECONDS = 1.0
LABELS = {
    "version": "`snakemake --version`",
    "start": "Snakemake, one trivial rule",
    "preview": "Snakemake, `-n` of one trivial rule",
    "bare": "this workflow, bundled example, nothing to do, `-n`",
    "dry": "this workflow, nothing to do, `-n backup`",
    "run": "this workflow, nothing to do, `--cores 4 backup`",
}


def main() -> None:
    """Store backups of all repositories, count requests, time runs, print."""
    parser = options_of("benchmarks.nothing_to_do", __doc__, repeats=5)
    parser.add_argument("--repositories", type=int, default=1000)
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
        say(f"storing a backup of each of {options.repositories} repositories")
        store_backups(server, bucket, list_upstream(site))

        def workspace(folder: Path, endpoint_url: str) -> Workspace:
            store, environment = s3_settings(bucket, endpoint_url), server.environment()
            return Workspace(folder, site.api_url, store, environment, checkout=options.checkout)

        goals = _count(options.repositories, server, site, lambda url: workspace(work / "counted", url))
        known = workspace(work / "known", server.endpoint_url)
        known.run("--cores", "4", "backup")
        example = _back_up_example(work / "example", options.checkout)
        found = run_interleaved(
            {
                "version": snakemake_version,
                "start": snakemake_start,
                "preview": snakemake_preview,
                "bare": lambda _folder: run_snakemake([*example, "-n"], work / "example", {}),
                "dry": lambda _folder: known.run("-n", "backup", "--quiet", "rules"),
                "run": lambda _folder: _run_once(known, options.repositories),
            },
            options.repeats,
            fresh_folder=folder_maker(work / "runs"),
            server_pids=[site.pid, server.pid],
            say=say,
        )
    title = f"nothing to do, {options.repositories} repositories, S3, GitHub {options.latency_ms} ms away"
    return Found(f"{title}, {options.repeats} rounds", found, LABELS, [*_time_goals(found), *goals])


def _back_up_example(folder: Path, checkout: Path) -> list[str]:
    """Back the bundled example up; returns the beginning of the arguments that are used for that."""
    (folder / "config").mkdir(parents=True)
    shutil.copy(checkout / "config" / "config.yaml", folder / "config")
    arguments = ["--snakefile", str(checkout / "Snakefile"), "--directory", str(folder)]
    run_snakemake([*arguments, "--cores", "4"], folder, {})
    return arguments


def _run_once(workspace: Workspace, repositories: int) -> Measurement:
    measured = workspace.run("--cores", "4", "backup")
    summary = workspace.summary()
    if summary["up_to_date"] != repositories:
        raise RuntimeError(f"{repositories} repositories were to be up to date: {summary}")
    return measured


def _count(
    repositories: int, server: SeaweedServer, site: Site, workspace: Callable[[str], Workspace]
) -> list[Goal]:
    """Run on a fresh machine, and once more, through a gateway that notes all requests; returns the goals."""
    goals = []
    with S3Gateway(server.endpoint_url) as gateway:
        counted = workspace(gateway.url)
        for label, unknown in (("fresh machine", repositories), ("receipts present", 0)):
            say(f"counting requests: {label}")
            site.api_requests()
            gateway.requests.clear()
            _run_once(counted, repositories)
            github, s3 = len(site.api_requests()), [f"{one.method} {one.path}" for one in gateway.requests]
            records = [one for one in s3 if one.startswith("PUT ") and f"/{PREFIX}.history/" in one]
            # The run's own records are objects, too; the bucket has one or two of these beside the backups.
            pages, rest = -(-(repositories + 2) // OBJECTS_A_REQUEST), len(s3) - len(records)
            allowed = -(-repositories // REPOSITORIES_A_REQUEST)
            goals += [
                Goal(
                    f"{label}: at most one GitHub request per {REPOSITORIES_A_REQUEST} repositories",
                    github <= allowed,
                    f"{github} of {allowed}",
                ),
                Goal(
                    f"{label}: at most one S3 request per 1,000 objects, and one per repository not known",
                    rest <= pages + unknown and len(records) <= 1,
                    f"{rest} of {pages} + {unknown}, and {len(records)} for the record of the run",
                ),
            ]
    return goals


def _time_goals(found: dict[str, list[Measurement]]) -> list[Goal]:
    run, start, version = (wall_times(found[name]) for name in ("run", "start", "version"))
    both = [one + other for one, other in zip(start, version, strict=True)]
    whole, alone = median_ratio(run, both), median_ratio(run, start)
    dry = median_ratio(wall_times(found["dry"]), start)
    previews = zip(wall_times(found["bare"]), wall_times(found["preview"]), strict=True)
    above = median(bare - preview for bare, preview in previews)
    return [
        Goal(
            f"under {MAX_RATIO} x `snakemake --version` plus one trivial rule",
            whole < MAX_RATIO,
            f"{whole:.2f} x; {alone:.2f} x the trivial rule alone, and {dry:.2f} x for `-n`",
        ),
        Goal(
            f"`-n` of the bundled example under {MAX_START_SECONDS:.0f} s above `-n` of one trivial rule",
            above < MAX_START_SECONDS,
            f"{above:.2f} s",
        ),
    ]


if __name__ == "__main__":
    main()
