"""Stores of full backups and increments as a listing tells of them, and their receipts: made from days."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from repo_maintenance.catalog import Catalog, read_catalog
from repo_maintenance.naming import BackupName, BaseName, ProofName, base_key, object_key, proof_key
from repo_maintenance.records import Receipt
from repo_maintenance.stores import StoredObject
from tests.unit.making import PUSHED_AT

REPO = "lecture"
FIRST = dt.date(2026, 1, 4)
FULL_BYTES = 1000
SHA256 = "a" * 64


class Kept(NamedTuple):
    """A backup in the stores of these tests."""

    day: int
    base: int | None
    size: int
    is_bad: bool = False


def date_of(day: int) -> dt.date:
    """Return the date of a day, counted from the first."""
    return FIRST + dt.timedelta(days=day)


def _stored(key: str, day: int, size: int = 1) -> StoredObject:
    moment = dt.datetime.combine(date_of(day), dt.time(), dt.UTC)
    return StoredObject(key, size, f"{key}-{size}", moment)


def catalog_of(backups: list[Kept]) -> Catalog:
    """Return what a listing of these backups tells."""
    objects = []
    for one in backups:
        name = BackupName(REPO, date_of(one.day))
        objects.append(_stored(object_key(name), one.day, one.size))
        if one.base is not None:
            objects.append(_stored(base_key(BaseName(name, date_of(one.base))), one.day))
        if one.is_bad:
            objects.append(_stored(proof_key(ProofName(name, date_of(one.day), False)), one.day))
    return read_catalog(objects)


def receipt_of_newest(backups: list[Kept], number: int) -> Receipt | None:
    """Return the receipt of the newest, the ``number``-th on its base."""
    if not backups:
        return None
    newest = backups[-1]
    increment = {} if newest.base is None else {"base_date": date_of(newest.base), "increment": number}
    return receipt(backup_date=date_of(newest.day), **increment)


def receipt(**fields: Any) -> Receipt:
    """Return a receipt, with `fields` in place of the usual values."""
    day = fields.get("backup_date", FIRST)
    usual = {
        "repository": f"acme/{REPO}",
        "repository_id": "id",
        "backup_date": day,
        "key": object_key(BackupName(REPO, day)),
        "version": "1",
        "pushed_at": PUSHED_AT,
        "size_bytes": FULL_BYTES,
        "sha256": SHA256,
        "md5": "m",
        "refs_digest": "r",
        "uploaded_at": PUSHED_AT,
    }
    return Receipt.model_validate(usual | fields)
