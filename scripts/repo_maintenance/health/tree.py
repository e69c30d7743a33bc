"""Reads a mirror without a working copy: its files, branches and history. All of it may be hostile."""

from __future__ import annotations

import datetime as dt
import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from repo_maintenance.git import list_refs, run_git

logger = logging.getLogger(__name__)

LARGEST_READ_BYTES = 1 << 20
MOST_FILES = 200_000
CHUNK_BYTES = 1 << 20
BRANCHES = "refs/heads/"
REGULAR_MODES = frozenset({"100644", "100755"})


@dataclass(frozen=True)
class File:
    """One file in the newest commit of the default branch; never a symbolic link."""

    path: str
    object_id: str
    size: int


@dataclass(frozen=True)
class Branch:
    """A branch, and when its newest commit was made."""

    name: str
    committed_at: dt.datetime


@dataclass(frozen=True)
class Blob:
    """A file's content somewhere in the history of a branch or a tag."""

    object_id: str
    path: str


class Tree:
    """A bare repository; git is asked for what is wanted, once."""

    def __init__(self, git_dir: Path, default_branch: str) -> None:
        self._git_dir = git_dir
        self._default_branch = default_branch

    @cached_property
    def tip(self) -> str | None:
        """The newest commit of the default branch, or None where there is none."""
        return list_refs(self._git_dir).get(f"{BRANCHES}{self._default_branch}")

    @cached_property
    def files(self) -> dict[str, File]:
        """The files of the default branch by path, of which there may be very many: the first 200,000."""
        if self.tip is None:
            return {}
        found: dict[str, File] = {}
        with self._printed("ls-tree", "-r", "-z", "--long", self.tip) as listing:
            for entry in _split(listing, b"\0"):
                if len(found) == MOST_FILES:
                    logger.warning("only the first %d files are looked at", MOST_FILES)
                    break
                described, _tab, path = entry.partition("\t")
                mode, _kind, object_id, size = described.split()
                if mode in REGULAR_MODES:
                    found[path] = File(path, object_id, int(size))
        return found

    def matching(self, pattern: str) -> list[File]:
        """Return the files whose whole path matches a regular expression, whatever the case, by path."""
        compiled = re.compile(pattern, re.IGNORECASE)
        return [self.files[path] for path in sorted(self.files) if compiled.fullmatch(path)]

    def has(self, pattern: str) -> bool:
        """Whether there is a file whose whole path matches a regular expression, whatever the case."""
        return bool(self.matching(pattern))

    def read(self, file: File) -> str | None:
        """Return a file's text, or None where it is larger than 1 MiB; what is no UTF-8 is escaped."""
        if file.size > LARGEST_READ_BYTES:
            return None
        return run_git(["cat-file", "blob", file.object_id], git_dir=self._git_dir)

    def begins(self, blob: Blob, size: int) -> bytes:
        """Return the first bytes of a blob that the history has."""
        with self._printed("cat-file", "blob", blob.object_id) as path, path.open("rb") as stream:
            return stream.read(size)

    @cached_property
    def branches(self) -> list[Branch]:
        """All branches, the one without a commit for the longest time first."""
        wanted = "--format=%(committerdate:unix) %(refname)"
        lines = run_git(["for-each-ref", "--sort=committerdate", wanted, BRANCHES], git_dir=self._git_dir)
        pairs = (line.split(" ", 1) for line in lines.splitlines())
        return [Branch(name.removeprefix(BRANCHES), _moment(seconds)) for seconds, name in pairs if seconds]

    def history(self) -> Iterator[Blob]:
        """Yield every content that a branch or a tag reaches, with a path that it had; once each."""
        with self._printed("rev-list", "--objects", "--branches", "--tags") as listing:
            for line in _split(listing, b"\n"):
                object_id, _space, path = line.partition(" ")
                if path:
                    yield Blob(object_id, path)

    def additions(self) -> Iterator[Blob]:
        """Yield every content that ever came to a path on a branch or a tag, also the same one to several.

        ``history`` names each content once, by one of its paths.
        """
        options = ["--format=", "--raw", "--no-abbrev", "--no-renames", "-c", "-z", "--diff-filter=AM"]
        with self._printed("log", "--branches", "--tags", *options) as listing:
            described = ""
            for part in _split(listing, b"\0"):
                if described:
                    yield Blob(_object_id(described), part)
                    described = ""
                elif part:
                    described = part

    def sizes(self, at_least: int) -> dict[str, int]:
        """Return the blobs of so many bytes or more, reachable or not: object id → size."""
        with self._printed(
            "cat-file",
            "--batch-all-objects",
            "--unordered",
            "--batch-check=%(objecttype) %(objectsize) %(objectname)",
        ) as listing:
            entries = (line.split() for line in _split(listing, b"\n"))
            return {
                object_id: int(size)
                for kind, size, object_id in entries
                if kind == "blob" and int(size) >= at_least
            }

    @contextmanager
    def _printed(self, *command: str) -> Iterator[Path]:
        """Provide what git prints as a file, since it may be larger than the memory."""
        with tempfile.NamedTemporaryFile(dir=self._git_dir, prefix="tmp_") as target:
            run_git(command, git_dir=self._git_dir, stdout=target.file)
            yield Path(target.name)


def _object_id(described: str) -> str:
    """Return what a file became by a commit: a line of git-diff-tree(1) has modes, objects and a status.

    It begins with a colon for each parent; the objects are those of each parent, then the new one.
    """
    parents = len(described) - len(described.lstrip(":"))
    return described.split(" ")[2 * parents + 1]


def _moment(seconds: str) -> dt.datetime:
    """Return a moment; a commit may claim to be of any year, also of one that no calendar has."""
    try:
        return dt.datetime.fromtimestamp(int(seconds), dt.UTC)
    except (ValueError, OverflowError, OSError):
        return dt.datetime.max.replace(tzinfo=dt.UTC)


def _split(path: Path, separator: bytes) -> Iterator[str]:
    """Yield the parts of a file that a separator ends."""
    rest = b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            *parts, rest = (rest + chunk).split(separator)
            yield from (part.decode(errors="backslashreplace") for part in parts)
    if rest:
        yield rest.decode(errors="backslashreplace")
