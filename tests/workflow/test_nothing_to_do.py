"""A run with nothing to do: what it asks of GitHub and of S3, counted at the servers, and what it says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.faults.s3_gateway import S3Gateway
from tests.servers.github import Account, FakeGitHub
from tests.servers.repositories import make_empty
from tests.servers.seaweed import SeaweedServer
from tests.workflow.workspace import Finished, Workspace

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
REPOSITORIES = 101
OLDER_BACKUPS = 1000


@dataclass(frozen=True)
class Asked:
    """What a run asked, and how it ended."""

    ended: Finished
    github: list[str]
    listings: int
    lookups: int
    others: list[str]
    """Requests to S3 that neither list nor look up, by method and key."""


@dataclass(frozen=True)
class World:
    """An organisation all of which is backed up, on a machine that knows so."""

    github: FakeGitHub
    gateway: S3Gateway
    workspace: Workspace

    def run(self) -> Asked:
        """Back up, and return what that asked."""
        self.github.clear_requests()
        self.gateway.requests.clear()
        ended = self.workspace.backup()
        asked = self.gateway.requests
        listings = [one for one in asked if "list-type=2" in one.query]
        lookups = [one for one in asked if one.method == "HEAD"]
        others = [f"{one.method} {one.path}" for one in asked if one not in [*listings, *lookups]]
        github = [f"{one.method} {one.path}" for one in self.github.requests]
        return Asked(ended, github, len(listings), len(lookups), others)


@pytest.fixture(scope="module")
def world(seaweed: SeaweedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return the organisation: two pages of repositories, and more backups than a listing has in one page."""
    root = tmp_path_factory.mktemp("upstream")
    bucket = seaweed.new_bucket()
    client = seaweed.client(max_pool_connections=16)

    def put(number: int) -> None:
        repo, day = f"lecture-{number % 100:03d}", f"2020{number // 100 + 1:02d}01"
        client.put_object(Bucket=bucket, Key=f"backups/{repo}/{repo}-{day}.tar.gz", Body=b"x")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(OLDER_BACKUPS)))
    with (
        FakeGitHub(root / "github", tokens={TOKEN: Account("robot", scopes="repo")}) as github,
        S3Gateway(seaweed.endpoint_url) as gateway,
    ):
        for number in range(REPOSITORIES):
            name = f"lecture-{number:03d}"
            github.add_repository("acme", name, make_empty(root / f"{name}.git"), has_wiki=False)
        s3 = {"bucket": bucket, "prefix": "backups/", "region": "us-east-1", "endpoint_url": gateway.url}
        config = {"backup": {"organization": "acme", "github": {"api_url": github.api_url}, "s3": s3}}
        environment = {**seaweed.environment(), "GITHUB_TOKEN": TOKEN}
        place = tmp_path_factory.mktemp("workspace")
        world = World(github, gateway, Workspace(place, config, environment))
        first = world.workspace.backup()
        assert first.code == 0, first.output
        yield world


def test_a_run_with_nothing_to_do_asks_for_two_lists_and_no_more(world: World) -> None:
    """One request for 100 repositories, and one for 1,000 objects; one more stores the record of the run."""
    asked = world.run()

    assert asked.ended.code == 0, asked.ended.output
    assert 2 * ["GET /api/v3/orgs/acme/repos"] == asked.github
    assert (2, 0) == (asked.listings, asked.lookups)
    assert ["PUT"] == [other.split()[0] for other in asked.others]
    assert "/backups/.history/backup-" in asked.others[0]


def test_a_fresh_machine_asks_once_more_for_each_repository(world: World) -> None:
    """Where nothing is known, the newest backup of each repository is looked up, and no other."""
    shutil.rmtree(world.workspace.path / "results")

    asked = world.run()

    assert asked.ended.code == 0, asked.ended.output
    assert 2 * ["GET /api/v3/orgs/acme/repos"] == asked.github
    assert (2, REPOSITORIES, 1) == (asked.listings, asked.lookups, len(asked.others))


def test_it_says_that_nothing_is_to_be_done(world: World) -> None:
    """No job runs, the summary counts all as up to date, and Snakemake says so in its own words."""
    asked = world.run()

    summary = world.workspace.summary()
    assert (REPOSITORIES, 0, 0) == (summary["up_to_date"], summary["backed_up"], summary["failed"])
    assert "Nothing to be done" in asked.ended.output
    assert "Job stats" not in asked.ended.output
