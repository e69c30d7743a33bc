"""Replays a year of a real history, backed up every week: what increments take against full ones.

``.venv/bin/python -m benchmarks.incremental_year --source FOLDER``, FOLDER being a bare clone with all refs.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from repo_maintenance import naming, steps
from repo_maintenance.archive import write_tarball
from repo_maintenance.hosts import open_host
from repo_maintenance.inventory import resolve
from repo_maintenance.naming import BackupName
from repo_maintenance.records import Receipt, read_json
from repo_maintenance.settings import Settings, load_settings
from repo_maintenance.stores import open_store
from repo_maintenance.unpacking import unpack_backup
from tests.servers.repositories import git, refs, set_head

DAY = 86_400
BYTES_PER_MB = 1_000_000
GOAL = 0.1
FIELDS = "%(refname)%09%(objectname)%09%(creatordate:unix)%09%(*committerdate:unix)"


class Ref(NamedTuple):
    """A ref of the source."""

    name: str
    object_id: str
    made_at: int
    """When what it leads to was made, in seconds since 1970."""


class Week(NamedTuple):
    """What the backup of one week took."""

    date: dt.date
    refs: int
    kind: str
    stored_bytes: int
    full_bytes: int
    """Of a full tarball of the same mirror."""
    seconds: float
    """Of the backup's three steps."""


def read_refs(source: Path) -> list[Ref]:
    """Return the refs of the source that lead to something with a date."""
    found = []
    for line in git(source, "for-each-ref", f"--format={FIELDS}").splitlines():
        name, object_id, *dates = line.split("\t")
        if any(dates):
            found.append(Ref(name, object_id, max(int(date) for date in dates if date)))
    return found


def refs_at(source: Path, known: list[Ref], moment: int) -> dict[str, str]:
    """Return what the refs were at a moment, as far as a history tells.

    A branch is at its last commit by then, along first parents; any other ref is there once it leads to what
    was there by then. So what was rewritten, or deleted, before the source was cloned, is missing.
    """
    there = {ref.name: ref.object_id for ref in known if ref.made_at <= moment}
    for ref in known:
        if ref.made_at > moment and ref.name.startswith("refs/heads/"):
            before = f"--before={moment}"
            if tip := git(source, "rev-list", "-1", "--first-parent", before, ref.object_id).strip():
                there[ref.name] = tip
    return there


def set_refs(upstream: Path, there: dict[str, str], moment: int) -> None:
    """Give a repository these refs, last pushed to at that moment."""
    lines = [f"{object_id} {name}\n" for name, object_id in sorted(there.items())]
    (upstream / "packed-refs").write_text("".join(lines))
    for path in (
        upstream / "HEAD",
        upstream / "packed-refs",
        upstream / "refs",
        *(upstream / "refs").iterdir(),
    ):
        os.utime(path, (moment, moment))


