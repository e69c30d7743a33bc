"""What a loss of power leaves behind: files of their old length full of zeros, cut files, empty ones."""

from __future__ import annotations

import base64
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path

from repo_maintenance.naming import PARTIAL
from tests.workflow.workspace import PROJECT, Workspace

LIBRARY = PROJECT / "scripts"
# The kernel kills the process in the middle of the file, once that is longer than 4 KiB (setrlimit(2)).
WRITE_AND_DIE = """
import pathlib, resource, signal, sys
from repo_maintenance.records import write_text_if_changed
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
write_text_if_changed(pathlib.Path(sys.argv[1]), "x" * 100_000)
"""


def zero(path: Path) -> None:
    """Keep a file's length and lose its content, as file systems do that had not written it yet."""
    path.write_bytes(bytes(path.stat().st_size))


def cut(path: Path) -> None:
    """Keep the first half of a file, or what comes before the middle of a character that takes two bytes."""
    content = path.read_bytes()
    middle = next((place for place, byte in enumerate(content) if byte >= 0xC0), len(content) // 2 - 1)
    path.write_bytes(content[: middle + 1])


def empty(path: Path) -> None:
    """Keep a file's name alone."""
    path.write_bytes(b"")


def harm(paths: Iterable[Path]) -> None:
    """Damage files, one after the other, in each of the ways; there are to be some."""
    found = sorted(paths)
    assert found, "there is nothing to damage"
    for path, damage in zip(found, cycle((zero, cut, empty)), strict=False):
        path.chmod(0o644)  # git writes its packs read-only
        damage(path)


def files(pattern: str) -> Callable[[Workspace], None]:
    """Return what damages the files of a pattern below the working folder."""
    return lambda workspace: harm(path for path in workspace.path.glob(pattern) if path.is_file())


def notes(workspace: Workspace) -> None:
    """Damage what the last run said at its end, and kill processes while they write such notes."""
    results = workspace.path / "results"
    failure = results / "failures" / "one.json"
    failure.parent.mkdir(exist_ok=True)
    failure.write_text("{}")
    harm([failure, results / "lock", results / "summary.json", results / "summary.md"])
    for name in ("repositories/one.json", "summary.json"):
        _cut_off_while_writing(results / name)


def receipts_of_earlier_days(workspace: Workspace) -> None:
    """Give each repository a backup of an earlier day, and damage the receipts of these."""
    for newest in list((workspace.path / "backups").glob("*/*.tar.gz")):
        earlier = newest.with_name(f"{newest.parent.name}-20200102.tar.gz")
        earlier.hardlink_to(newest)
        (receipt,) = workspace.path.glob(f"results/uploaded/{newest.name}.uploaded")
        shutil.copy(receipt, receipt.with_name(f"{earlier.name}.uploaded"))
    harm(workspace.path.glob("results/uploaded/*-20200102.*"))


def marks_of_begun_jobs(workspace: Workspace) -> None:
    """Leave Snakemake's marks of jobs that have begun, for every file that it knows, half of them broken."""
    records = list((workspace.path / ".snakemake" / "metadata").iterdir())
    folder = workspace.path / ".snakemake" / "incomplete"
    for record in records:
        (folder / record.name).write_text('{"external_jobid": null}')
    harm(sorted(folder.iterdir())[::2])


def own_files_of_snakemake(workspace: Workspace) -> None:
    """Damage Snakemake's records, and leave its locks on every file that it knows, half of them broken."""
    records = list((workspace.path / ".snakemake" / "metadata").iterdir())
    listed = "\n".join(base64.urlsafe_b64decode(record.name).decode() for record in records)
    locks = workspace.path / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)
    for name in ("0.input.lock", "0.output.lock", "1.input.lock", "1.output.lock"):
        (locks / name).write_text(f"{listed}\n")
    harm([*records, *locks.glob("1.*")])


def half_a_run(workspace: Workspace) -> None:
    """Leave half-made mirrors and tarballs under their final names, and under those of half-made ones."""
    results = workspace.path / "results"
    stored = next((workspace.path / "backups" / "one").glob("*.tar.gz"))
    for name in ("one", f"{PARTIAL}one-a1b2c3d4"):
        pack = results / "mirrors" / name / "one.git" / "objects" / "pack" / "tmp_pack_a1b2c3"
        pack.parent.mkdir(parents=True)
        shutil.copy(stored, pack)
        cut(pack)
    for name in (stored.name, stored.name.replace(".tar.gz", ".json")):
        half = results / "archives" / name
        half.parent.mkdir(exist_ok=True)
        shutil.copy(stored, half)
        cut(half)


def stored_metadata(workspace: Workspace) -> None:
    """Damage what the folder store keeps beside each backup."""
    harm((workspace.path / "backups").rglob("*.metadata.json"))


def kept_tarballs(workspace: Workspace) -> None:
    """Damage a kept tarball and another's description; neither backup has been stored yet."""
    _forget_backups(workspace, "one", "two")
    archives = workspace.path / "results" / "archives"
    harm([*archives.glob("one-*.tar.gz"), *archives.glob("two-*.json")])


def kept_mirrors(workspace: Workspace) -> None:
    """Damage a kept mirror's pack and another's description; of neither there is a tarball yet."""
    _forget_backups(workspace, "one", "two")
    for path in workspace.path.glob("results/archives/*"):
        path.unlink()
    mirrors = workspace.path / "results" / "mirrors"
    harm([*mirrors.glob("one/one.git/objects/pack/*.pack"), mirrors / "two" / "contents.json"])


def _forget_backups(workspace: Workspace, *names: str) -> None:
    for name in names:
        shutil.rmtree(workspace.path / "backups" / name)
        for receipt in workspace.path.glob(f"results/uploaded/{name}-*"):
            receipt.unlink()


def _cut_off_while_writing(note: Path) -> None:
    """Let a process write a note as the library does, and be killed before it has written all of it."""
    before = set(note.parent.iterdir())
    done = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, note], cwd=LIBRARY, check=False)
    assert done.returncode == -signal.SIGXFSZ
    assert set(note.parent.iterdir()) - before, "nothing half-written is there"
