"""What is asked again is counted where it happens, by service, and the quota is read in passing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from repo_maintenance import tally
from repo_maintenance.settings import S3Settings
from repo_maintenance.stores.s3 import S3Store
from tests.conftest import TOKEN
from tests.faults.in_process import FAST, mirror
from tests.faults.s3_gateway import S3Gateway
from tests.integration.test_github_host import listed
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import make_repository
from tests.servers.seaweed import SeaweedServer

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Count from zero, leave no count to others, and wait for nothing."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    tally.reset()
    yield
    tally.reset()


@pytest.fixture
def lecture(github: FakeGitHub, tmp_path: Path) -> None:
    """Add a repository."""
    github.add_repository("acme", "lecture", make_repository(tmp_path / "lecture.git"), has_wiki=False)


@pytest.mark.usefixtures("lecture")
def test_a_good_day_has_no_retries(github: FakeGitHub) -> None:
    """Where all goes well, nothing is counted."""
    assert ["lecture"] == list(listed(github))
    assert {} == tally.retries()


@pytest.mark.usefixtures("lecture")
def test_requests_to_github_are_counted(github: FakeGitHub) -> None:
    """Two refusals of the list are two requests that are made again."""
    github.fault(Fault(matching("/orgs/acme/repos"), times=2, status=503))

    assert ["lecture"] == list(listed(github))
    assert {"github": 2} == tally.retries()


@pytest.mark.usefixtures("lecture")
def test_an_answer_that_breaks_off_counts(github: FakeGitHub) -> None:
    """A list that is cut in its body is asked for again, and counted once."""
    github.fault(Fault(matching("/orgs/acme/repos"), times=1, after_bytes=20))

    assert ["lecture"] == list(listed(github))
    assert {"github": 1} == tally.retries()


@pytest.mark.usefixtures("lecture")
def test_transfers_by_git_are_counted(github: FakeGitHub, tmp_path: Path) -> None:
    """A clone that is tried a second time counts once."""
    github.fault(Fault(matching(r"/lecture\.git/"), times=1, status=503))

    mirror(github, "lecture", tmp_path / "mirror", git=FAST)

    assert {"git": 1} == tally.retries()


def test_requests_to_s3_are_counted(seaweed: SeaweedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two answers of SlowDown are two requests that botocore makes again."""
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)
    bucket = seaweed.new_bucket()
    with S3Gateway(seaweed.endpoint_url) as gateway:
        store = S3Store.connect(S3Settings(bucket=bucket, region="us-east-1", endpoint_url=gateway.url))
        gateway.refuse(503, "SlowDown", times=2)

        assert [] == list(store.list_objects())

    assert {"s3": 2} == tally.retries()


@pytest.mark.usefixtures("lecture")
def test_the_quota_costs_no_request(github: FakeGitHub) -> None:
    """What is left is read from the answer to the listing: GitHub sees that one request."""
    listed(github)

    quota = tally.quota()
    assert quota is not None
    assert 0 < quota.remaining < quota.limit
    assert quota.resets_at > time.time() - 3600
    assert 1 == len(github.api_requests())
