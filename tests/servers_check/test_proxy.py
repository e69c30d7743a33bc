"""Checks the proxy that breaks connections, in front of git and of S3."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from botocore.exceptions import ClientError

from tests.servers.github import FakeGitHub
from tests.servers.proxy import FaultProxy, chaos_plan
from tests.servers.repositories import make_repository
from tests.servers.seaweed import SeaweedServer
from tests.servers_check.conftest import Git


@pytest.fixture
def proxy(github: FakeGitHub) -> Iterator[FaultProxy]:
    """Stand in front of the fake GitHub."""
    with FaultProxy("127.0.0.1", github.port, longest_stall=20) as server:
        yield server


def test_without_a_fault_everything_passes(
    github: FakeGitHub, proxy: FaultProxy, git: Git, tmp_path: Path
) -> None:
    """A clone and a push work through the proxy, and the API's addresses can name it."""
    github.add_repository("acme", "one", make_repository(tmp_path / "one.git", size_bytes=1_000_000))
    github.announce_as(proxy.url)

    assert git("clone", f"{proxy.url}/acme/one.git", "copy").returncode == 0
    assert git("-C", "copy", "push", "origin", "HEAD:refs/heads/x").returncode == 0
    answer = requests.get(f"{proxy.url}/api/v3/repos/acme/one", timeout=5)
    assert answer.json()["clone_url"] == f"{proxy.url}/acme/one.git"
    assert proxy.broken == 0


def test_each_fault_ends_a_clone(github: FakeGitHub, proxy: FaultProxy, git: Git, tmp_path: Path) -> None:
    """A cut, a reset, an altered byte and a black hole each fail a clone, and the next connection works."""
    github.add_repository("acme", "one", make_repository(tmp_path / "one.git", size_bytes=1_000_000))
    slow = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=1", "-c", "transfer.fsckObjects=true")

    def clone(number: int) -> int:
        return git(*slow, "clone", "--mirror", f"{proxy.url}/acme/one.git", f"{number}.git").returncode

    faults: tuple[Callable[[int], None], ...] = (proxy.cut, proxy.reset, proxy.alter, proxy.black_hole)
    for number, fault in enumerate(faults):
        fault(500_000)
        assert clone(number) == 128
    assert clone(9) == 0
    assert proxy.broken == 4


def test_faults_before_the_first_byte(proxy: FaultProxy) -> None:
    """A connection can end, or stay silent, before any answer; the plan keeps its order."""
    proxy.pass_on()
    proxy.cut()
    proxy.reset(direction="up")
    proxy.black_hole()

    def ask() -> str:
        try:
            return str(requests.get(f"{proxy.url}/api/v3/meta", timeout=0.3).status_code)
        except requests.exceptions.RequestException as error:
            return type(error).__name__

    assert [ask() for _ in range(5)] == ["200", "ConnectionError", "ConnectionError", "ReadTimeout", "200"]
    proxy.delay(0.1)
    begin = time.monotonic()
    assert ask() == "200"
    assert time.monotonic() - begin > 0.2
    proxy.heal()
    assert chaos_plan(7, 20, 0.5, 1000) == chaos_plan(7, 20, 0.5, 1000)
    assert 0 < sum(fault is not None for fault in chaos_plan(7, 20, 0.5, 1000)) < 20


def test_an_altered_upload_is_refused(seaweed: SeaweedServer) -> None:
    """A byte that changes on the way to S3 fails the checksum, and nothing is stored."""
    bucket = seaweed.new_bucket()
    with FaultProxy("127.0.0.1", seaweed.ports["s3"]) as proxy:
        client = seaweed.client(proxy.url, retries={"total_max_attempts": 1})
        proxy.alter(20_000, "up")
        with pytest.raises(ClientError):
            client.put_object(Bucket=bucket, Key="a", Body=bytes(50_000), ChecksumAlgorithm="SHA256")
        client.put_object(Bucket=bucket, Key="b", Body=bytes(50_000), ChecksumAlgorithm="SHA256")
    listed = seaweed.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert [item["Key"] for item in listed] == ["b"]
