"""Where backups go; a further store is one module and one line in ``open_store``."""

from __future__ import annotations

from repo_maintenance.settings import BackupSettings
from repo_maintenance.stores.base import Digests, Store, StoredObject

__all__ = ["Digests", "Store", "StoredObject", "open_store"]


def open_store(settings: BackupSettings) -> Store:
    """Return the store that the settings name; boto3, which takes 0.8 s to import, only for S3."""
    if settings.s3 is not None:
        from repo_maintenance.stores.s3 import S3Store

        return S3Store.connect(settings.s3)
    from repo_maintenance.stores.folder import FolderStore

    return FolderStore(settings.directory)
