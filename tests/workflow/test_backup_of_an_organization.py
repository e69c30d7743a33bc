"""The main job on an organisation: GitHub's API and git over HTTP, and a real S3 server."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.github import Account, FakeGitHub
from tests.servers.repositories import corrupt, git_environment, make_empty, make_repository, refs
from tests.servers.seaweed import SeaweedServer
from tests.workflow.workspace import Finished, Workspace

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
ORGANIZATION = "acme"
LARGE_BYTES = 66 << 20
SMALL = [f"lecture-{number:02d}" for number in range(18)]
ODD = ["with.dots", "under_score", "Capitals-And-lower", ".github", "-begins-with-dash", "20260101"]
NAMES = sorted([*SMALL, *ODD, "empty", "many-refs", "large", "secret-plans"])


class Organization:
    """The organisation upstream, and where its backups go."""

    def __init__(self, github: FakeGitHub, seaweed: SeaweedServer, folder: Path) -> None:
        self.github = github
        self.bucket = seaweed.new_bucket()
        self.client = seaweed.client()
        self.workspace = Workspace(
            folder,
            {
                "backup": {
                    "organization": ORGANIZATION,
                    "github": {"api_url": github.api_url},
                    "s3": {
                        "bucket": self.bucket,
                        "prefix": "backups/",
                        "region": "us-east-1",
                        "endpoint_url": seaweed.endpoint_url,
                    },
                }
            },
            {**seaweed.environment(), "GITHUB_TOKEN": TOKEN},
        )

    def listing(self) -> list[str]:
        """Return the keys in the bucket, sorted, without the records of runs."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return sorted(key for key in keys if "/.history/" not in key)

    def key_of(self, name: str) -> str:
        """Return the key of the one backup of a repository."""
        (key,) = [key for key in self.listing() if key.startswith(f"backups/{name}/")]
        return key

    def stored_refs(self, name: str, scratch: Path) -> dict[str, str]:
        """Return a stored backup's refs, read with tar and git alone."""
        body = self.client.get_object(Bucket=self.bucket, Key=self.key_of(name))["Body"].read()
        target = scratch / f"restored-{name}"
        target.mkdir()
        subprocess.run(["tar", "-xzf", "-"], cwd=target, input=body, check=True)
        subprocess.run(
            ["git", f"--git-dir={target / name}.git", "fsck", "--full"],
            env=git_environment(),
            check=True,
            capture_output=True,
        )
        return refs(target / f"{name}.git")


