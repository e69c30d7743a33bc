"""The working folders of these tests: sources with repositories, stores, and what each holds at the end."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from repo_maintenance.naming import PARTIAL
from tests.conftest import TOKEN
from tests.servers.github import FakeGitHub
from tests.servers.repositories import git_environment, make_repository, refs
from tests.servers.seaweed import REGION, SeaweedServer
from tests.workflow.workspace import Workspace

Given = TypeVar("Given")
Made = TypeVar("Made")

ORGANIZATION = "acme"
CONCURRENT = max(2, os.cpu_count() or 2)


def make_source(folder: Path, names: Iterable[str], **options: Any) -> Path:
    """Make a folder of bare repositories; ``options`` go to ``make_repository``. Returns the folder."""
    for name in names:
        make_repository(folder / f"{name}.git", **options)
    return folder


def from_folder(path: Path, source: Path, **backup: Any) -> Workspace:
    """Return a working folder that backs a folder up into ``backups``, or where ``backup`` says."""
    path.mkdir(parents=True, exist_ok=True)
    return Workspace(path, {"backup": {"folder": str(source), **backup}})


def from_github(path: Path, github: FakeGitHub, **backup: Any) -> Workspace:
    """Return a working folder that backs the organisation up into ``backups``, or where ``backup`` says."""
    path.mkdir(parents=True, exist_ok=True)
    settings = {"organization": ORGANIZATION, "github": {"api_url": github.api_url}, "wikis": False, **backup}
    return Workspace(path, {"backup": settings}, {"GITHUB_TOKEN": TOKEN})


def into_bucket(
    workspace: Workspace, seaweed: SeaweedServer, bucket: str, endpoint_url: str = ""
) -> Workspace:
    """Let a working folder store into a bucket, through a proxy where ``endpoint_url`` names one."""
    where = {"bucket": bucket, "region": REGION, "endpoint_url": endpoint_url or seaweed.endpoint_url}
    config = {"backup": {**workspace.config["backup"], "s3": where}}
    return Workspace(workspace.path, config, {**workspace.environment, **seaweed.environment()})


def backups_in(workspace: Workspace) -> dict[str, dict[str, str]]:
    """Return the refs of each repository's newest backup in ``backups``, read with tar and git alone."""
    found = {}
    tarballs = (workspace.path / "backups").glob("*/*.tar.gz")
    for folder in sorted({tarball.parent for tarball in tarballs}):
        newest = max(folder.glob("*.tar.gz"))
        found[folder.name] = unpacked_refs(newest, folder.name)
    return found


def unpacked_refs(tarball: Path, name: str) -> dict[str, str]:
    """Unpack a tarball, check every object, and return the refs."""
    with tempfile.TemporaryDirectory() as scratch:
        mirror = Path(scratch) / f"{name}.git"
        subprocess.run(["tar", "-xzf", tarball, "-C", scratch], check=True)
        check = ["git", f"--git-dir={mirror}", "fsck", "--full"]
        subprocess.run(check, env=git_environment(), check=True, capture_output=True)
        return refs(mirror)


@dataclass(frozen=True)
class Stored:
    """A backup as it is in a bucket."""

    key: str
    size: int
    etag: str
    metadata: Mapping[str, str]
    sha256: str
    """Of the content, not of what the metadata says."""
    refs: Mapping[str, str]


def stored_objects(seaweed: SeaweedServer, bucket: str, scratch: Path) -> dict[str, Stored]:
    """Return each repository's newest backup in a bucket, read whole, unpacked and checked, by name."""
    client = seaweed.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = sorted(item["Key"] for page in pages for item in page.get("Contents", ()))
    newest = {key.split("/")[-2]: key for key in keys if key.endswith(".tar.gz")}
    found = {}
    for name, key in newest.items():
        tarball = scratch / "downloaded.tar.gz"
        answer = client.get_object(Bucket=bucket, Key=key)
        tarball.write_bytes(answer["Body"].read())
        digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
        refs_inside = unpacked_refs(tarball, name)
        found[name] = Stored(
            key, answer["ContentLength"], answer["ETag"], answer["Metadata"], digest, refs_inside
        )
        tarball.unlink()
    return found


def upstream_refs(folder: Path) -> dict[str, dict[str, str]]:
    """Return the refs of each bare repository in a folder."""
    return {path.name.removesuffix(".git"): refs(path) for path in sorted(folder.glob("*.git"))}


def left_overs(workspace: Workspace) -> list[Path]:
    """Return what a run has left of mirrors, of tarballs, and of whatever was half-written."""
    results = workspace.path / "results"
    parts = [path for name in ("mirrors", "archives") for path in (results / name).glob("*")]
    return parts + [path for path in files_below(results) if path.name.startswith(PARTIAL)]


def files_below(folder: Path) -> list[Path]:
    """Return all files below a folder; what an orphan takes away meanwhile is not among them."""
    return [Path(inner) / name for inner, _folders, names in os.walk(folder) for name in names]


def together(function: Callable[[Given], Made], items: Iterable[Given]) -> list[Made]:
    """Call a function on all items, as many at a time as there are cores; returns what it returned."""
    with ThreadPoolExecutor(CONCURRENT) as pool:
        return list(pool.map(function, items))
