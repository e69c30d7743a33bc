"""The fake GitHub's HTTP server: reads a request, finds its endpoint, keeps the quota and answers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.servers import github_apps as apps
from tests.servers import github_graphql as graphql
from tests.servers import github_routes as routes
from tests.servers.github_access import BadCredentialsError, Quota, Viewer, api_token
from tests.servers.github_git import GitCall, serve_git
from tests.servers.github_lfs import serve_lfs
from tests.servers.github_log import API, GRAPHQL, Request, RequestLog
from tests.servers.github_outlet import CutError, Outlet, body_pieces
from tests.servers.github_routes import Answer, Call, Endpoint, World

SEGMENT = r"([^/]+)"
ENDPOINTS: list[tuple[str, re.Pattern[str], Endpoint]] = [
    (method, re.compile("^" + path.replace("{}", SEGMENT) + "$"), endpoint)
    for method, path, endpoint in (
        ("GET", "/orgs/{}", routes.get_organization),
        ("GET", "/orgs/{}/repos", routes.list_organization),
        ("POST", "/orgs/{}/repos", routes.create_in_organization),
        ("GET", "/orgs/{}/installation", apps.get_installation),
        ("GET", "/users/{}", routes.get_user),
        ("GET", "/users/{}/repos", routes.list_user),
        ("GET", "/users/{}/installation", apps.get_installation),
        ("GET", "/user", routes.get_viewer),
        ("GET", "/user/repos", routes.list_viewer),
        ("POST", "/user/repos", routes.create_for_viewer),
        ("GET", "/repos/{}/{}", routes.get_repository),
        ("PATCH", "/repos/{}/{}", routes.change_repository),
        ("GET", "/repos/{}/{}/topics", routes.get_topics),
        ("PUT", "/repos/{}/{}/topics", routes.replace_topics),
        ("GET", "/repositories/([0-9]+)", routes.get_repository_by_id),
        ("POST", GRAPHQL, graphql.answer_care),
        ("GET", "/rate_limit", routes.get_rate_limit),
        ("GET", "/meta", routes.get_meta),
        ("GET", "/app", apps.get_app),
        ("GET", "/app/installations", apps.list_installations),
        ("POST", "/app/installations/([0-9]+)/access_tokens", apps.create_token),
        ("GET", "/installation/repositories", apps.list_installation_repositories),
    )
]
UNCOUNTED = "/rate_limit"
BY_APP = re.compile(r"^/app(/|$)|/installation$")


class Server(ThreadingHTTPServer):
    """A server that knows its open connections, so that it can end them, and its handlers' own errors."""

    daemon_threads = True
    request_queue_size = 128

    def prepare(self, world: World, log: RequestLog) -> None:
        """Take what the handlers work on."""
        self.world = world
        self.log = log
        self.closing = threading.Event()
        self.problems: list[str] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End the server and all connections."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        self.cut(socket.SHUT_RDWR)

    def cut(self, how: int) -> None:
        """Shuts all open connections down."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(how)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection, then handles it in a thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection and closes it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """Keep errors of the fake itself; clients that go away are none."""
        if not isinstance(sys.exception(), ConnectionError) and not self.closing.is_set():
            self.problems.append(traceback.format_exc())


class Handler(BaseHTTPRequestHandler):
    """One connection; git, LFS and the API share it."""

    protocol_version = "HTTP/1.1"
    server_version = "GitHub.com"
    sys_version = ""
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *_: object) -> None:
        """Say nothing: the request log is kept."""

    def handle_expect_100(self) -> bool:
        """Let the client go on, at once in spite of the buffer."""
        found = super().handle_expect_100()
        self.wfile.flush()
        return found

    def handle(self) -> None:
        """Handle the connection's requests; a client may end it at any point."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def _handle(self) -> None:
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = unquote(address.path)
        request = Request(self.command, path, address.query, headers.get("authorization"), 0, headers)
        fault = self.server.log.arrived(request)
        outlet = Outlet(self, request, fault, self.server.closing)
        body = body_pieces(self)
        try:
            if outlet.faked:
                for _ in body:
                    pass
                outlet.send_fault()
            elif request.is_api:
                self._serve_api(request, b"".join(body), outlet)
            else:
                self._serve_git(GitCall(self.command, path, address.query, headers, body), outlet)
        except CutError:
            self._cut()

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815 - http.server's names

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _serve_git(self, call: GitCall, outlet: Outlet) -> None:
        world = self.server.world
        if serve_lfs(world.state, world.access, world.shapes.base_url, call, outlet):
            return
        if not serve_git(world.state, world.access, world.shapes.base_url, call, outlet):
            for _ in call.body:
                pass
            outlet.send(404, {"Content-Type": "text/plain"}, b"Not Found")

    def _serve_api(self, request: Request, body: bytes, outlet: Outlet) -> None:
        access = self.server.world.access
        bearer = api_token(request.authorization)
        path = request.path.removeprefix(API)
        by_app = BY_APP.search(path) is not None
        try:
            viewer = Viewer() if by_app else access.viewer(bearer)
        except BadCredentialsError as error:
            answer = routes.problem(401, str(error))
            outlet.send(answer.status, {}, json.dumps(answer.body).encode())
            return
        call = Call(self.server.world, viewer, path, dict(parse_qsl(request.query)), _payload(body), bearer)
        quota = access.quota(bearer if by_app else viewer.token)
        answer = _limited() if path != UNCOUNTED and not quota.remaining else _dispatch(request.method, call)
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
        headers = dict(answer.headers)
        if request.method in ("GET", "HEAD") and answer.status == 200:
            headers["ETag"] = _etag(content, viewer)
        unchanged = "ETag" in headers and request.headers.get("if-none-match") == headers["ETag"]
        if path != UNCOUNTED and not unchanged:
            quota.take()
        headers |= _account_headers(quota, viewer)
        outlet.send(304 if unchanged else answer.status, headers, b"" if unchanged else content)


def _dispatch(method: str, call: Call) -> Answer:
    for wanted, pattern, endpoint in ENDPOINTS:
        found = pattern.match(call.path)
        if found is not None and wanted == ("GET" if method == "HEAD" else method):
            return endpoint(call, *found.groups())
    return routes.not_found()


def _limited() -> Answer:
    return routes.problem(403, "API rate limit exceeded for user ID 1.")


def _payload(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _etag(content: bytes, viewer: Viewer) -> str:
    seed = hashlib.sha256(content + (viewer.token or "").encode())
    return f'W/"{seed.hexdigest()}"'


def _account_headers(quota: Quota, viewer: Viewer) -> dict[str, str]:
    headers = {
        "X-RateLimit-Limit": str(quota.limit),
        "X-RateLimit-Remaining": str(quota.remaining),
        "X-RateLimit-Used": str(quota.used),
        "X-RateLimit-Reset": str(quota.reset),
        "X-RateLimit-Resource": "core",
        "X-GitHub-Request-Id": "TEST:0001",
        "X-GitHub-Media-Type": "github.v3; format=json",
        "Cache-Control": f"{'private' if viewer.token else 'public'}, max-age=60, s-maxage=60",
    }
    if viewer.account is not None and viewer.account.scopes is not None:
        headers["X-OAuth-Scopes"] = ", ".join(scope.strip() for scope in viewer.account.scopes.split(","))
    return headers
