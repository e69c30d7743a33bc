"""Checks Git LFS on the fake GitHub with git-lfs itself."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest
import requests

from tests.servers.github import Account, FakeGitHub, Fault, matching
from tests.servers.lfs_store import corrupt_object, lose_object, object_id, object_path
from tests.servers.repositories import make_empty, make_lfs_repository
from tests.servers_check.conftest import TOKEN, Git

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
OBJECTS = {"a.bin": b"first " * 1000, "b.bin": bytes(100_000), "c.bin": b"third"}


@pytest.fixture
def oids(github: FakeGitHub, git: Git, tmp_path: Path) -> dict[str, str]:
    """Mirror a private repository with three LFS objects as `copy.git`; return their ids by file name."""
    path = tmp_path / "media.git"
    found = make_lfs_repository(path, OBJECTS)
    github.add_repository("acme", "media", path, private=True)
    assert git("clone", "--mirror", f"{github.url}/acme/media.git", "copy.git").returncode == 0
    return found


def header(github: FakeGitHub, token: str) -> str:
    """Return git's setting that sends a token to the fake GitHub."""
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return f"http.{github.url}/.extraHeader=Authorization: Basic {basic}"


def fetched(tmp_path: Path, oids: dict[str, str]) -> set[str]:
    """Return the names of the objects that the mirror has."""
    return {name for name, oid in oids.items() if object_path(tmp_path / "copy.git", oid).is_file()}


def test_all_objects_are_fetched(github: FakeGitHub, git: Git, tmp_path: Path, oids: dict[str, str]) -> None:
    """`git lfs fetch --all` in a mirror gets every object with the token, and each is what its id says."""
    assert git("-C", "copy.git", "lfs", "fetch", "--all").returncode == 0

    for name, oid in oids.items():
        assert object_path(tmp_path / "copy.git", oid).read_bytes() == OBJECTS[name]
    assert {request.status for request in github.lfs_requests()} == {401, 200}


def test_without_a_token_nothing_is_fetched(
    github: FakeGitHub, git: Git, tmp_path: Path, oids: dict[str, str]
) -> None:
    """A private repository's objects need a right token, here by a header that only GitHub's host gets.

    With a wrong token by GIT_ASKPASS git-lfs 3.3 would ask for ever (git-lfs/git-lfs#6231).
    """
    command = ("-c", header(github, "wrong"), "-C", "copy.git", "lfs", "fetch", "--all")
    assert git(*command, token=None).returncode == 2
    assert fetched(tmp_path, oids) == set()
    command = ("-c", header(github, TOKEN), *command[2:])
    assert git(*command, token=None).returncode == 0


def test_objects_missing_or_corrupt(
    github: FakeGitHub, git: Git, tmp_path: Path, oids: dict[str, str]
) -> None:
    """A lost and a corrupt object fail the fetch with exit code 2; the others come all the same."""
    path = github.repository("acme", "media").path
    lose_object(path, oids["a.bin"])
    corrupt_object(path, oids["b.bin"])

    done = git("-C", "copy.git", "lfs", "fetch", "--all")
    assert (done.returncode, fetched(tmp_path, oids)) == (2, {"c.bin"})
    assert oids["a.bin"] in done.stderr


def test_a_cut_download_is_taken_up_again(
    github: FakeGitHub, git: Git, tmp_path: Path, oids: dict[str, str]
) -> None:
    """git-lfs itself tries a download again that was cut."""
    fault = github.fault(Fault(matching(f"/storage/{oids['b.bin']}"), times=1, after_bytes=40_000))

    assert git("-C", "copy.git", "lfs", "fetch", "--all").returncode == 0
    assert (fault.hits, fetched(tmp_path, oids)) == (1, set(OBJECTS))


def test_objects_are_pushed_to_a_new_repository(
    github: FakeGitHub, git: Git, tmp_path: Path, oids: dict[str, str]
) -> None:
    """A restore pushes refs and objects; a token that may only read is refused."""
    target = github.add_repository("acme", "restored", make_empty(tmp_path / "restored.git"), private=True)
    github.add_token("reader", Account("reader", write=False))
    url = f"{github.url}/acme/restored.git"
    assert git("-C", "copy.git", "lfs", "fetch", "--all").returncode == 0

    assert git("-C", "copy.git", "lfs", "push", "--all", url, token="reader").returncode == 2
    assert git("-C", "copy.git", "lfs", "push", "--all", url).returncode == 0
    assert all(object_path(target.path, oid).is_file() for oid in oids.values())


def test_a_client_of_the_batch_api(github: FakeGitHub, oids: dict[str, str]) -> None:
    """The batch API gives an address with an Authorization of its own, and a 404 for what isn't there."""
    wanted: list[dict[str, str | int]] = [
        {"oid": oids["c.bin"], "size": 5},
        {"oid": object_id(b"none"), "size": 4},
    ]
    answer = requests.post(
        f"{github.url}/acme/media.git/info/lfs/objects/batch",
        json={"operation": "download", "transfers": ["basic"], "objects": wanted},
        auth=("x-access-token", TOKEN),
        timeout=5,
    ).json()

    action = answer["objects"][0]["actions"]["download"]
    assert requests.get(action["href"], headers=action["header"], timeout=5).content == b"third"
    assert requests.get(action["href"], auth=("x", TOKEN), timeout=5).status_code == 403
    assert answer["objects"][1]["error"]["code"] == 404