def make_upstream(source: Path, upstream: Path) -> None:
    """Make a repository without refs that borrows the source's objects."""
    for part in ("objects/info", "refs"):
        (upstream / part).mkdir(parents=True)
    (upstream / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    (upstream / "objects" / "info" / "alternates").write_text(f"{(source / 'objects').resolve()}\n")
    head = (source / "HEAD").read_text().strip()
    set_head(upstream, head.removeprefix("ref: refs/heads/"))


def back_up(settings: Settings, name: BackupName) -> Receipt:
    """Take the three steps of a backup, as the rules do, but keep the mirror."""
    repo, date = name.repo, naming.format_date(name.date)
    store = open_store(settings.backup)
    record, folder, log = naming.record_path(repo), naming.MIRRORS / repo, Path("logs")
    tarball = naming.ARCHIVES / naming.tarball_name(name)
    description = naming.ARCHIVES / f"{repo}-{date}.json"
    receipt = naming.receipt_path(name)
    steps.mirror(
        settings,
        lambda: open_host(settings.backup, os.environ),
        record=record,
        folder=folder,
        log=log / "mirror.log",
    )
    steps.archive(
        date,
        record=record,
        folder=folder,
        tarball=tarball,
        description=description,
        log=log / f"archive-{date}.log",
    )
    steps.upload(
        lambda: store,
        date,
        record=record,
        tarball=tarball,
        description=description,
        receipt=receipt,
        log=log / f"upload-{date}.log",
    )
    tarball.unlink()
    found = read_json(receipt, Receipt)
    assert found is not None
    return found


def replay(source: Path, settings: Settings, days: list[dt.date], upstream: Path) -> Iterator[Week]:
    """Back up the source as of each day, and yield what each took; refs stay noted in ``refs-DATE.json``."""
    known = read_refs(source)
    host, store = open_host(settings.backup, os.environ), open_store(settings.backup)
    for date in days:
        moment = int(dt.datetime.combine(date, dt.time(), dt.UTC).timestamp())
        there = refs_at(source, known, moment)
        set_refs(upstream, there, moment)
        Path(f"refs-{date}.json").write_text(json.dumps(there))
        began = time.monotonic()
        (decision,) = resolve(settings, host, store, today=date).decisions
        assert decision.is_due, decision
        receipt = back_up(settings, decision.name)
        seconds = time.monotonic() - began
        mirror = naming.MIRRORS / decision.repository.name
        full = write_tarball(mirror, b"{}", Path("full.tar.gz"), mtime=0).size
        yield Week(date, len(there), _kind(receipt, decision.kind), receipt.size_bytes, full, seconds)


def _kind(receipt: Receipt, planned: str) -> str:
    if receipt.base_date is None:
        return planned if planned.startswith("full") else "full: too large for an increment"
    return f"increment {receipt.increment} on {receipt.base_date}"


def restore(settings: Settings, name: BackupName) -> tuple[int, float]:
    """Put a backup back, and see that its refs are as they were; returns how many, and the seconds."""
    wanted = json.loads(Path(f"refs-{name.date}.json").read_text())
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        found = unpack_backup(open_store(settings.backup), name, Path(scratch))
        assert wanted == refs(found.folder / f"{name.repo}.git")
    return len(wanted), time.monotonic() - began


def stored_bytes(folder: Path) -> int:
    """Return what a store in a folder takes, tarballs, metadata and notes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Replay the weeks, then put some of them back; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="a bare repository; it is read only")
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument(
        "--until", type=dt.date.fromisoformat, help="the last week's day; default: newest commit"
    )
    parser.add_argument("--full-every", type=int, default=26)
    parser.add_argument("--restore", type=int, default=4, help="how many weeks are put back and compared")
    parser.add_argument(
        "--work", type=Path, default=None, help="where to work; needs thrice the source's size"
    )
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    source, output = options.source.resolve(), options.json.resolve() if options.json else None
    until = options.until or _newest_day(source)
    days = [until - dt.timedelta(weeks=week) for week in reversed(range(options.weeks))]
    with tempfile.TemporaryDirectory(dir=options.work) as name, contextlib.chdir(name):
        repo = source.name.removesuffix(".git")
        upstream = Path("up").absolute() / f"{repo}.git"
        make_upstream(source, upstream)
        settings = load_settings(
            {
                "backup": {
                    "folder": str(upstream.parent),
                    "directory": "backups",
                    "cache": "cache",
                    "lfs": False,
                    "incremental": {"full_every": options.full_every},
                }
            },
            {},
        )
        weeks = []
        print("| week | refs | kind | stored, MB | full, MB | backup, s |")
        print("| --- | ---: | --- | ---: | ---: | ---: |")
        for week in replay(source, settings, days, upstream):
            weeks.append(week)
            print(
                f"| {week.date} | {week.refs} | {week.kind} | {_mb(week.stored_bytes)} | "
                f"{_mb(week.full_bytes)} | {week.seconds:.0f} |",
                flush=True,
            )
            for path in (naming.MIRRORS / repo, Path("full.tar.gz")):
                _remove(path)
        taken, full = stored_bytes(Path("backups")), sum(week.full_bytes for week in weeks)
        print(f"\nstored {_mb(taken)} MB with all notes; full ones {_mb(full)} MB: {taken / full:.3f}")
        restored = {}
        step = max(1, (len(days) - 1) // max(1, options.restore - 1))
        for date in days[::-1][:: step or 1][: options.restore]:
            count, seconds = restore(settings, BackupName(repo, date))
            restored[str(date)] = seconds
            print(
                f"restored {date}: {count} refs as they were, every object read, {seconds:.0f} s", flush=True
            )
    if output is not None:
        kept = {
            "weeks": [week._asdict() for week in weeks],
            "stored": taken,
            "full": full,
            "restored": restored,
        }
        output.write_text(json.dumps(kept, default=str, indent=2))
    if taken > GOAL * full:
        raise SystemExit(f"more than {GOAL:.0%} of full ones")


def _newest_day(source: Path) -> dt.date:
    newest = int(git(source, "log", "-1", "--format=%ct", "HEAD"))
    return dt.datetime.fromtimestamp(newest + DAY, dt.UTC).date()


def _remove(path: Path) -> None:
    for inner in sorted(path.rglob("*"), reverse=True):
        inner.rmdir() if inner.is_dir() else inner.unlink()
    path.rmdir() if path.is_dir() else path.unlink()


def _mb(size: int) -> str:
    return f"{size / BYTES_PER_MB:,.1f}"


if __name__ == "__main__":
    main()
