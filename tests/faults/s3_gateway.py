"""An HTTP server in front of S3 that answers some requests itself, as AWS would, and hands on the others.

SeaweedFS has neither bad days nor policies nor regions: what AWS answers then is said here in its words
(https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass
class Refusal:
    """An answer in S3's place to requests that ``match``, to the first ``times`` of them (None: to all)."""

    match: Callable[[Asked], bool]
    status: int
    code: str
    message: str = "No."
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    body: str | None = None
    """What is sent in place of an error."""
    hits: int = 0


class S3Gateway:
    """The server, on a loopback port, from ``with`` to the end of its block."""

    def __init__(self, endpoint_url: str) -> None:
        self._target = urlsplit(endpoint_url).netloc
        self._refusals: list[Refusal] = []
        self._lock = threading.Lock()
        self.requests: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def refuse(
        self,
        status: int,
        code: str,
        *,
        method: str = "",
        query: str = "",
        where: Callable[[Asked], bool] = lambda _: True,
        times: int | None = None,
        headers: Mapping[str, str] | None = None,
        message: str = "No.",
        body: str | None = None,
    ) -> Refusal:
        """Answer requests of a method (any) whose query holds a word (any), and for which ``where`` holds."""

        def match(asked: Asked) -> bool:
            return asked.method.startswith(method) and query in asked.query and where(asked)

        refusal = Refusal(match, status, code, message, headers or {}, times, body)
        self._refusals.append(refusal)
        return refusal

    def _arrived(self, asked: Asked) -> Refusal | None:
        with self._lock:
            self.requests.append(asked)
            for refusal in self._refusals:
                if (refusal.times is None or refusal.hits < refusal.times) and refusal.match(asked):
                    refusal.hits += 1
                    return refusal
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                """Say nothing: the requests are kept."""

            def _handle(self) -> None:
                address = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                refusal = gateway._arrived(Asked(self.command, address.path, address.query, headers, body))
                if refusal is None:
                    self._answer(*_forward(gateway._target, self.command, self.path, headers, body))
                    return
                said = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
                answer = {"Content-Type": "application/xml", **refusal.headers}
                self._answer(
                    refusal.status, answer, (said if refusal.body is None else refusal.body).encode()
                )

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - http.server's names

            def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if not any(name.lower() == "content-length" for name in headers):
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        return Handler


def _forward(
    target: str, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Hand a request on as it is, its signed ``Host`` included; returns the answer."""
    connection = http.client.HTTPConnection(target)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name not in HOP_BY_HOP:
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
        return answer.status, kept, answer.read()
    finally:
        connection.close()
