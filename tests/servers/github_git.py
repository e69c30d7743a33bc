"""Serves git over HTTP by `git http-backend`, streaming both ways."""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from tests.servers.github_access import Access, BadCredentialsError, Viewer, basic_token
from tests.servers.github_outlet import PIECE, Outlet
from tests.servers.github_state import Repository, State
from tests.servers.repositories import git_environment

ADDRESS = re.compile(r"^/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)$")
CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"'}
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
# github.com refuses to update these ("deny updating a hidden ref") and takes any reachable object as a want.
SETTINGS = {
    "receive.hideRefs": "refs/pull",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "gc.auto": "0",
    "receive.autogc": "false",
    "pack.threads": "1",
}


@dataclass(frozen=True, slots=True)
class GitCall:
    """One request of git, its body still to be read."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Iterator[bytes]

    @property
    def is_push(self) -> bool:
        """Whether this belongs to a push."""
        return "git-receive-pack" in self.path or "service=git-receive-pack" in self.query


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer without git."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """The bare repository that a request goes to."""

    repository: Repository
    path: Path
    viewer: Viewer


def find_target(
    state: State, access: Access, owner: str, name: str, headers: Mapping[str, str]
) -> Target | Refusal:
    """Return the repository, or the wiki, that a viewer may read, or else GitHub's refusal.

    Without credentials everything that isn't public asks for them; with them what can't be read isn't there.
    """
    try:
        viewer = access.viewer(basic_token(headers.get("authorization")))
    except BadCredentialsError:
        return Refusal(401, "Invalid username or token.", CHALLENGE)
    wiki = name.endswith(".wiki")
    repository = state.find(owner, name.removesuffix(".wiki")) or state.moved(
        owner, name.removesuffix(".wiki")
    )
    path = None if repository is None else repository.wiki_path if wiki else repository.path
    if repository is None or path is None or not viewer.can_read(repository) or not path.is_dir():
        if viewer.is_anonymous:
            return Refusal(401, "Repository not found.", CHALLENGE)
        return Refusal(404, "Repository not found.", {})
    return Target(repository, path, viewer)


def serve_git(state: State, access: Access, base_url: str, call: GitCall, outlet: Outlet) -> bool:
    """Answer a request of git; returns whether the address was one of git's.

    A repository's old name redirects those without a token and serves those with one: git, told
    301 after a 401, goes on asking at the old address.
    """
    found = ADDRESS.match(call.path)
    if found is None:
        return False
    owner, name, service = found.groups()
    target = find_target(state, access, owner, name, call.headers)
    if isinstance(target, Refusal):
        return _refuse(outlet, call, target)
    if target.viewer.is_anonymous and state.find(owner, name.removesuffix(".wiki")) is None:
        return _refuse(outlet, call, _redirect(target, base_url, name, service, call.query))
    refusal = _closed(target, call)
    if refusal is not None:
        return _refuse(outlet, call, refusal)
    is_done = call.is_push and call.method == "POST" and target.path == target.repository.path
    finish = partial(state.pushed, target.repository) if is_done else None
    _run_backend(_cgi_environment(target, service, call), call, outlet, finish)
    return True


def _redirect(target: Target, base_url: str, name: str, service: str, query: str) -> Refusal:
    wiki = ".wiki" if name.endswith(".wiki") else ""
    url = f"{base_url}/{target.repository.full_name}{wiki}.git/{service}?{query}"
    return Refusal(301, "Moved Permanently", {"Location": url})


def _closed(target: Target, call: GitCall) -> Refusal | None:
    if target.repository.disabled:
        return Refusal(403, "Access to this repository has been disabled by GitHub staff.", {})
    if call.path.endswith("/info/refs") and "service=git-" not in call.query:
        return Refusal(403, "Please upgrade your git client.", {})
    return _closed_to_push(target.repository, target.viewer) if call.is_push else None


def _closed_to_push(repository: Repository, viewer: Viewer) -> Refusal | None:
    if viewer.is_anonymous:
        return Refusal(401, "Authentication required.", CHALLENGE)
    if not viewer.can_write(repository):
        return Refusal(403, f"Write access to repository {repository.full_name} not granted.", {})
    if repository.archived:
        return Refusal(403, "This repository was archived so it is read-only.", {})
    return None


def _refuse(outlet: Outlet, call: GitCall, refusal: Refusal) -> bool:
    for _ in call.body:
        pass
    outlet.send(refusal.status, PLAIN | dict(refusal.headers), refusal.text.encode())
    return True


def _run_backend(
    environment: Mapping[str, str], call: GitCall, outlet: Outlet, finish: Callable[[], None] | None
) -> None:
    process = subprocess.Popen(
        ["git", "http-backend"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    feeder = threading.Thread(target=_feed, args=(call.body, process.stdin), daemon=True)
    feeder.start()
    try:
        _forward(process.stdout, outlet)
        if finish is not None:  # before the client can know that its push is done
            finish()
        outlet.end()
        feeder.join()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _feed(body: Iterator[bytes], stdin: IO[bytes]) -> None:
    """Hand the request's body on; reads it to its end even where the backend stops taking it."""
    open_pipe = True
    with contextlib.suppress(OSError, ValueError):
        for piece in body:
            try:
                if open_pipe:
                    stdin.write(piece)
            except BrokenPipeError:
                open_pipe = False
    with contextlib.suppress(OSError):
        stdin.close()


def _forward(stdout: IO[bytes], outlet: Outlet) -> None:
    """Turn the backend's CGI answer (RFC 3875, 6) into HTTP."""
    headers: dict[str, str] = {}
    while line := stdout.readline().strip():
        name, _, value = line.decode().partition(":")
        headers[name.strip()] = value.strip()
    status = int(headers.pop("Status", "200" if headers else "500").split()[0])
    outlet.start(status, headers, None)
    while piece := stdout.read1(PIECE):  # type: ignore[attr-defined]
        outlet.write(piece)


def _cgi_environment(target: Target, service: str, call: GitCall) -> dict[str, str]:
    environment = git_environment() | {
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(target.path.parent),
        "PATH_INFO": f"/{target.path.name}/{service}",
        "REQUEST_METHOD": call.method,
        "QUERY_STRING": call.query,
        "CONTENT_TYPE": call.headers.get("content-type", ""),
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_CONFIG_COUNT": str(len(SETTINGS)),
    }
    for place, (name, value) in enumerate(SETTINGS.items()):
        environment |= {f"GIT_CONFIG_KEY_{place}": name, f"GIT_CONFIG_VALUE_{place}": value}
    for header, variable in (
        ("content-length", "CONTENT_LENGTH"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ):
        if header in call.headers:
            environment[variable] = call.headers[header]
    if call.is_push:
        environment["REMOTE_USER"] = "token"  # what makes http-backend take a push
    return environment