@pytest.fixture(scope="module")
def organization(seaweed: SeaweedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organization]:
    """Return an organisation with repositories of every kind, not yet backed up."""
    root = tmp_path_factory.mktemp("organization")
    made = root / "made"
    with FakeGitHub(root / "github", tokens={TOKEN: Account("robot", scopes="repo")}) as github:
        for name in [*SMALL, *ODD]:
            github.add_repository(ORGANIZATION, name)
        many = [f"topic/{number}" for number in range(500)], [f"v{number}" for number in range(500)]
        make_repository(
            made / "many-refs.git", branches=many[0], tags=many[1], extra_refs=["refs/pull/1/head"]
        )
        make_repository(made / "large.git", size_bytes=LARGE_BYTES)
        make_empty(made / "empty.git")
        for name in ("many-refs", "large", "empty"):
            github.add_repository(ORGANIZATION, name, made / f"{name}.git")
        github.add_repository(ORGANIZATION, "secret-plans", private=True)
        yield Organization(github, seaweed, tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def first_run(organization: Organization) -> Finished:
    """Return how the first backup of the organisation ended."""
    return organization.workspace.backup()


def test_the_preview_shows_a_table_and_the_real_jobs(organization: Organization) -> None:
    """``snakemake -n`` says what would be done for each repository and why; nothing is stored."""
    preview = organization.workspace.run("-n", "backup")

    assert preview.code == 0, preview.output
    assert NAMES == sorted(preview.made)
    rows = [line.split() for line in preview.output.splitlines() if "no backup yet" in line]
    assert NAMES == sorted(row[0] for row in rows)
    assert {"new"} == {row[1] for row in rows}
    assert [] == organization.listing()


def test_every_repository_is_stored_with_exactly_upstreams_refs(
    organization: Organization, first_run: Finished, tmp_path: Path
) -> None:
    """Each tarball, read with ``tar`` and ``git`` alone, has upstream's refs, no more and no fewer."""
    assert first_run.code == 0, first_run.output
    upstream = {name: refs(organization.github.repository(ORGANIZATION, name).path) for name in NAMES}

    stored = {name: organization.stored_refs(name, tmp_path) for name in NAMES}

    assert upstream == stored
    assert 1002 == len(stored["many-refs"])
    assert {} == stored["empty"]


def test_objects_carry_metadata(organization: Organization, first_run: Finished) -> None:
    """An object says which repository it holds, of which day, and what its digests are."""
    assert first_run.code == 0
    key = organization.key_of("secret-plans")

    head = organization.client.head_object(Bucket=organization.bucket, Key=key)

    metadata = head["Metadata"]
    repository = organization.github.repository(ORGANIZATION, "secret-plans")
    assert "acme/secret-plans" == metadata["repository"]
    assert str(repository.id) == metadata["repository_id"]
    assert "main" == metadata["default_branch"]
    assert str(head["ContentLength"]) == metadata["size_bytes"]
    assert key.endswith(f"-{metadata['backup_date'].replace('-', '')}.tar.gz")
    assert 64 == len(metadata["sha256"]) == len(metadata["refs_digest"])


def test_the_large_repository_went_in_parts(organization: Organization, first_run: Finished) -> None:
    """A tarball over 64 MB is stored in parts, whose composite ETag counts them."""
    assert first_run.code == 0
    head = organization.client.head_object(Bucket=organization.bucket, Key=organization.key_of("large"))

    assert head["ContentLength"] > LARGE_BYTES
    assert head["ETag"].strip('"').endswith("-5")


def test_the_summary_counts_what_was_done(organization: Organization, first_run: Finished) -> None:
    """The first run says and writes how many repositories it backed up."""
    assert f"backed up    {len(NAMES):6}" in first_run.output
    summary = organization.workspace.summary()
    assert summary["ok"] is True
    assert (len(NAMES), len(NAMES), 0, 0) == tuple(
        summary[key] for key in ("total", "backed_up", "up_to_date", "failed")
    )


def test_mirrors_and_tarballs_are_gone_after_the_upload(
    organization: Organization, first_run: Finished
) -> None:
    """What is stored no longer lies on the disk."""
    assert first_run.code == 0
    results = organization.workspace.path / "results"
    assert [] == [*results.glob("mirrors/*"), *results.glob("archives/*")]


def test_a_second_run_builds_nothing_and_asks_for_the_listing_alone(
    organization: Organization, first_run: Finished
) -> None:
    """With nothing pushed, one request for the listing is all that GitHub sees, and no git at all."""
    assert first_run.code == 0
    organization.github.clear_requests()

    second = organization.workspace.backup()

    assert second.code == 0
    assert "Nothing to be done" in second.output
    assert 1 == len(organization.github.api_requests())
    assert [] == organization.github.git_requests()
    assert len(NAMES) == organization.workspace.summary()["up_to_date"]


def test_without_results_nothing_is_built_again(organization: Organization, first_run: Finished) -> None:
    """The store is the truth: a fresh runner finds all receipts there."""
    assert first_run.code == 0
    shutil.rmtree(organization.workspace.path / "results")
    shutil.rmtree(organization.workspace.path / ".snakemake")

    again = organization.workspace.backup()

    assert again.code == 0
    assert [] == again.made
    assert "Nothing to be done" in again.output


def test_a_push_rebuilds_exactly_that_repository(
    organization: Organization, first_run: Finished, tmp_path: Path
) -> None:
    """One push upstream makes one new backup, and it holds the pushed commit."""
    assert first_run.code == 0
    before = organization.listing()
    commit = organization.github.touch_push(ORGANIZATION, "lecture-03")

    again = organization.workspace.backup()

    assert again.code == 0, again.output
    assert ["lecture-03"] == again.made
    assert before == organization.listing()
    assert commit == organization.stored_refs("lecture-03", tmp_path)["refs/heads/main"]


def test_a_deleted_object_comes_back(organization: Organization, first_run: Finished) -> None:
    """An object that is gone from the bucket is made again, and no other."""
    assert first_run.code == 0
    key = organization.key_of("with.dots")
    organization.client.delete_object(Bucket=organization.bucket, Key=key)

    again = organization.workspace.backup()

    assert again.code == 0, again.output
    assert ["with.dots"] == again.made
    assert key in organization.listing()


def test_a_corrupt_repository_fails_alone(organization: Organization, first_run: Finished) -> None:
    """A repository that upstream can't serve fails with a clear line; the others are stored."""
    assert first_run.code == 0
    for name in ("lecture-04", "lecture-05"):
        organization.github.touch_push(ORGANIZATION, name)
    broken = organization.github.repository(ORGANIZATION, "lecture-05").path
    pristine = broken.with_suffix(".pristine")
    shutil.copytree(broken, pristine)
    corrupt(broken)
    old = organization.client.get_object(Bucket=organization.bucket, Key=organization.key_of("lecture-05"))[
        "Body"
    ].read()

    failed = organization.workspace.backup()

    shutil.rmtree(broken)
    pristine.rename(broken)
    summary = organization.workspace.summary()
    new = organization.client.get_object(Bucket=organization.bucket, Key=organization.key_of("lecture-05"))[
        "Body"
    ].read()
    assert failed.code == 1
    assert (1, 1) == (summary["backed_up"], summary["failed"])
    assert "FAILED lecture-05 (mirror): " in failed.output
    assert "Traceback" not in failed.output
    assert old == new

    healed = organization.workspace.backup()

    assert healed.code == 0
    assert ["lecture-05"] == healed.made


def test_no_token_in_anything_that_stays(organization: Organization, first_run: Finished) -> None:
    """The token stands in no file of the run, and in no object of the bucket."""
    assert first_run.code == 0
    secret = TOKEN.encode()
    files = [path for path in organization.workspace.path.rglob("*") if path.is_file()]
    assert [] == [path for path in files if secret in path.read_bytes()]
    assert TOKEN not in first_run.output
    for name in ("secret-plans", "lecture-00"):
        body = organization.client.get_object(Bucket=organization.bucket, Key=organization.key_of(name))[
            "Body"
        ]
        with tarfile.open(fileobj=io.BytesIO(body.read())) as tar:
            contents = [tar.extractfile(entry) for entry in tar if entry.isfile()]
            assert not any(secret in stream.read() for stream in contents if stream)
