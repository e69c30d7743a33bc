"""Every path, object key and date format of the workflow, each with its inverse."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

# GitHub allows ASCII letters, digits, "-", "_" and "." in the name of a repository, 100 characters at most:
# https://docs.github.com/en/repositories/creating-and-managing-repositories/creating-a-new-repository
REPOSITORY_PATTERN = r"[A-Za-z0-9._-]{1,100}"
DATE_PATTERN = r"[0-9]{8}"

RESULTS = Path("results")
RECORDS = RESULTS / "repositories"
MIRRORS = RESULTS / "mirrors"
ARCHIVES = RESULTS / "archives"
RECEIPTS = RESULTS / "uploaded"
REPLACED = RESULTS / "replaced"
BASES = RESULTS / "bases"
LISTINGS = RESULTS / "listings"
LOCK = RESULTS / "lock"
FAILURES = RESULTS / "failures"
RESTORED = RESULTS / "restore"
PUSHED = RESULTS / "pushed"
VERIFIED = RESULTS / "verified"
SCRATCH = RESULTS / "scratch"
EXAMPLE = RESULTS / "example-organization"
SUMMARY = RESULTS / "summary.json"
PROOFS = RESULTS / "proofs"
DURATIONS = RESULTS / "durations.jsonl"
HEALTH = RESULTS / "health"
HEALTH_FACTS = HEALTH / "facts"
HEALTH_INDEX = HEALTH / "index"
HEALTH_ORGANIZATION = HEALTH / "organization" / "all.json"
HEALTH_REPORT = RESULTS / "health.json"
METRICS = RESULTS / "metrics.prom"

MANIFEST = "manifest.json"
# Beside a mirror, not in the tarball: what the mirror holds, for the manifest.
MIRROR_CONTENTS = "contents.json"
# Below the store's prefix: a record of each run.
HISTORY = ".history/"
# Below the store's prefix: the refs of each backup, with which the next one is compared.
REFS = ".refs/"
# Below the store's prefix: which alerts were told, and when.
TOLD_ALERTS = f"{HISTORY}alerts.json"
# Below the store's prefix: what the newest health check found.
HEALTH_NOTE = ".health/latest.json"
# What is being made has a name that begins so, as no repository can, and is never believed.
PARTIAL = "~partial-"

_REPOSITORY = re.compile(REPOSITORY_PATTERN)
_TARBALL = re.compile(rf"(?P<repo>{REPOSITORY_PATTERN})-(?P<date>{DATE_PATTERN})\.tar\.gz")
_PROOF = re.compile(
    rf"(?P<repo>{REPOSITORY_PATTERN})-(?P<date>{DATE_PATTERN})"
    rf"\.proof-(?P<proven>{DATE_PATTERN})\.(?P<verdict>good|bad)\.json"
)
_BASE = re.compile(
    rf"(?P<repo>{REPOSITORY_PATTERN})-(?P<date>{DATE_PATTERN})\.base-(?P<base>{DATE_PATTERN})\.json"
)
_PIN = re.compile(rf"(?P<repo>{REPOSITORY_PATTERN})-(?P<date>{DATE_PATTERN})\.pinned\.json")
_REFS = re.compile(rf"{re.escape(REFS)}(?P<repo>{REPOSITORY_PATTERN})-(?P<date>{DATE_PATTERN})\.json\.gz")
_HISTORY = re.compile(rf"{re.escape(HISTORY)}[a-z]+-[0-9]{{8}}T[0-9]{{6}}-[0-9a-f]{{8}}\.json")
_RECEIPT_SUFFIX = ".uploaded"


class BackupName(NamedTuple):
    """What names a backup: the repository and the day (UTC) on which it was made."""

    repo: str
    date: dt.date


class BaseName(NamedTuple):
    """What names a note of what an increment stands on: the increment, and the day of the full backup."""

    backup: BackupName
    base: dt.date


class ProofName(NamedTuple):
    """What names a proof: the backup, the day (UTC) on which it was tried, and how that ended."""

    backup: BackupName
    proven_on: dt.date
    is_good: bool


def is_repository_name(name: str) -> bool:
    """Whether ``name`` can stand in paths and object keys as it is."""
    return _REPOSITORY.fullmatch(name) is not None and name not in {".", ".."}


def format_date(date: dt.date) -> str:
    """Return ``date`` as ``YYYYMMDD``."""
    return date.strftime("%Y%m%d")


@lru_cache(maxsize=4096)  # a store of many backups has few dates
def parse_date(text: str) -> dt.date:
    """Return the date that ``YYYYMMDD`` says; ValueError where it is no day of the calendar."""
    return dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC).date()


def record_path(repo: str) -> Path:
    """Where the record of a repository stands: what upstream says of it."""
    return RECORDS / f"{repo}.json"


def health_facts_path(repo: str) -> Path:
    """Where the listings' facts of a repository stand, for its health check."""
    return HEALTH_FACTS / f"{repo}.json"


def health_path(repo: str) -> Path:
    """Where it stands what the health check of a repository found, until the next one."""
    return HEALTH / f"{repo}.json"


def failure_path(subject: str) -> Path:
    """Where the failure of a repository, or of one of its backups, is noted until the next run."""
    return FAILURES / f"{subject}.json"


def tarball_name(name: BackupName) -> str:
    """Return the file name of a backup, ``{repo}-{YYYYMMDD}.tar.gz``."""
    return f"{name.repo}-{format_date(name.date)}.tar.gz"


def parse_tarball_name(text: str) -> BackupName | None:
    """Return what a tarball's file name says, or None where it is not one of ours."""
    return _backup_name(_TARBALL.fullmatch(text))


