"""Reads many notes of a store at once: each is a few bytes, and all of its time is spent waiting."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from repo_maintenance.stores.base import Store

CONCURRENT_READS = 16


def read_notes(store: Store, keys: Iterable[str]) -> list[bytes | None]:
    """Return what each note holds, in the order of the keys; None where there is none. Raises StoreError."""
    with ThreadPoolExecutor(CONCURRENT_READS) as pool:
        return list(pool.map(store.read_note, keys))
