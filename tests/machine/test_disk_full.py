"""A disk that is too small for one repository, and large enough for all others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.machine.places import backups_in, from_folder, left_overs, make_source, upstream_refs
from tests.servers.repositories import make_lfs_repository, make_repository
from tests.workflow.workspace import Finished, Workspace

SMALL = ("a-small-one", "small", "z-small-one")
MB = 1 << 20
DISK_BYTES = 8 * MB
# What the disk of a scene does not hold: a mirror, its tarball beside it, an LFS object.
FATAL = {"mirror": 14 * MB, "tarball": 5 * MB, "lfs": 14 * MB, "file-limit": 14 * MB}
# Fits where nothing is left of the one that failed before it, and not where its mirror is.
MEDIUM_BYTES = 5 * MB // 2
NEEDS_NAMESPACES = "mounting a disk of one's own needs root or user namespaces"
NAMESPACE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
# `results` is on a disk of its own, in a namespace that ends with the run; what it held is copied.
ON_SMALL_DISK = (
    f"mkdir -p results && mount -t tmpfs -o size={DISK_BYTES} tmpfs results || exit 99\n"
    '"$@"; code=$?; cp -a results copied; exit $code'
)
# The disk is so full that not even a job's log can be written.
WITHOUT_LOGS = (
    "mkdir -p results/logs && mount -t tmpfs -o size=4k tmpfs results/logs || exit 99\n"
    'cat /dev/zero >results/logs/full 2>/dev/null; exec "$@"'
)
# The store is on a small disk of its own, which is copied likewise.
INTO_SMALL_STORE = (
    f"mkdir -p backups && mount -t tmpfs -o size={MB} tmpfs backups || exit 99\n"
    '"$@"; code=$?; cp -a backups copied; exit $code'
)
# sh counts in blocks of 512 bytes (POSIX, ulimit).
WITH_FILE_LIMIT = f'ulimit -f {DISK_BYTES // 512}; exec "$@"'


@dataclass
class SmallWorkspace(Workspace):
    """A working folder whose runs go through a shell that makes their disk, or their files, small."""

    through: list[str] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a run."""
        return [*self.through, "sh", *super().command(*arguments)]


@dataclass(frozen=True)
class Ended:
    """How a run on a small disk ended."""

    finished: Finished
    source: Path
    workspace: Workspace

    def failures(self) -> dict[str, tuple[str, str]]:
        """Return step and kind of each failure that the summary names."""
        listed = json.loads((self.workspace.path / "results" / "summary.json").read_text())["repositories"]
        failed = [item["failure"] for item in listed if item["failure"]]
        return {item["repository"]: (item["step"], item["kind"]) for item in failed}

    def stored(self) -> dict[str, dict[str, str]]:
        """Return the refs of what was stored."""
        return backups_in(self.workspace)

    def upstream(self) -> dict[str, dict[str, str]]:
        """Return the refs of all but the large repository."""
        return {name: refs for name, refs in upstream_refs(self.source).items() if name != "large"}