def _backup_name(match: re.Match[str] | None) -> BackupName | None:
    """Return what the groups ``repo`` and ``date`` of a match say."""
    if match is None or not is_repository_name(match["repo"]):
        return None
    try:
        return BackupName(match["repo"], parse_date(match["date"]))
    except ValueError:
        return None


def base_path(repo: str) -> Path:
    """Where it stands what the next backup of a repository is an increment on, where it is to be one."""
    return BASES / f"{repo}.json"


def receipt_path(name: BackupName) -> Path:
    """Where the receipt of a stored backup stands."""
    return RECEIPTS / f"{tarball_name(name)}{_RECEIPT_SUFFIX}"


def replaced_path(name: BackupName) -> Path:
    """Where the receipt of a backup of today stands while another one is made to replace it."""
    return REPLACED / receipt_path(name).name


def parse_receipt_name(text: str) -> BackupName | None:
    """Return what a receipt's file name says, or None where it is not one of ours."""
    return parse_tarball_name(text.removesuffix(_RECEIPT_SUFFIX)) if text.endswith(_RECEIPT_SUFFIX) else None


def object_key(name: BackupName) -> str:
    """Return the key of a backup below the store's prefix, ``{repo}/{repo}-{YYYYMMDD}.tar.gz``."""
    return f"{name.repo}/{tarball_name(name)}"


def parse_object_key(key: str) -> BackupName | None:
    """Return what a key below the store's prefix says, or None where the object is not one of ours."""
    folder, separator, file_name = key.partition("/")
    name = parse_tarball_name(file_name)
    return name if separator and name is not None and name.repo == folder else None


def proof_key(proof: ProofName) -> str:
    """Return the key of a proof, ``{repo}/{repo}-{YYYYMMDD}.proof-{YYYYMMDD}.{good|bad}.json``.

    The verdict stands in the name, so that a listing alone says what is proven, and when.
    """
    repo, date = proof.backup
    verdict = "good" if proof.is_good else "bad"
    return f"{repo}/{repo}-{format_date(date)}.proof-{format_date(proof.proven_on)}.{verdict}.json"


def parse_proof_key(key: str) -> ProofName | None:
    """Return what the key of a proof says, or None where the object is none."""
    folder, separator, file_name = key.partition("/")
    match = _PROOF.fullmatch(file_name)
    if not separator or match is None or match["repo"] != folder or not is_repository_name(folder):
        return None
    try:
        backup = BackupName(folder, parse_date(match["date"]))
        return ProofName(backup, parse_date(match["proven"]), match["verdict"] == "good")
    except ValueError:
        return None


def base_key(note: BaseName) -> str:
    """Return the key of a note of an increment's base, ``{repo}/{repo}-{YYYYMMDD}.base-{YYYYMMDD}.json``.

    Both days stand in the name, so that a listing alone says which backups must not go without which.
    """
    repo, date = note.backup
    return f"{repo}/{repo}-{format_date(date)}.base-{format_date(note.base)}.json"


def parse_base_key(key: str) -> BaseName | None:
    """Return what the key of a note of a base says, or None where the object is none."""
    folder, _separator, file_name = key.partition("/")
    match = _BASE.fullmatch(file_name)
    name = _backup_name(match)
    if match is None or name is None or name.repo != folder:
        return None
    try:
        return BaseName(name, parse_date(match["base"]))
    except ValueError:
        return None


def pin_key(name: BackupName) -> str:
    """Return the key of the note that keeps a backup, ``{repo}/{repo}-{YYYYMMDD}.pinned.json``."""
    return f"{name.repo}/{name.repo}-{format_date(name.date)}.pinned.json"


def parse_pin_key(key: str) -> BackupName | None:
    """Return which backup a note keeps, or None where the object is no such note."""
    folder, separator, file_name = key.partition("/")
    name = _backup_name(_PIN.fullmatch(file_name))
    return name if separator and name is not None and name.repo == folder else None


def refs_key(name: BackupName) -> str:
    """Return the key of the refs of a backup, ``.refs/{repo}-{YYYYMMDD}.json.gz``."""
    return f"{REFS}{name.repo}-{format_date(name.date)}.json.gz"


def parse_refs_key(key: str) -> BackupName | None:
    """Return whose refs an object holds, or None where it is none of that kind."""
    return _backup_name(_REFS.fullmatch(key))


def history_key(kind: str, moment: dt.datetime, run: str) -> str:
    """Return the key of the record of a run, ``.history/{kind}-{YYYYMMDDTHHMMSS}-{run}.json``."""
    return f"{HISTORY}{kind}-{moment:%Y%m%dT%H%M%S}-{run}.json"


def is_history_key(key: str) -> bool:
    """Whether a key below the store's prefix is that of the record of a run."""
    return _HISTORY.fullmatch(key) is not None


def proof_path(proof: ProofName) -> Path:
    """Where what a proof in the store says is kept, so that it is read once."""
    return PROOFS / proof_key(proof).partition("/")[2]


def pushed_path(name: BackupName) -> Path:
    """Where it is noted that a restored repository has been pushed, and to where."""
    return PUSHED / f"{name.repo}-{format_date(name.date)}.json"


def restored_path(name: BackupName) -> Path:
    """Where it is noted that a backup has been restored, and to where."""
    return RESTORED / f"{name.repo}-{format_date(name.date)}.json"


def verified_path(name: BackupName) -> Path:
    """Where the proof of a backup stands until the run ends."""
    return VERIFIED / f"{name.repo}-{format_date(name.date)}.json"
