"""Unpacks tarballs from anywhere: nothing is written outside, and nothing stays that git would run."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from isal import igzip, isal_zlib

from repo_maintenance.errors import UnsafeTarballError
from repo_maintenance.git import run_git

COPY_BYTES = 1 << 20
DecompressionError = cast(type[Exception], isal_zlib.error)
# Parts of a git directory that make git run programs or read elsewhere; a mirror needs none of them.
# https://git-scm.com/docs/gitrepository-layout
DANGEROUS = (
    "hooks",
    "commondir",
    "gitdir",
    "config.worktree",
    "objects/info/alternates",
    "objects/info/http-alternates",
)
KEPT_SETTINGS = ("core.repositoryformatversion", "extensions.objectformat", "remote.origin.url")


def extract(tarball: Path, folder: Path) -> None:
    """Unpack a gzipped tarball, reading it once and to its end.

    Only files and folders below ``folder`` are made, with modes of our own. Raises UnsafeTarballError for a
    path that leads outside, a link, or a device, and for a tarball that is not whole.
    """
    try:
        with (
            _gunzip(tarball) as zipped,
            tarfile.open(fileobj=zipped, mode="r|") as tar,
        ):
            for entry in tar:
                _extract_entry(tar, entry, folder)
            while zipped.read(COPY_BYTES):  # to the end, where gzip's own checksum stands
                pass
    except (tarfile.TarError, EOFError, igzip.BadGzipFile, DecompressionError) as error:
        raise UnsafeTarballError(f"{tarball.name} is not a whole tarball: {error}", kind="damaged") from error


def find_repositories(folder: Path) -> list[Path]:
    """Return the git directories that were unpacked directly into ``folder``, sorted by name."""
    return [
        path for path in sorted(folder.iterdir()) if (path / "HEAD").is_file() and (path / "objects").is_dir()
    ]


def disarm(git_dir: Path) -> None:
    """Take out of an unpacked repository what git would run or follow, and settings that it does not need."""
    for name in DANGEROUS:
        path = git_dir / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    config = git_dir / "config"
    kept = dict(_read_settings(config))
    config.unlink(missing_ok=True)
    for name, value in {"core.repositoryformatversion": "0", **kept, "core.bare": "true"}.items():
        run_git(["config", "--file", config, name, value])


def _read_settings(config: Path) -> Iterator[tuple[str, str]]:
    """Yield the settings to keep; ``--file`` follows no includes (git-config(1))."""
    if not config.is_file():
        return
    for line in run_git(["config", "--file", config, "--null", "--list"]).split("\0"):
        name, _newline, value = line.partition("\n")
        if name in KEPT_SETTINGS:
            yield name, value


def _extract_entry(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    path = PurePosixPath(entry.name)
    if path.is_absolute() or ".." in path.parts or "\0" in entry.name:
        raise UnsafeTarballError(
            f"the tarball holds a path that leads outside: {entry.name!r}", kind="hostile"
        )
    target = folder / path
    if entry.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    source = tar.extractfile(entry) if entry.isreg() else None
    if source is None:
        raise UnsafeTarballError(f"the tarball holds a link or a device: {entry.name!r}", kind="hostile")
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file, COPY_BYTES)


def _gunzip(tarball: Path) -> IO[bytes]:
    return cast(IO[bytes], igzip.open(tarball, "rb"))  # type: ignore[no-untyped-call]
