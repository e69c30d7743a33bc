"""Where notifications arrive in tests: a real mail server, and a real receiver of webhooks and heartbeats."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    body: bytes


@dataclass
class WebhookSink:
    """An HTTP server that keeps what it is sent, and answers as it is told to."""

    status: int = 200
    requests: list[Request] = field(default_factory=list)
    held: threading.Event | None = None
    """No answer is sent before this is set."""

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer((HOST, 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.held is not None:
            self.held.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def apprise(self) -> str:
        """The address of a channel, as Apprise has it, with a secret in its path."""
        return f"json://{HOST}:{self.port}/hook-s3cr3t-path"

    @property
    def url(self) -> str:
        """The address of a heartbeat, with a secret in its path."""
        return f"http://{HOST}:{self.port}/ping-s3cr3t-path"

    @property
    def paths(self) -> list[str]:
        """What was asked for, in the order in which it came."""
        return [one.path for one in self.requests]

    @property
    def text(self) -> str:
        """All bodies that arrived."""
        return "\n".join(one.body.decode() for one in self.requests)


def _handler(sink: WebhookSink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sink.requests.append(Request(self.command, self.path, body))
            if sink.held is not None:
                sink.held.wait()
            self.send_response(sink.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return Handler


class MailSink:
    """An SMTP server that asks for a password, and keeps what it is sent."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.messages: list[EmailMessage] = []
        self._controller = Controller(
            self,
            hostname=HOST,
            port=0,
            authenticator=self._authenticate,
            auth_require_tls=False,
            auth_required=True,
            enable_SMTPUTF8=True,
        )
        self.port = 0

    def __enter__(self) -> Self:
        # The controller can't wait for a port that the system chooses, so it gets a free one.
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = self._controller.port = probe.getsockname()[1]
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    def apprise(self, password: str | None = None) -> str:
        """Return the address of a channel, as Apprise has it."""
        secret = password or self.password
        target = f"mailto://robot:{secret}@{HOST}:{self.port}/"
        return f"{target}?mode=insecure&from=robot@example.org&to=admin@example.org&smtp={HOST}"

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any
    ) -> Any:
        return AuthResult(success=data.password == self.password.encode(), handled=False)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message."""
        parse: Callable[..., Any] = email.message_from_bytes
        self.messages.append(parse(envelope.content, policy=email.policy.default))
        return "250 kept"


def unused_port() -> int:
    """Return a port that nobody listens on."""
    with WebhookSink() as sink:
        return sink.port
