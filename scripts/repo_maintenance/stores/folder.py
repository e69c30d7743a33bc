"""A local folder as a store: each object a file, its metadata in a file beside it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from repo_maintenance.errors import AlreadyStoredError, ChangedSourceError, StoreError
from repo_maintenance.findings import Finding, failure, ok
from repo_maintenance.naming import PARTIAL
from repo_maintenance.stores.base import Digests, StoredObject

METADATA_SUFFIX = ".metadata.json"
CHUNK_BYTES = 1 << 20


class FolderStore:
    """Objects as files below one folder.

    A file gets its final name only when its whole content is on the disk, and its metadata after that. A
    file without metadata is thus of another origin, or its storing was cut off: nothing is taken from it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.description = f"folder {folder}"

    def locate(self, key: str) -> str:
        """Return the path of a key."""
        return str(self._folder / key)

    def check(self) -> Iterator[Finding]:
        """Say whether the folder can be written."""
        yield self.check_writable()

    def check_writable(self) -> Finding:
        """Say whether a file can be made in the folder."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=PARTIAL):
                return ok("store", f"{self.description} is writable")
        except OSError as error:
            return failure(
                "store", f"can't write {self._folder}: {error.strerror}", "correct backup.directory"
            )

    def clear_stale(self, before: dt.datetime) -> None:
        """Remove partial files that were begun before a moment."""
        for path in self._folder.rglob(f"{PARTIAL}*"):
            if path.is_file() and path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object; a folder that is not there yet holds none. Raises OSError."""
        if not self._folder.exists():
            return
        for folder, folders, names in os.walk(self._folder, onerror=_fail):
            folders.sort()
            for name in sorted(names):
                if not name.startswith(PARTIAL) and not name.endswith(METADATA_SUFFIX):
                    with suppress(FileNotFoundError):  # another run has deleted it since
                        yield self._describe(Path(folder) / name, {})

    def find(self, key: str) -> StoredObject | None:
        """Return the object with its metadata, or None where there is none."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            return self._describe(path, _read_metadata(path))
        except FileNotFoundError:  # another run has deleted it since
            return None

    def download(self, key: str, target: Path) -> None:
        """Copy a file; see ``Store.download``."""
        source = self._path(key)
        if not source.is_file():
            raise StoreError(f"{source} is missing", kind="missing object")
        shutil.copyfile(source, target)

    def put_note(self, key: str, content: bytes) -> None:
        """Write a small file whole; see ``Store.put_note``."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=PARTIAL, delete=False) as target:
            partial = Path(target.name)
            try:
                target.write(content)
                target.close()
                partial.chmod(0o644)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)

    def read_note(self, key: str) -> bytes | None:
        """Return what a small file holds; see ``Store.read_note``."""
        path = self._path(key)
        return path.read_bytes() if path.is_file() else None

    def keeps_versions(self) -> bool:
        """Return that a deleted file is gone."""
        return False

    def delete(self, keys: Sequence[str]) -> dict[str, str]:
        """Remove files with their metadata, the file first; see ``Store.delete``."""
        refused = {}
        for key in keys:
            path = self._path(key)
            try:
                path.unlink(missing_ok=True)
                _metadata_path(path).unlink(missing_ok=True)
            except OSError as error:
                refused[key] = error.strerror or str(error)
        return refused

    def put(
        self, key: str, source: Path, digests: Digests, metadata: Mapping[str, str], *, replaces: str | None
    ) -> StoredObject:
        """Copy, digest, flush and rename; see ``Store.put``."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=PARTIAL, delete=False) as target:
            partial = Path(target.name)
            try:
                _copy(source, target, digests)
                self._publish(partial, path, metadata, replaces)
            finally:
                partial.unlink(missing_ok=True)
        return self._describe(path, metadata)

    def _publish(self, partial: Path, path: Path, metadata: Mapping[str, str], replaces: str | None) -> None:
        """Give a flushed file its final name, then its metadata; never old content with new metadata.

        All that takes room is on the disk before the first rename, so a full disk changes nothing.
        """
        partial.chmod(0o644)
        described = _write_metadata(path, metadata)
        try:
            if replaces is None:
                _rename_if_free(partial, path)
            else:
                if path.exists() and _version(path) != replaces:
                    raise AlreadyStoredError(f"{path} was changed by another run meanwhile")
                _metadata_path(path).unlink(missing_ok=True)
                _flush_folder(path.parent)
                partial.replace(path)
            described.replace(_metadata_path(path))
        finally:
            described.unlink(missing_ok=True)
        _flush_folder(path.parent)

    def _path(self, key: str) -> Path:
        path = self._folder / key
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise StoreError(f"the key {key!r} leads out of {self._folder}")
        return path

    def _describe(self, path: Path, metadata: Mapping[str, str]) -> StoredObject:
        status = path.stat()
        return StoredObject(
            key=path.relative_to(self._folder).as_posix(),
            size=status.st_size,
            version=_version(path),
            modified=dt.datetime.fromtimestamp(status.st_mtime, dt.UTC),
            metadata=metadata,
        )


def _rename_if_free(partial: Path, path: Path) -> None:
    """Rename without overwriting: a hard link fails where the name is taken, in one step."""
    try:
        path.hardlink_to(partial)
    except FileExistsError as error:
        raise AlreadyStoredError(f"{path} exists already and is not overwritten") from error
    except PermissionError:  # a file system without hard links, such as exFAT
        if path.exists():
            raise AlreadyStoredError(f"{path} exists already and is not overwritten") from None
        partial.replace(path)


def _version(path: Path) -> str:
    status = path.stat()
    return f"{status.st_mtime_ns}-{status.st_ino}-{status.st_size}"


def _copy(source: Path, target: Any, digests: Digests) -> None:
    """Copy a file, flush it to the disk, and check that what went by is what ``digests`` says."""
    sha256 = hashlib.sha256()
    with source.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            sha256.update(chunk)
            target.write(chunk)
    target.flush()
    os.fsync(target.fileno())
    if sha256.hexdigest() != digests.sha256:
        raise ChangedSourceError(f"{source} changed after it was digested")


def _metadata_path(path: Path) -> Path:
    return path.with_name(path.name + METADATA_SUFFIX)


def _write_metadata(path: Path, metadata: Mapping[str, str]) -> Path:
    """Write the metadata of an object to a partial file, flushed, and return that."""
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=PARTIAL, encoding="utf-8", delete=False
    ) as stream:
        partial = Path(stream.name)
        try:
            json.dump(dict(metadata), stream, indent=2, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    partial.chmod(0o644)
    return partial


def _read_metadata(path: Path) -> dict[str, str]:
    """Return an object's metadata; nothing where there are none, or none that can be read."""
    try:
        metadata = json.loads(_metadata_path(path).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, dict) else {}


def _fail(error: OSError) -> NoReturn:
    raise error


def _flush_folder(folder: Path) -> None:
    """Make a rename survive a loss of power: on Linux the folder itself must be flushed (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
