"""Writes tarballs: tar, gzip and digests in one streaming pass, the same bytes for the same content."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip

from repo_maintenance.errors import ArchiveError
from repo_maintenance.naming import MANIFEST, MIRROR_CONTENTS
from repo_maintenance.stores.base import Digests

# Packs are compressed already: the fastest level costs 2 % of size and saves three quarters of the time.
GZIP_LEVEL = 1
COPY_BYTES = 1 << 20
# Beginning a thread costs more than digesting this.
DIGESTED_AT_ONCE_BYTES = 8 << 20
MOST_PENDING = 4
FOLDER_MODE = 0o755
FILE_MODE = 0o644

# Snakemake's own marker, what the manifest tells, and what an interrupted git leaves behind.
LEFT_OUT = re.compile(
    rf"\.snakemake_timestamp|{re.escape(MIRROR_CONTENTS)}"
    r"|[^/]+\.git/(hooks/.+\.sample|objects/(.+/)?(tmp_|\.tmp-)[^/]*|FETCH_HEAD|[^/]+\.lock)"
)


def write_tarball(folder: Path, manifest: bytes, target: Path, *, mtime: int) -> Digests:
    """Write all that ``folder`` holds, and the manifest first of all, to a gzipped tarball at ``target``.

    Entries are sorted; owners are root, and modes and times (``mtime``, seconds since the epoch) the same for
    all, so that identical content gives identical tarballs. Hook samples, lock files, half-received packs and
    Snakemake's marker are left out. Returns the digests of the tarball, taken as it was written.

    Raises ArchiveError for what has no place in a mirror, and OSError; leaves no half-written tarball.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("wb") as file, ThreadPoolExecutor(1) as pool:
            digesting = _DigestingWriter(file, pool)
            with (
                _gzip(digesting) as zipped,
                tarfile.TarFile(
                    fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT, copybufsize=COPY_BYTES
                ) as tar,
            ):
                _add_bytes(tar, MANIFEST, manifest, mtime)
                for path, name in _entries(folder):
                    _add(tar, path, name, mtime)
            return digesting.digests()
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _gzip(target: io.RawIOBase) -> BinaryIO:
    """Return a writer that compresses into ``target``, with neither a name nor a time in its header."""
    return cast(BinaryIO, igzip.IGzipFile("", "wb", GZIP_LEVEL, fileobj=target, mtime=0))  # type: ignore[no-untyped-call]


class _DigestingWriter(io.RawIOBase):
    """Passes bytes on to a file and digests them on the way: what is large, in a thread of its own."""

    def __init__(self, file: BinaryIO, pool: ThreadPoolExecutor) -> None:
        self._file = file
        self._pool = pool
        self._pending: deque[Future[None]] = deque()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._size += len(data)
        if self._size < DIGESTED_AT_ONCE_BYTES:
            self._digest(data)
        else:
            self._pending.append(self._pool.submit(self._digest, bytes(data)))
            if len(self._pending) > MOST_PENDING:
                self._pending.popleft().result()
        return self._file.write(data)

    def _digest(self, data: bytes) -> None:
        self._md5.update(data)
        self._sha256.update(data)

    def digests(self) -> Digests:
        """Return the digests of all that was written so far."""
        while self._pending:
            self._pending.popleft().result()
        return Digests(self._size, self._md5.hexdigest(), self._sha256.hexdigest())


def _entries(folder: Path, below: str = "") -> Iterator[tuple[Path, str]]:
    """Yield what belongs into the tarball with its name there, folders before what they hold, sorted."""
    for path in sorted(folder.iterdir()):
        name = below + path.name
        if LEFT_OUT.fullmatch(name):
            continue
        yield path, name
        if path.is_dir() and not path.is_symlink():
            yield from _entries(path, f"{name}/")


def _add(tar: tarfile.TarFile, path: Path, name: str, mtime: int) -> None:
    """Add one file or folder under a name; links and special files have no place in a mirror."""
    entry = tarfile.TarInfo(name)
    entry.mtime = mtime
    if path.is_symlink() or not (path.is_dir() or path.is_file()):
        raise ArchiveError(f"{path} is neither a file nor a folder")
    if path.is_dir():
        entry.type = tarfile.DIRTYPE
        entry.mode = FOLDER_MODE
        tar.addfile(entry)
        return
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        entry.size = status.st_size
        entry.mode = FILE_MODE
        tar.addfile(entry, stream)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes, mtime: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = FILE_MODE
    entry.mtime = mtime
    tar.addfile(entry, io.BytesIO(content))
