"""Times the archive and the upload of one large repository against `tar -czf`, MD5 and boto3's `upload_file`.

.venv/bin/python -m benchmarks.one_large --megabytes 1000 --repeats 3
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.harness import (
    Measurement,
    MemoryWatch,
    child_environment,
    measure,
    process_cpu_seconds,
    run_interleaved,
)
from benchmarks.repositories import copy_sources, make_large_repository
from benchmarks.servers import Stores, open_stores
from benchmarks.suite import Found, folder_maker, options_of, say, show, wall_times
from benchmarks.tables import Goal, median_ratio, megabytes

MAX_SHARE = 1 / 3
MAX_EXTRA_SIZE = 0.02
MAX_PEAK_BYTES = 250_000_000
WORKER = Path(__file__).with_name("archive_and_upload.py")
LABELS = {
    "plain": "`tar -czf`, MD5, `upload_file`",
    "ours": "this workflow's archive and upload",
}


@dataclass(frozen=True)
class Plain:
    """What a short script does with a mirror."""

    mirrors: Path
    stores: Stores
    sizes: dict[str, int]

    def __call__(self, folder: Path) -> Measurement:
        """Archive and upload each mirror."""
        store = self.stores.new(folder)

        def work() -> None:
            for mirror in _mirrors(self.mirrors):
                tarball = folder / f"{mirror.name}.tar.gz"
                subprocess.run(["tar", "-C", mirror, "-czf", tarball, f"{mirror.name}.git"], check=True)
                with tarball.open("rb") as stream:
                    md5 = hashlib.file_digest(stream, "md5").hexdigest()
                store.put(tarball, f"{mirror.name}/{tarball.name}", md5)

        measured = measure(work)
        self.sizes["plain"] = _stored_bytes(folder)
        return measured


@dataclass(frozen=True)
class Ours:
    """The same as the workflow does it, in a process of its own, for the memory.

    As the plain script, it has imported boto3 and opened its client before the time begins.
    """

    mirrors: Path
    stores: Stores
    sizes: dict[str, int]
    checkout: Path

    def __call__(self, folder: Path) -> Measurement:
        """Archive and upload each mirror."""
        settings = json.dumps(self.stores.new(folder).settings)
        library = {"PYTHONPATH": str(self.checkout / "scripts")}
        environment = child_environment(library | dict(self.stores.environment()))
        command = [sys.executable, str(WORKER), str(self.mirrors), str(folder), settings]
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as worker:
            assert worker.stdout is not None
            assert worker.stdin is not None
            worker.stdout.readline()
            started = process_cpu_seconds(worker.pid)
            measured = measure(lambda: _let_work(worker))
        if worker.returncode:
            raise RuntimeError("the archive or the upload failed: its words are above")
        measured = replace(measured, cpu_seconds=measured.cpu_seconds - started)
        self.sizes["ours"] = _stored_bytes(folder)
        return measured


def main() -> None:
    """Make, archive, upload, print."""
    parser = options_of("benchmarks.one_large", __doc__, repeats=3)
    parser.add_argument("--megabytes", type=int, default=1000, help="of a repository that does not compress")
    parser.add_argument("--sources", type=Path, help="a folder of real repositories to take instead")
    parser.add_argument("--store", choices=("s3", "folder"), default="s3")
    options = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.work) as name:
        show(_run(options, Path(name)), options.json)


def _run(options: argparse.Namespace, work: Path) -> Found:
    repositories = work / "repositories"
    if options.sources is None:
        make_large_repository(repositories, options.megabytes)
    else:
        copy_sources(options.sources, repositories)
    mirrors = work / "mirrors"
    for path in sorted(repositories.iterdir()):
        (mirrors / path.stem).mkdir(parents=True)
        path.rename(mirrors / path.stem / path.name)
    sizes: dict[str, int] = {}
    with open_stores(options.store, work / "store") as stores:
        found = run_interleaved(
            {
                "plain": Plain(mirrors, stores, sizes),
                "ours": Ours(mirrors, stores, sizes, options.checkout),
            },
            options.repeats,
            fresh_folder=folder_maker(work / "runs"),
            server_pids=stores.pids(),
            say=say,
        )
    title = (
        f"archive and upload alone, {megabytes(sizes['ours'])} MB, {options.store}, {options.repeats} rounds"
    )
    return Found(title, found, LABELS, _goals(found, sizes))


def _let_work(worker: subprocess.Popen[bytes]) -> int:
    """Tell a process that is ready to begin, and return its peak memory in bytes once it is done."""
    watch = MemoryWatch(worker.pid)
    worker.communicate(b"\n")
    return watch.end()


def _mirrors(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _stored_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.tar.gz"))


def _goals(found: dict[str, list[Measurement]], sizes: dict[str, int]) -> list[Goal]:
    share = median_ratio(wall_times(found["ours"]), wall_times(found["plain"]))
    extra = sizes["ours"] / sizes["plain"] - 1
    peak = max(one.peak_bytes or 0 for one in found["ours"])
    limit = megabytes(MAX_PEAK_BYTES)
    return [
        Goal("at most a third of the time", share <= MAX_SHARE, f"{share:.2f}"),
        Goal("at most 2 % larger", extra <= MAX_EXTRA_SIZE, f"{100 * extra:+.2f} %"),
        Goal(f"peak memory under {limit} MB", peak < MAX_PEAK_BYTES, f"{megabytes(peak)} MB"),
    ]


if __name__ == "__main__":
    main()
