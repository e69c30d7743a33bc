"""Sends one HTTP answer, through the fault that was set for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler

from tests.servers.github_log import Fault, Request

PIECE = 1 << 16


class CutError(ConnectionAbortedError):
    """A fault ends the connection here."""


class Outlet:
    """An answer on its way out: `start`, `write` as often as needed, `end`; or `send` for all of them."""

    def __init__(
        self, handler: BaseHTTPRequestHandler, request: Request, fault: Fault | None, closing: threading.Event
    ) -> None:
        """Wait for the fault's `delay`."""
        self._handler = handler
        self._request = request
        self._fault = fault
        self._closing = closing
        self._sent = 0
        self._chunked = False
        self._stalled = False
        if fault is not None and fault.delay:
            closing.wait(fault.delay)

    @property
    def faked(self) -> bool:
        """Whether the fault answers in the server's place."""
        return self._fault is not None and self._fault.status is not None

    def send_fault(self) -> None:
        """Send the fault's own answer."""
        assert self._fault is not None
        assert self._fault.status is not None
        self.send(self._fault.status, {}, self._fault.body_bytes)

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a whole answer."""
        self.start(status, headers, len(body))
        self.write(body)
        self.end()

    def start(self, status: int, headers: Mapping[str, str], length: int | None) -> None:
        """Send the status and the headers; a body whose length isn't known goes out in chunks."""
        self._request.status = status
        handler = self._handler
        handler.send_response(status)
        extra = {} if self._fault is None else dict(self._fault.headers)
        for name, value in (
            {"Content-Type": "application/json; charset=utf-8"} | dict(headers) | extra
        ).items():
            handler.send_header(name, value)
        self._chunked = length is None
        if self._chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        elif status not in (204, 304):
            handler.send_header("Content-Length", str(length))
        handler.end_headers()

    def write(self, data: bytes) -> None:
        """Send a piece of the body; raises CutError at the byte where the fault ends the connection."""
        if self._handler.command == "HEAD":
            return
        fault = self._fault
        if fault is not None and fault.stall_seconds and fault.after_bytes is None:
            self._stall(fault.stall_seconds)
        if (
            fault is not None
            and fault.after_bytes is not None
            and self._sent + len(data) >= fault.after_bytes
        ):
            self._put(data[: fault.after_bytes - self._sent])
            self._stall(fault.stall_seconds)
            raise CutError(f"cut after {fault.after_bytes} bytes")
        self._put(data)

    def end(self) -> None:
        """End the body; a fault that cuts later than the body is long cuts here."""
        if (
            self._fault is not None
            and self._fault.after_bytes is not None
            and self._handler.command != "HEAD"
        ):
            self._handler.wfile.flush()
            raise CutError("cut at the end")
        if self._chunked:
            self._handler.wfile.write(b"0\r\n\r\n")
        self._handler.wfile.flush()

    def _put(self, data: bytes) -> None:
        self._sent += len(data)
        if data and self._chunked:
            self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        elif data:
            self._handler.wfile.write(data)

    def _stall(self, seconds: float) -> None:
        self._handler.wfile.flush()
        if seconds and not self._stalled:
            self._stalled = True
            self._closing.wait(seconds)


def body_pieces(handler: BaseHTTPRequestHandler) -> Iterator[bytes]:
    """Yield a request's body, of a stated length or chunked (RFC 9112, 7.1), as it arrives."""
    if "chunked" in handler.headers.get("Transfer-Encoding", "").lower():
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            yield from _exactly(handler, size)
            handler.rfile.readline()
        while handler.rfile.readline().strip():
            pass
        return
    yield from _exactly(handler, int(handler.headers.get("Content-Length") or 0))


def _exactly(handler: BaseHTTPRequestHandler, size: int) -> Iterator[bytes]:
    while size:
        piece = handler.rfile.read(min(PIECE, size))
        if not piece:
            raise ConnectionResetError("the client ended its request too early")
        size -= len(piece)
        yield piece
