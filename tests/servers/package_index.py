"""A package index on a loopback port: PyPI's, npm's and GitHub's answers about releases."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit


class PackageIndexServer:
    """Answers with what tests put in, 404 for all else; remembers what it was asked."""

    def __init__(self) -> None:
        """Take a port; nothing is answered before `with`."""
        self.answers: dict[str, Any] = {}
        self.statuses: dict[str, int] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_GET(self) -> None:
                """Answer as JSON."""
                path = unquote(urlsplit(self.path).path)
                outer.asked.append(path)
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                known = path in outer.answers
                body = outer.answers.get(path, {"message": "Not Found"})
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(outer.statuses.get(path, 200 if known else 404))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server."""
        self.stop()

    def stop(self) -> None:
        """Refuse all further connections; may be called twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    @property
    def settings(self) -> dict[str, Any]:
        """Return the section `health.index` that leads here, for all kinds of packages."""
        return {"pypi_url": self.url, "npm_url": self.url, "actions_url": self.url, "timeout_seconds": 5}

    def add_python(self, name: str, *versions: str) -> None:
        """Offer releases of a Python package."""
        self.answers[f"/pypi/{name}/json"] = {"releases": {one: [{"yanked": False}] for one in versions}}

    def add_npm(self, name: str, *versions: str) -> None:
        """Offer releases of an npm package."""
        self.answers[f"/{name}"] = {"versions": {one: {} for one in versions}}

    def add_action(self, name: str, **commits: str) -> None:
        """Offer tags of an action, each with the commit that it names."""
        tags = [{"name": tag, "commit": {"sha": sha}} for tag, sha in commits.items()]
        self.answers[f"/repos/{name}/tags"] = tags
