"""No secret in sight: not in an argument of any process, nor in anything that a run leaves behind."""

from __future__ import annotations

import base64
import gzip
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.servers.github import Account, FakeGitHub, Fault, matching
from tests.servers.repositories import make_lfs_repository, make_repository
from tests.servers.seaweed import SeaweedServer
from tests.workflow.workspace import Finished, Workspace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SECRET = "ghp_" + "sT4y0utOfs1gHtsT4y0utOfs1gHtsT4y0utO"
PREFIX = "secrets/"
ENDED = "is over"


class Watch:
    """Looks at the arguments of every process on the machine, until it is told to stop."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    try:
                        self.seen.add((process / "cmdline").read_bytes())
                    except OSError:
                        continue  # it has ended meanwhile


@dataclass
class Night:
    """A run over private repositories with LFS objects and wikis, one of which is refused."""

    workspace: Workspace
    run: Finished
    arguments: set[bytes]
    secrets: list[bytes]
    bucket: str

    def found_in(self, content: bytes) -> list[bytes]:
        """Return the secrets that stand in some bytes."""
        return [secret for secret in self.secrets if secret in content]

    def files(self) -> list[Path]:
        """Return all files that the run left."""
        return [path for path in self.workspace.path.rglob("*") if path.is_file()]


def forms(secret: str) -> list[bytes]:
    """Return what a secret can look like: as it is, and as a user's password in base64."""
    basic = base64.b64encode(f"x-access-token:{secret}".encode()).decode().rstrip("=")
    return [form.encode() for form in (secret, quote(secret), basic[20:-2])]


@pytest.fixture(scope="module")
def night(seaweed: SeaweedServer, bucket: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """Run the workflow once, slowed where git and git-lfs transfer, and watch the machine meanwhile."""
    root = tmp_path_factory.mktemp("secrets")
    with FakeGitHub(root / "github", tokens={SECRET: Account("robot")}) as github:
        make_lfs_repository(root / "plans.git", {"a.bin": b"large " * 1000})
        github.add_repository("acme", "plans", root / "plans.git", private=True)
        make_repository(root / "plans.wiki.git")
        github.add_repository("acme", "refused", private=True)
        github.fault(Fault(matching(r"/refused\.git/git-upload-pack"), status=403, delay=0.2))
        github.fault(Fault(matching("/git-upload-pack|/info/lfs/"), delay=0.2))
        s3 = {"bucket": bucket, "prefix": PREFIX, "region": "us-east-1", "endpoint_url": seaweed.endpoint_url}
        config = {
            "backup": {
                "organization": "acme",
                "github": {"api_url": github.api_url},
                "git": {"attempts": 1},
                "s3": s3,
                "keep_mirrors": True,
                "keep_archives": True,
                "cache": "cache",
            },
            "logging": {"level": "DEBUG", "file": "run.log"},
        }
        secrets = {"GITHUB_TOKEN": SECRET}
        workspace = Workspace(root / "run", config, seaweed.environment() | secrets)
        with Watch() as watch:
            run = workspace.backup("--verbose")
        hidden = [*forms(SECRET), seaweed.secret_key.encode()]
        yield Night(workspace, run, watch.seen, hidden, bucket)


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_no_argument_of_any_process_has_a_secret(night: Night) -> None:
    """While git, its helpers and git-lfs run, no process has the token among its arguments."""
    assert (1, 1) == (night.workspace.summary()["backed_up"], night.workspace.summary()["failed"]), (
        night.run.output
    )
    for program in (b"index-pack", b"lfs\0fetch"):
        assert [] != [line for line in night.arguments if program in line]
    assert [] == [line for line in night.arguments if night.found_in(line)]


def test_no_file_of_a_run_has_a_secret(night: Night) -> None:
    """Mirrors and their configuration, cache, logs, records, receipts and Snakemake's metadata are clean."""
    files = night.files()
    kinds = {path.relative_to(night.workspace.path).parts[:2] for path in files}
    for stage in ("mirrors", "archives", "repositories", "uploaded", "listings", "logs", "failures"):
        assert ("results", stage) in kinds
    assert {".snakemake", "cache", "run.log"} <= {kind[0] for kind in kinds}

    assert [] == [path for path in files if night.found_in(path.read_bytes())]


def test_no_tarball_has_a_secret(night: Night) -> None:
    """Nothing in a tarball, such as the mirror's configuration, holds the token or an address with a user."""
    (tarball,) = [path for path in night.files() if path.name.startswith("plans-") and path.suffix == ".gz"]
    content = gzip.decompress(tarball.read_bytes())

    assert [] == night.found_in(content)
    assert (True, False) == (b"[core]" in content, b"@127.0.0.1" in content)


def test_no_object_has_a_secret(night: Night, s3_client: S3Client) -> None:
    """Neither the objects in the bucket, nor their keys and metadata, hold a secret."""
    keys = [
        item["Key"]
        for item in s3_client.list_objects_v2(Bucket=night.bucket, Prefix=PREFIX).get("Contents", ())
    ]
    assert any(key.startswith(f"{PREFIX}plans/") for key in keys)
    for key in keys:
        stored = s3_client.get_object(Bucket=night.bucket, Key=key)
        body = stored["Body"].read()
        unpacked = gzip.decompress(body) if key.endswith(".gz") else body
        assert [] == night.found_in(unpacked + repr((key, stored["Metadata"])).encode())


def test_nothing_that_is_said_has_a_secret(night: Night) -> None:
    """What a run prints, with ``--verbose`` and at level DEBUG, and with a failure in it, shows no secret."""
    assert (1, True) == (night.run.code, "FAILED refused (mirror): access denied" in night.run.output)
    assert [] == night.found_in(night.run.output.encode())
