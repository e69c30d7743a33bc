"""Times ``snakemake report`` over many stored backups, and takes the peak of its memory.

``.venv/bin/python -m benchmarks.report_at_scale --repositories 1000 --backups 30 --runs 200``
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
from pathlib import Path

import yaml

from benchmarks.harness import child_environment, measure, run_watched
from repo_maintenance.history import RunRecord
from repo_maintenance.naming import BackupName, ProofName, object_key, proof_key
from repo_maintenance.stores.folder import METADATA_SUFFIX
from repo_maintenance.verify import Proof
from tests.servers.repositories import make_empty

PROJECT = Path(__file__).parents[1]
NOW = dt.datetime.now(dt.UTC)
TODAY = NOW.date()
GOAL_SECONDS, GOAL_MB = 20, 300
DIGEST = "0" * 64


def fill_upstream(folder: Path, names: list[str]) -> None:
    """Make an empty repository of each name."""
    for name in names:
        make_empty(folder / f"{name}.git")


def fill_store(folder: Path, names: list[str], backups: int) -> int:
    """Store small files named as backups, one a week, half of them proven; returns how many files."""
    for name in names:
        (folder / name).mkdir(parents=True)
        days = [TODAY - dt.timedelta(weeks=week) for week in range(backups)]
        for day in days:
            (folder / object_key(BackupName(name, day))).write_bytes(b"x")
        _describe(folder, BackupName(name, days[0]))
        for day in days[1::2]:
            (folder / proof_key(ProofName(BackupName(name, day), TODAY, True))).write_bytes(b"{}")
    return len([path for path in folder.rglob("*") if path.is_file()])


def _describe(folder: Path, backup: BackupName) -> None:
    """Write the metadata of a backup, and a proof of it."""
    tarball = folder / object_key(backup)
    metadata = {
        "repository": f"upstream/{backup.repo}",
        "repository_id": backup.repo,
        "backup_date": backup.date.isoformat(),
        "pushed_at": NOW.isoformat(),
        "size_bytes": "1",
        "sha256": DIGEST,
        "md5": DIGEST[:32],
        "refs_digest": DIGEST,
        "default_branch": "main",
    }
    tarball.with_name(tarball.name + METADATA_SUFFIX).write_text(json.dumps(metadata))
    proof = Proof(
        repository=backup.repo,
        backup_date=backup.date,
        version="",
        is_good=True,
        checked=["size and SHA-256", "gzip and tar whole", "git fsck"],
        unchecked=[],
        problem=None,
        kind=None,
        size_bytes=1,
        seconds=2.5,
        proven_at=NOW,
    )
    (folder / proof_key(ProofName(backup, TODAY, True))).write_text(proof.model_dump_json(indent=2))


def fill_history(folder: Path, runs: int, repositories: int) -> None:
    """Put runs on record, one a day."""
    for number in range(runs):
        record = RunRecord(
            kind="backup",
            run=f"{number:08x}",
            started_at=NOW - dt.timedelta(days=runs - number),
            seconds=300 + number % 7,
            ok=True,
            total=repositories,
            done=number % 50,
            failed=0,
            covered=repositories,
            bytes_done=number * 1_000_000,
            bytes_stored=number * 50_000_000,
            step_seconds={"mirror": 200.0, "archive": 50.0, "upload": 50.0},
        )
        path = folder / record.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(record.model_dump_json(indent=2))


def main() -> None:
    """Fill a folder, make the report with nothing known and once more, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--backups", type=int, default=30)
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = [f"repository-{number:05d}" for number in range(arguments.repositories)]
        fill_upstream(root / "upstream", names)
        files = fill_store(root / "store", names, arguments.backups)
        fill_history(root / "store", arguments.runs, len(names))
        config = {"backup": {"folder": str(root / "upstream"), "directory": str(root / "store")}}
        (root / "work" / "config").mkdir(parents=True)
        (root / "work" / "config" / "config.yaml").write_text(yaml.safe_dump(config))
        print(f"{len(names)} repositories, {files} files in the store, {arguments.runs} runs on record")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")]
        command += ["--directory", str(root / "work"), "--cores", "1", "report"]
        print("| report | seconds | peak memory, MB | goal |\n|---|---:|---:|---|")
        log = root / "report.log"

        def report() -> int:
            return run_watched(command, cwd=root / "work", environment=child_environment({}), log=log)

        for label in ("on a fresh machine", "again"):
            measured = measure(report)
            goal = f"under {GOAL_SECONDS} s and {GOAL_MB} MB"
            print(f"| {label} | {measured.seconds:.1f} | {(measured.peak_bytes or 0) / 1e6:.0f} | {goal} |")
        page = root / "work" / "results" / "report" / "index.html"
        print(
            f"index.html: {page.stat().st_size / 1e6:.1f} MB; {log.read_text().count('Traceback')} tracebacks"
        )
        print(next(line for line in log.read_text().splitlines() if line.startswith("report: ")))


if __name__ == "__main__":
    main()