def run_scene(folder: Path, scene: str) -> Ended:
    """Make the repositories of a scene, and back them up where one of them is too large."""
    source = make_source(folder / "source", SMALL, size_bytes=MB // 10)
    large = source / "large.git"
    if scene == "lfs":
        make_lfs_repository(large, {"small.bin": os.urandom(MB // 4), "large.bin": os.urandom(FATAL[scene])})
    else:
        make_repository(large, size_bytes=FATAL[scene])
    if scene == "tarball":
        make_repository(source / "medium.git", size_bytes=MEDIUM_BYTES)
    plain = from_folder(folder / "workspace", source, git={"wait_seconds": 0})
    is_limit = scene == "file-limit"
    through = ["sh", "-c", WITH_FILE_LIMIT] if is_limit else [*NAMESPACE, "sh", "-c", ON_SMALL_DISK]
    # On one core the large repository comes first, and only what it leaves is in the way of the others.
    finished = SmallWorkspace(plain.path, plain.config, {}, through).run("--cores", "1", "backup")
    if (plain.path / "copied").exists():
        (plain.path / "results").rmdir()
        (plain.path / "copied").rename(plain.path / "results")
    return Ended(finished, source, plain)


def has_namespaces() -> bool:
    """Whether this machine lets a test have a disk of its own."""
    mounting = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(mounting, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Ended]]]:
    """Run all scenes that this machine allows, two at a time."""
    allowed = list(FATAL) if has_namespaces() else ["file-limit"]
    with ThreadPoolExecutor(2) as pool:
        folders = {scene: tmp_path_factory.mktemp(scene) for scene in allowed}
        yield {scene: pool.submit(run_scene, folder, scene) for scene, folder in folders.items()}


@pytest.fixture(params=FATAL)
def scene(request: pytest.FixtureRequest) -> str:
    """Return the name of a scene."""
    return str(request.param)


@pytest.fixture
def ended(scenes: dict[str, Future[Ended]], scene: str) -> Ended:
    """Return how a scene ended."""
    if scene not in scenes:
        pytest.skip(NEEDS_NAMESPACES)
    return scenes[scene].result()


def test_what_does_not_fit_fails_alone(ended: Ended) -> None:
    """One repository too large for the disk fails the run, with its name; every other one is stored whole."""
    assert ended.finished.code == 1, ended.finished.output
    assert {"large"} == set(ended.failures()), ended.finished.output
    assert ended.upstream() == ended.stored()
    assert "Traceback" not in ended.finished.output


@pytest.mark.parametrize(
    ("scene", "step"),
    [("mirror", "mirror"), ("tarball", "archive"), ("lfs", "mirror")],
    ids=lambda name: name,
)
def test_the_reason_is_no_space(ended: Ended, scene: str, step: str) -> None:  # noqa: ARG001 - `ended` takes it
    """The summary calls it "no space" and says what to do."""
    assert {"large": (step, "no space")} == ended.failures()
    assert "free disk space, or bound the run with --resources disk_mb=" in ended.finished.output


def test_nothing_partial_stays(ended: Ended) -> None:
    """Neither half of a mirror nor half of a tarball takes room once its repository has failed."""
    assert not left_overs(ended.workspace)


def test_a_tarball_that_can_not_be_stored_takes_no_room(tmp_path: Path) -> None:
    """Where the store has no room for one backup, its tarball goes as well, and the others are stored."""
    if not has_namespaces():
        pytest.skip(NEEDS_NAMESPACES)
    source = make_source(tmp_path / "source", SMALL)
    make_repository(source / "large.git", size_bytes=2 * MB)
    plain = from_folder(tmp_path / "workspace", source)
    through = [*NAMESPACE, "sh", "-c", INTO_SMALL_STORE]

    finished = SmallWorkspace(plain.path, plain.config, {}, through).run("--cores", "1", "backup")

    (plain.path / "backups").rmdir()
    (plain.path / "copied").rename(plain.path / "backups")
    ended = Ended(finished, source, plain)
    assert finished.code == 1, finished.output
    assert {"large": ("upload", "no space")} == ended.failures()
    assert not left_overs(plain)
    assert not list((plain.path / "backups").rglob("large/*"))
    shutil.rmtree(plain.path / "backups" / "large", ignore_errors=True)
    assert ended.upstream() == ended.stored()


def test_a_log_that_can_not_be_written_costs_no_backup(tmp_path: Path) -> None:
    """Where the disk is too full for a job's log, its repository is stored all the same."""
    if not has_namespaces():
        pytest.skip(NEEDS_NAMESPACES)
    source = make_source(tmp_path / "source", SMALL)
    plain = from_folder(tmp_path / "workspace", source)
    through = [*NAMESPACE, "sh", "-c", WITHOUT_LOGS]

    finished = SmallWorkspace(plain.path, plain.config, {}, through).backup()

    assert "Traceback" not in finished.output
    assert "not reached" not in finished.output
    assert finished.code == 0, finished.output
    assert upstream_refs(source) == backups_in(plain)
