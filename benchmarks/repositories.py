"""Makes the repositories to back up: small ones, the same everywhere, a large one, copies of real ones."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.servers.repositories import git, git_environment, make_empty, make_repository

FIRST_COMMIT = 1_700_000_000
HOUR = 3600
COMMITS = (5, 40)
PACK_BYTES = (20_000, 200_000)
# What zlib makes of the generated text, once git has found its deltas.
TEXT_BYTES_PER_PACK_BYTE = 2.5
IDENTITY = b"Bench Author <bench@example.org>"


def make_small_repositories(folder: Path, count: int) -> int:
    """Make `count` repositories, `FOLDER/small-0001.git` on; returns their size on disk in bytes."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(partial(_make_small, folder), range(1, count + 1)))
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def make_large_repository(folder: Path, megabytes: int) -> None:
    """Make `FOLDER/large.git`, whose one large file does not compress."""
    make_repository(folder / "large.git", size_bytes=megabytes * 1_000_000)


def copy_sources(source: Path, folder: Path) -> int:
    """Add a bare copy of each repository in `source`, bare or not, to `folder`; returns how many."""
    found = [
        path for path in sorted(source.iterdir()) if (path / "HEAD").exists() or (path / ".git").exists()
    ]
    for path in found:
        target = folder / f"{path.name.removesuffix('.git')}.git"
        command = ["git", "-c", "safe.directory=*", "clone", "--quiet", "--mirror", "--"]
        subprocess.run([*command, str(path), str(target)], env=git_environment(), check=True)
    return len(found)


def _make_small(folder: Path, number: int) -> None:
    path = folder / f"small-{number:04}.git"
    source = random.Random(number)  # noqa: S311 - contents for a benchmark
    commits = source.randint(*COMMITS)
    text_bytes = round(source.randint(*PACK_BYTES) * TEXT_BYTES_PER_PACK_BYTE)
    make_empty(path)
    stream = b"".join(_history(source, commits, text_bytes // commits))
    git(path, "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--done", stdin=stream)
    git(path, "repack", "-adfq", "--threads=1")
    git(path, "pack-refs", "--all")


def _history(source: random.Random, commits: int, bytes_per_commit: int) -> Iterator[bytes]:
    """Yield a history for `git fast-import`: files that grow and change, a branch or two, some tags."""
    words = [_word(source) for _ in range(800)]
    files: dict[str, list[str]] = {}
    for number in range(commits):
        yield _commit_head(b"refs/heads/main", number)
        for name in _change(source, words, files, bytes_per_commit):
            yield f"M 100644 inline {name}\n".encode() + _data("\n".join(files[name]).encode() + b"\n")
        yield b"\n"
    for number in range(source.randint(0, 3)):
        branch = f"refs/heads/topic/{number}".encode()
        yield _commit_head(branch, commits + number) + b"from refs/heads/main\n"
        yield f"M 100644 inline topic-{number}.txt\n".encode() + _data(_line(source, words).encode()) + b"\n"
    for number in range(source.randint(0, 4)):
        head = f"tag v1.{number}\nfrom refs/heads/main\ntagger ".encode()
        yield head + IDENTITY + f" {FIRST_COMMIT} +0000\n".encode() + _data(b"A release")
    yield b"done\n"


def _change(source: random.Random, words: list[str], files: dict[str, list[str]], size: int) -> list[str]:
    """Add about `size` bytes of new lines to one to four files, some of them new; returns their names."""
    if source.random() < 0.5 or not files:
        files[f"src/{source.choice(words)}{len(files)}.py"] = []
    names = source.sample(sorted(files), min(len(files), source.randint(1, 4)))
    for name in names:
        added: list[str] = []
        left = size / len(names)
        while left > 0:
            added.append(_line(source, words))
            left -= len(added[-1])
        place = source.randint(0, len(files[name]))
        files[name][place:place] = added
    return names


def _word(source: random.Random) -> str:
    return "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(2, 10)))


def _line(source: random.Random, words: list[str]) -> str:
    return " ".join(source.choices(words, k=source.randint(3, 12)))


def _commit_head(ref: bytes, number: int) -> bytes:
    when = f" {FIRST_COMMIT + HOUR * number} +0000\n".encode()
    author = b"author " + IDENTITY + when + b"committer " + IDENTITY + when
    return b"commit " + ref + b"\n" + author + _data(f"Change {number}".encode())


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"
