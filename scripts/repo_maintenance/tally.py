"""What this process counts while it works: requests that were made again, and what is left of a quota."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Literal, NamedTuple

Service = Literal["git", "github", "s3"]


class Quota(NamedTuple):
    """What GitHub's API still grants, as its last answer said."""

    remaining: int
    limit: int
    resets_at: int
    """Seconds since 1970."""


_lock = threading.Lock()
_retries: Counter[str] = Counter()
_quotas: list[Quota] = []


def count_retry(service: Service) -> None:
    """Count one request that is made again because the one before failed."""
    with _lock:
        _retries[service] += 1


def retries() -> dict[str, int]:
    """Return how often a request was made again in this process, by service; what never was is left out."""
    with _lock:
        return dict(sorted(_retries.items()))


def note_quota(quota: Quota) -> None:
    """Note what an answer said; the newest counts."""
    _quotas[:] = [quota]


def quota() -> Quota | None:
    """Return what is left, None where GitHub was not asked, or did not say."""
    return next(iter(_quotas), None)


def reset() -> None:
    """Forget everything, as a new process would."""
    with _lock:
        _retries.clear()
        _quotas.clear()
