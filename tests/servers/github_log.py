"""Owns what the fake GitHub was asked, and the faults that were set for its answers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

API = "/api/v3"
GRAPHQL = "/api/graphql"


@dataclass(slots=True)
class Request:
    """One request as it arrived; `status` stays 0 until an answer begins."""

    method: str
    path: str
    query: str
    authorization: str | None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_api(self) -> bool:
        """Whether the request went to the API: REST, or GraphQL."""
        return self.path.startswith(f"{API}/") or self.path == GRAPHQL

    @property
    def is_lfs(self) -> bool:
        """Whether the request went to Git LFS."""
        return ".git/info/lfs/" in self.path


@dataclass(slots=True)
class Fault:
    """What goes wrong with the requests that `match`, the first `times` of them (None: all).

    `delay` seconds pass before the request is handled. `status` (with `headers` and `body`) answers in
    GitHub's place; without it `headers` are added to the true answer. After `after_bytes` of the body the
    connection is cut; `stall_seconds` is a silence there or, without `after_bytes`, ahead of the body.
    """

    match: Callable[[Request], bool]
    times: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str | Mapping[str, object] = b""
    after_bytes: int | None = None
    stall_seconds: float = 0.0
    delay: float = 0.0
    hits: int = 0

    @property
    def body_bytes(self) -> bytes:
        """Return the body as it goes out."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def matching(pattern: str, method: str | None = None) -> Callable[[Request], bool]:
    """Return a matcher for `Fault`: the regular expression is searched in `path?query`."""
    compiled = re.compile(pattern)

    def match(request: Request) -> bool:
        if method is not None and request.method != method:
            return False
        return compiled.search(f"{request.path}?{request.query}") is not None

    return match


class RequestLog:
    """Requests in the order of their arrival, and the faults for them; safe to use from many threads."""

    def __init__(self) -> None:
        """Start with neither."""
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._faults: list[Fault] = []

    def arrived(self, request: Request) -> Fault | None:
        """Keep a request; returns the fault for it, the earliest set that matches and isn't used up."""
        with self._lock:
            self._requests.append(request)
            for fault in self._faults:
                if (fault.times is None or fault.hits < fault.times) and fault.match(request):
                    fault.hits += 1
                    return fault
        return None

    def requests(self) -> list[Request]:
        """Return a copy of the list."""
        with self._lock:
            return list(self._requests)

    def clear_requests(self) -> None:
        """Forget the requests, not the faults."""
        with self._lock:
            self._requests.clear()

    def add_fault(self, fault: Fault) -> Fault:
        """Set a fault; returns it, so that its `hits` can be read."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear_faults(self) -> None:
        """Heal everything."""
        with self._lock:
            self._faults.clear()
