"""Answers each HTTP request with the very bytes that a test gives: also with what no server should send."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SILENTLY = b"X-Then: closed\r\n"
"""A header of an answer after which the connection is closed, without a word to the client."""


@dataclass
class RawServer:
    """Where the server is, and what was asked."""

    url: str = ""
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)
    """The request lines and headers, in order."""


@contextmanager
def raw_server(answers: Iterable[bytes | None]) -> Iterator[RawServer]:
    """Serve the answers one after the other, whatever is asked; None closes the connection unanswered.

    The connection is closed after the last answer, and after one that has ``SILENTLY`` among its headers.
    """
    left = iter(answers)
    lock = threading.Lock()
    found = RawServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with lock:
                found.connections += 1
            while head := self._read_head():
                with lock:
                    found.heads.append(head)
                    answer = next(left, None)
                if answer is None:
                    return
                self.wfile.write(answer)
                if SILENTLY in answer:
                    return

        def _read_head(self) -> bytes:
            lines = []
            with suppress(ConnectionResetError):
                while (line := self.rfile.readline()) not in {b"", b"\r\n"}:
                    lines.append(line)
            lengths = [int(one.split(b":")[1]) for one in lines if one.lower().startswith(b"content-length:")]
            self.rfile.read(sum(lengths))
            return b"".join(lines)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def git_answer(body: bytes, *, length: int | None = None, headers: bytes = b"") -> bytes:
    """Return the bytes of an answer of git's; ``length`` is what its header says, by default the truth."""
    said = len(body) if length is None else length
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\n"
        b"%bContent-Length: %d\r\n\r\n%b" % (headers, said, body)
    )


def chunked(body: bytes, *, piece: int = 100) -> bytes:
    """Return the bytes of an answer of git's in chunks."""
    pieces = [body[start : start + piece] for start in range(0, len(body), piece)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces)
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % chunks
    )
