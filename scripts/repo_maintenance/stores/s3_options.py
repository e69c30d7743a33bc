"""What the settings say of every new object, as S3's own arguments."""

from __future__ import annotations

import datetime as dt
from typing import Any

from repo_maintenance.settings import S3Settings


def note_options(settings: S3Settings) -> dict[str, Any]:
    """Return what holds for every object, also for notes: a bucket's policy may demand it."""
    options = {
        "ServerSideEncryption": settings.sse,
        "SSEKMSKeyId": settings.kms_key_id,
        "ACL": settings.acl,
    }
    return {name: value for name, value in options.items() if value is not None}


def backup_options(settings: S3Settings) -> dict[str, Any]:
    """Return what holds for backups; notes, which are read and replaced, are neither cold nor locked."""
    options: dict[str, Any] = note_options(settings)
    if settings.storage_class is not None:
        options["StorageClass"] = settings.storage_class
    if lock := settings.object_lock:
        until = dt.datetime.now(dt.UTC) + dt.timedelta(days=lock.days)
        options |= {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": until}
    return options
