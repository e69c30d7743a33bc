"""Times a preview, `snakemake -n backup`, of an organisation whose every repository was pushed to.

.venv/bin/python -m benchmarks.dry_run --repositories 1000 5000 10000
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import snakemake_start
from benchmarks.harness import Contender, Measurement, median_of, run_interleaved
from benchmarks.organization import list_upstream, make_empties, s3_settings, store_backups
from benchmarks.servers import serve_github
from benchmarks.suite import Found, folder_maker, options_of, say, show
from benchmarks.tables import Goal, megabytes
from benchmarks.workspace import Workspace
from tests.servers.seaweed import SeaweedServer

GOAL_REPOSITORIES = 10_000
MAX_SECONDS = 90.0
MAX_PEAK_BYTES = 700_000_000
# Of CPU time above Snakemake's own start, which other work on the machine changes little.
MAX_GROWTH = 1.2


def main() -> None:
    """Store an old backup of each repository, time previews, print."""
    parser = options_of("benchmarks.dry_run", __doc__, repeats=1)
    parser.add_argument("--repositories", type=int, nargs="+", default=[1000, 5000, 10_000])
    options = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.work) as name:
        show(_run(options, Path(name)), options.json)


def _run(options: argparse.Namespace, work: Path) -> Found:
    found: dict[str, list[Measurement]] = {}
    labels = {"start": "Snakemake, one trivial rule"}
    for count in sorted(options.repositories):
        label = f"`-n backup`, {count} stale repositories"
        labels[str(count)] = label
        found |= _time(options, count, work / str(count))
    title = f"dry run, every repository stale, S3, GitHub {options.latency_ms} ms away"
    return Found(f"{title}, {options.repeats} rounds", found, labels, _goals(found))


def _time(options: argparse.Namespace, count: int, work: Path) -> dict[str, list[Measurement]]:
    """Return what Snakemake's start and the preview took; receipts are known, from a preview before."""
    make_empties(work / "repositories", count)
    with (
        SeaweedServer(work / "store") as server,
        serve_github(work / "repositories", latency_ms=options.latency_ms) as site,
    ):
        bucket = server.new_bucket()
        say(f"storing a backup of each of {count} repositories")
        store_backups(server, bucket, list_upstream(site), is_stale=True)
        workspace = Workspace(
            work / "workspace",
            site.api_url,
            s3_settings(bucket, server.endpoint_url),
            server.environment(),
            checkout=options.checkout,
        )
        workspace.run("-n", "backup")

        def preview(_folder: Path) -> Measurement:
            measured = workspace.run("-n", "backup")
            said = (workspace.folder / "snakemake.log").read_text()
            if f"{count} to back up" not in said or said.count("Upload ") != count:
                raise RuntimeError(f"{count} repositories were to be due:\n{said[-3000:]}")
            return measured

        contenders: dict[str, Contender] = {"start": snakemake_start, str(count): preview}
        return run_interleaved(
            contenders,
            options.repeats,
            fresh_folder=folder_maker(work / "runs"),
            server_pids=[site.pid, server.pid],
            say=say,
        )


def _goals(found: dict[str, list[Measurement]]) -> list[Goal]:
    start = median_of(found["start"]).cpu_seconds
    middle = {int(name): median_of(every) for name, every in found.items() if name != "start"}
    counts = sorted(middle)
    each = {count: (middle[count].cpu_seconds - start) / count for count in counts}
    growth = each[counts[-1]] / each[counts[0]]
    said = ", ".join(f"{1000 * each[count]:.1f} ms of {count}" for count in counts)
    linear = Goal(
        f"linear: among the most, a repository takes at most {MAX_GROWTH} x the CPU time as among the fewest",
        growth <= MAX_GROWTH,
        f"{growth:.2f} x: {said}",
    )
    goals = [linear] if len(counts) > 1 else []
    if GOAL_REPOSITORIES not in middle:
        return goals
    largest = middle[GOAL_REPOSITORIES]
    seconds, peak = largest.seconds, largest.peak_bytes or 0
    return [
        *goals,
        Goal(f"{GOAL_REPOSITORIES} in under {MAX_SECONDS:.0f} s", seconds < MAX_SECONDS, f"{seconds:.1f} s"),
        Goal(
            f"{GOAL_REPOSITORIES} in under {megabytes(MAX_PEAK_BYTES)} MB",
            peak < MAX_PEAK_BYTES,
            f"{megabytes(peak)} MB",
        ),
    ]


if __name__ == "__main__":
    main()
