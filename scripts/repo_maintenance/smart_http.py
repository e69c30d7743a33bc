"""Speaks git's smart HTTP protocol, version 2, as far as a mirror needs it: which refs there are, and a pack.

A clone by git opens a connection of its own, is refused, comes back with the password, and asks three times.
This asks twice, over connections that are kept open from one repository to the next.
https://git-scm.com/docs/gitprotocol-v2, https://git-scm.com/docs/gitprotocol-common
"""

from __future__ import annotations

import gzip
import io
import logging
import os
import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

from repo_maintenance import __version__
from repo_maintenance.errors import TransientGitError
from repo_maintenance.git_errors import explain_git

if TYPE_CHECKING:
    from repo_maintenance.hosts.base import GitAccess

logger = logging.getLogger(__name__)

# Servers take what begins with "git/" for a client of git, as libgit2 has found: "git/2.0 (libgit2 1.9)".
AGENT = f"git/2.0 (repo-maintenance {__version__})"
CONNECT_SECONDS = 30
CONNECTIONS = 16
LEAST_BYTES_A_SECOND = 1000
BUFFER_BYTES = 1 << 16
GZIPPED_FROM_BYTES = 1024  # as git has it (remote-curl.c)
REFUSALS = {HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS, HTTPStatus.TOO_MANY_REQUESTS}
FLUSH, DELIMITER = b"0000", b"0001"
LENGTH_BYTES = 4
PACK, PROGRESS = 1, 2
CA_FILE = "GIT_SSL_CAINFO"
OBJECT_ID = re.compile(rb"[0-9a-f]{40}")
Pack = Callable[[memoryview], object]
"""Takes the pieces of a pack as they come."""


class OddServerError(Exception):
    """The server, or the way to it, is other than this module knows: git itself may fare better."""


class Advertisement(NamedTuple):
    """What a server offers."""

    refs: dict[bytes, bytes]
    """Ref name → object id, in hexadecimal; ``HEAD`` is not among them."""
    head: bytes | None
    """The ref that ``HEAD`` is a name for, there or not; None where it is no name, or not told."""


def is_direct(url: str, access: GitAccess) -> bool:
    """Whether a repository is reached without what only git heeds: proxies, and its own settings of TLS."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.scheme not in access.protocols or "@" in parts.netloc:
        return False
    if any(name.startswith("GIT_SSL_") and name != CA_FILE for name in os.environ):
        return False
    by_proxy = {parts.scheme, "all"} & urllib.request.getproxies().keys()
    return not by_proxy or bool(urllib.request.proxy_bypass(parts.hostname or ""))


def list_refs(url: str, access: GitAccess) -> Advertisement:
    """Return what the repository at ``url`` offers.

    Raises OddServerError where git itself may fare better, TransientGitError where the same may succeed
    later, and GitError where the server refuses for good.
    """
    body = _command("ls-refs", ["symrefs", "unborn", "ref-prefix HEAD", "ref-prefix refs/"])
    refs: dict[bytes, bytes] = {}
    head = None
    with _asked(url, access, body) as stream:
        for line in _lines(stream):
            object_id, _, rest = line.rstrip(b"\n").partition(b" ")
            name, *attributes = rest.split(b" ")
            if name in refs:
                raise OddServerError(f"two refs of one name: {name[:80]!r}")
            if name == b"HEAD":
                targets = [one.partition(b":")[2] for one in attributes if one.startswith(b"symref-target:")]
                if not targets:
                    raise OddServerError("HEAD is detached")
                head = targets[0]
            elif OBJECT_ID.fullmatch(object_id):
                refs[name] = object_id
            else:
                raise OddServerError(f"no object id: {object_id[:40]!r}")
    return Advertisement(refs, head)


def fetch(
    url: str, access: GitAccess, wants: Iterable[bytes], haves: Iterable[bytes], take_piece: Pack
) -> None:
    """Have the server send a pack with all that ``wants`` lead to and ``haves`` don't.

    Raises what ``list_refs`` raises.
    """
    known = [f"have {one.decode()}" for one in haves]
    arguments = ["no-progress", "ofs-delta", *(["thin-pack"] if known else [])]
    arguments += [f"want {one.decode()}" for one in wants]
    with _asked(url, access, _command("fetch", [*arguments, *known, "done"])) as stream:
        if (section := _read_packet(stream)) != b"packfile\n":
            raise OddServerError(f"a pack was to come, but: {section!r:.80}")
        for packet in _lines(stream):
            if packet[0] == PACK:
                take_piece(memoryview(packet)[1:])
            elif packet[0] != PROGRESS:
                raise OddServerError(packet[1:].decode(errors="replace").strip())


def _command(name: str, arguments: Iterable[str]) -> bytes:
    head = [f"command={name}", f"agent={AGENT.replace(' ', '-')}", "object-format=sha1"]
    packets = [*map(_packet, head), DELIMITER, *map(_packet, arguments), FLUSH]
    return b"".join(packets)


def _packet(line: str) -> bytes:
    payload = f"{line}\n".encode()
    return b"%04x" % (LENGTH_BYTES + len(payload)) + payload


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the packets until the one that ends them; raises TransientGitError where it does not come."""
    while (packet := _read_packet(stream)) is not None:
        if packet:
            yield packet


