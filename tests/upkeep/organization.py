"""A small organisation with LFS objects and a wiki, backed up to a bucket: what restoring is tried on."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.servers.github import Account, FakeGitHub
from tests.servers.lfs_store import object_id
from tests.servers.repositories import git_environment, make_empty, make_lfs_repository, make_repository
from tests.servers.seaweed import SeaweedServer
from tests.workflow.workspace import Workspace

TOKEN = "test-token"
OWNER = "acme"
LARGE_FILES = {"one.bin": b"first large file" * 4096, "two.bin": b"second large file" * 4096}
NAMES = ["data.sets", "empty", "lecture", "with-lfs", "with-wiki"]


class BackedUp:
    """The organisation, its bucket, and a folder in which the workflow has backed it up once."""

    def __init__(self, seaweed: SeaweedServer, folder: Path) -> None:
        self.seaweed = seaweed
        self.bucket = seaweed.new_bucket()
        self.client = seaweed.client()
        self.github = FakeGitHub(folder / "github", tokens={TOKEN: Account("robot")})
        self._fill(folder / "made")
        self.workspace = Workspace(folder / "workspace", self.config(), self.environment())

    def _fill(self, made: Path) -> None:
        make_repository(
            made / "lecture.git",
            branches=["topic/a", "topic/ü"],
            tags=["v1"],
            extra_refs=["refs/notes/commits"],
        )
        self.github.add_repository(OWNER, "lecture", made / "lecture.git", topics=["economics"])
        make_repository(made / "data.sets.git", size_bytes=200_000, extra_refs=["refs/pull/7/head"])
        self.github.add_repository(
            OWNER, "data.sets", made / "data.sets.git", private=True, description="Données"
        )
        make_lfs_repository(made / "with-lfs.git", LARGE_FILES)
        self.github.add_repository(OWNER, "with-lfs", made / "with-lfs.git")
        wiki = self.github.add_repository(OWNER, "with-wiki", has_wiki=True)
        make_repository(wiki.wiki_path, commits=2)
        make_empty(made / "empty.git")
        self.github.add_repository(OWNER, "empty", made / "empty.git")

    def store(self) -> dict[str, Any]:
        """Return the section of the store, all that a restore needs to be told."""
        return {
            "bucket": self.bucket,
            "prefix": "backups/",
            "region": "us-east-1",
            "endpoint_url": self.seaweed.endpoint_url,
        }

    def config(self) -> dict[str, Any]:
        """Return a configuration that backs the organisation up."""
        return {
            "backup": {
                "organization": OWNER,
                "github": {"api_url": self.github.api_url},
                "s3": self.store(),
            }
        }

    def environment(self) -> dict[str, str]:
        """Return the credentials for both."""
        return {**self.seaweed.environment(), "GITHUB_TOKEN": TOKEN}

    def elsewhere(self, folder: Path, **sections: Any) -> Workspace:
        """Return a fresh folder on another machine, which knows the bucket and no more."""
        config = {"backup": {"s3": self.store(), "github": {"api_url": self.github.api_url}}, **sections}
        return Workspace(folder, config, self.environment())

    def upstream(self, name: str) -> Path:
        """Return the git directory of a repository upstream."""
        return self.github.repository(OWNER, name).path

    def keys(self, name: str) -> list[str]:
        """Return the keys of a repository's objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"backups/{name}/"
        )
        return sorted(item["Key"] for page in pages for item in page.get("Contents", ()))

    def key(self, name: str) -> str:
        """Return the key of a repository's one backup."""
        (found,) = [key for key in self.keys(name) if key.endswith(".tar.gz")]
        return found


def fingerprint(git_dir: Path) -> dict[str, object]:
    """Return what makes two repositories the same: HEAD, every ref, and every object that they reach."""
    return {
        "head": (git_dir / "HEAD").read_text().strip(),
        "refs": _git(git_dir, "for-each-ref", "--format=%(objectname) %(refname)"),
        "objects": sorted(_git(git_dir, "rev-list", "--objects", "--no-object-names", "--all")),
    }


def lfs_objects(git_dir: Path) -> dict[str, bytes]:
    """Return the LFS objects that a repository holds, by SHA-256."""
    files = [path for path in (git_dir / "lfs" / "objects").rglob("*") if path.is_file()]
    return {path.name: path.read_bytes() for path in files}


EXPECTED_LFS = {object_id(content): content for content in LARGE_FILES.values()}


def _git(git_dir: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        ["git", f"--git-dir={git_dir}", *arguments], env=git_environment(), capture_output=True, check=True
    )
    return done.stdout.decode().splitlines()
