"""Serves a folder of bare repositories as a fake GitHub in a process of its own.

`python -m benchmarks.serve FOLDER LATENCY_MS wikis|no-wikis` prints one line of JSON,
its address and that of the API, and serves until its standard input ends. A line on that is a wish, and is
answered by a line of JSON: `push NAME …` adds a commit to each, `asked` tells what the API was asked since.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from tests.servers.github import Account, FakeGitHub
from tests.servers.github_log import API
from tests.servers.proxy import FaultProxy

OWNER = "bench"
TOKEN = "bench-token"


def serve(folder: Path, *, latency_ms: int, wikis: bool) -> None:
    """Serve `FOLDER/NAME.git` as `bench/NAME`, until standard input ends.

    `latency_ms` is added to each piece of at most 64 KiB that goes one way or the other, as on a network.
    `wikis` is what GitHub says of every repository, though none has one.
    """
    with FakeGitHub(folder, tokens={TOKEN: Account("robot")}) as github, contextlib.ExitStack() as stack:
        for path in sorted(folder.glob("*.git")):
            github.add_repository(OWNER, path.name.removesuffix(".git"), path, has_wiki=wikis)
        url = github.url
        if latency_ms:
            proxy = stack.enter_context(FaultProxy("127.0.0.1", github.port))
            proxy.delay(latency_ms / 1000)
            url = proxy.url
            github.announce_as(url)
        _say({"url": url, "api_url": f"{url}{API}"})
        for line in sys.stdin:
            _say(_grant(github, *line.split()))


def _grant(github: FakeGitHub, wish: str, *names: str) -> Any:
    """Do what a line asks for, and return the answer."""
    if wish == "push":
        return [github.touch_push(OWNER, name) for name in names]
    asked = [f"{request.method} {request.path} {request.status}" for request in github.api_requests()]
    github.clear_requests()
    return asked


def _say(content: Any) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), latency_ms=int(sys.argv[2]), wikis=sys.argv[3] == "wikis")