def _read_packet(stream: IO[bytes]) -> bytes | None:
    """Return a packet's content, or None for the one that ends a list of them."""
    head = stream.read(LENGTH_BYTES)
    if head == FLUSH:
        return None
    try:
        length = int(head, 16) - LENGTH_BYTES
    except ValueError:
        raise _passing(f"no length of a packet: {head!r}" if head else "the answer is cut off") from None
    packet = stream.read(length) if length > 0 else b""
    if length < 0 or len(packet) < length:
        raise _passing("the answer is cut off")
    if packet.startswith(b"ERR "):
        raise OddServerError(packet[4:].decode(errors="replace").strip())
    return packet


@contextmanager
def _asked(url: str, access: GitAccess, body: bytes) -> Iterator[IO[bytes]]:
    """Send a command, and provide the answer to read; raises as ``list_refs`` does.

    The password goes to its own host, with the first request; a redirection is not followed.
    """
    headers = {
        "User-Agent": AGENT,
        "Content-Type": "application/x-git-upload-pack-request",
        "Accept": "application/x-git-upload-pack-result",
        "Accept-Encoding": "identity",
        "Git-Protocol": "version=2",
    }
    if access.password is not None and urlsplit(url).netloc == access.host:
        headers |= urllib3.make_headers(basic_auth=f"{access.username}:{access.password}")
    if len(body) > GZIPPED_FROM_BYTES:
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    try:
        response = _post(f"{url}/git-upload-pack", body, headers, access.stall_seconds)
    except (HTTPError, OSError) as error:
        raise _passing(error) from error
    logger.debug("POST %s/git-upload-pack: %d", url, response.status)
    try:
        _check(response, url)
        stream = cast(IO[bytes], io.BufferedReader(_Steady(response, access.stall_seconds), BUFFER_BYTES))
        yield stream
        if stream.read(1):  # only past its end does the connection serve the next request
            raise OddServerError("there is more than an answer")
    except BaseException:
        response.close()
        raise
    response.release_conn()


def _post(url: str, body: bytes, headers: Mapping[str, str], stall_seconds: int) -> urllib3.BaseHTTPResponse:
    """Send a request, once more where the server hangs up: it may just have closed a kept connection."""

    def send() -> urllib3.BaseHTTPResponse:
        return _connections().request(
            "POST",
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=stall_seconds),
            retries=False,
            redirect=False,
            preload_content=False,
        )

    try:
        return send()
    except ProtocolError:
        return send()


def _check(response: urllib3.BaseHTTPResponse, url: str) -> None:
    """Raise what git's own words for an answer mean, where they mean something, else OddServerError."""
    if response.status == HTTPStatus.NOT_FOUND:
        raise explain_git("fetch", 128, f"fatal: repository '{url}' not found")
    if response.status in REFUSALS or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        said = f"fatal: unable to access '{url}': The requested URL returned error: {response.status}"
        raise explain_git("fetch", 128, said)
    if response.status != HTTPStatus.OK:
        raise OddServerError(f"the server answers {response.status}")
    kind = response.headers.get("Content-Type", "")
    if kind != "application/x-git-upload-pack-result":
        raise OddServerError(f"the server answers with {kind[:80]!r}")


def _passing(error: object) -> TransientGitError:
    return TransientGitError(f"git fetch: {error}", hint="it may pass: run again later", kind="network")


@cache
def _connections() -> urllib3.PoolManager:
    """Return the connections of this process; git's own variable, or the system, says whom to trust."""
    context = ssl.create_default_context(cafile=os.environ.get(CA_FILE))
    return urllib3.PoolManager(maxsize=CONNECTIONS, ssl_context=context)


@dataclass
class _Steady(io.RawIOBase):
    """Reads an answer as it comes, and gives up one that comes too slowly to ever end, as git does."""

    response: urllib3.BaseHTTPResponse
    stall_seconds: int

    def __post_init__(self) -> None:
        self._since = time.monotonic()
        self._bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            piece = cast(urllib3.HTTPResponse, self.response).read1(len(buffer))
        except (HTTPError, OSError) as error:
            raise _passing(error) from error
        buffer[: len(piece)] = piece
        self._bytes += len(piece)
        seconds = time.monotonic() - self._since
        if seconds > self.stall_seconds:
            if self._bytes < LEAST_BYTES_A_SECOND * seconds:
                raise _passing(f"less than {LEAST_BYTES_A_SECOND} bytes a second for {seconds:.0f} s")
            self._since, self._bytes = time.monotonic(), 0
        return len(piece)
