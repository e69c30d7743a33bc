"""The token goes to GitHub's host and to no other, whatever a repository or an answer says."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from repo_maintenance.errors import GitError
from repo_maintenance.git import git_environment
from repo_maintenance.hosts import GitAccess
from repo_maintenance.lfs import object_path
from tests.conftest import TOKEN
from tests.faults.commits import commit_files
from tests.faults.in_process import mirror
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import make_lfs_repository, make_repository, refs

CONTENT = b"large " * 1000
needs_git_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[FakeGitHub]:
    """Serve another host, which asks everybody for a password."""
    with FakeGitHub(tmp_path / "elsewhere") as server:
        server.add_repository("acme", "media", private=True)
        yield server


@pytest.fixture
def oid(github: FakeGitHub, tmp_path: Path) -> str:
    """Add the private repository ``media`` with one LFS object, and return its id."""
    path = tmp_path / "media.git"
    oids = make_lfs_repository(path, {"a.bin": CONTENT})
    github.add_repository("acme", "media", path, private=True, has_wiki=False)
    return oids["a.bin"]


def told(server: FakeGitHub) -> list[str]:
    """Return what a host was sent that has the token in it."""
    sent = [request.authorization or "" for request in server.requests]
    decoded = [base64.b64decode(one.removeprefix("Basic ") + "==").decode(errors="replace") for one in sent]
    return [one for one in (*sent, *decoded) if TOKEN in one]


CONFIGS = {
    "lfs.url": "[lfs]\n\turl = {url}\n",
    "lfs.url with a user": "[lfs]\n\turl = {user}\n",
    "remote.origin.lfsurl": '[remote "origin"]\n\tlfsurl = {url}\n',
    "remote.lfsdefault": '[remote]\n\tlfsdefault = evil\n[remote "evil"]\n\tlfsurl = {url}\n\turl = {url}\n',
    "exclusions": "[lfs]\n\tfetchexclude = *\n\tskipdownloaderrors = true\n\tconcurrenttransfers = 0\n",
    "insteadOf": '[url "{base}/"]\n\tinsteadOf = http://\n',
    "access": '[lfs "{url}"]\n\taccess = basic\n[lfs]\n\turl = {url}\n',
    "not a configuration": "[lfs\nurl == {url}\n",
}


@needs_git_lfs
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_an_lfsconfig_leads_to_no_other_server(
    github: FakeGitHub, elsewhere: FakeGitHub, oid: str, tmp_path: Path, config: str
) -> None:
    """A ``.lfsconfig``, which anyone who pushes can write, neither gets the token nor hides an object."""
    path = github.repository("acme", "media").path
    url = f"{elsewhere.url}/acme/media.git/info/lfs"
    user = url.replace("http://", f"http://x%40{github.host}%27@")
    written = config.format(url=url, user=user, base=elsewhere.url)
    commit_files(path, "refs/heads/main", {".lfsconfig": written.encode()}, on=refs(path)["refs/heads/main"])

    contents = mirror(github, "media", tmp_path / "m")

    assert ([], []) == (told(elsewhere), contents.lfs_missing)
    assert CONTENT == object_path(tmp_path / "m" / "media.git", oid).read_bytes()


@needs_git_lfs
@pytest.mark.parametrize("path", [r"/media\.git/(info/refs|git-upload-pack)", r"/objects/batch"])
def test_a_redirect_takes_no_password_along(
    github: FakeGitHub, elsewhere: FakeGitHub, oid: str, tmp_path: Path, path: str
) -> None:
    """A redirect to another host that asks for a password gets none, and the repository fails."""
    assert oid
    user = elsewhere.url.replace("http://", f"http://x%40{github.host}%27@")
    for base in (elsewhere.url, user):
        target = f"{base}/acme/media.git/info/refs?service=git-upload-pack"
        if "batch" in path:
            target = f"{base}/acme/media.git/info/lfs/objects/batch"
        fault = github.fault(Fault(matching(path), status=307, headers={"Location": target}))

        with pytest.raises(GitError) as refused:
            mirror(github, "media", tmp_path / "m", git={"attempts": 1})

        assert "access denied" == refused.value.kind
        fault.times = 0

    assert [] != elsewhere.requests
    assert [] == told(elsewhere)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Username for 'https://github.com': ", "x-access-token"),
        ("Password for 'https://x-access-token@github.com': ", TOKEN),
        ("Password for 'https://x-access-token@evil.example': ", None),
        ("Password for 'https://github.com.evil.example': ", None),
        ("Password for 'https://github.com:8443': ", None),
        ("Password for 'https://evil.example/https://github.com': ", None),
        ("Password for 'https://x@github.com'@evil.example': ", None),
        ("Password for 'https://://github.com'@evil.example': ", None),
        ('Password for "https://evil.example/x@github.com"', None),
        ("Password for 'https://notgithub.com': ", None),
        ("Password for 'http://x-access-token@github.com': ", None),
        ("Enter passphrase for key '/root/.ssh/id_rsa@github.com': ", None),
        ("Password for 'cert:////root/x@github.com': ", None),
    ],
)
def test_askpass_answers_for_one_host_only(tmp_path: Path, prompt: str, answer: str | None) -> None:
    """Git's questions about GitHub are answered; what only looks like one of them is refused."""
    done = ask(prompt, tmp_path / "count")
    assert (answer is None, answer) == (done.returncode != 0, done.stdout.rstrip("\n") or None)
    assert TOKEN not in done.stderr


def ask(prompt: str, count: Path) -> subprocess.CompletedProcess[str]:
    """Ask for a password as git does that was told to reach github.com."""
    access = GitAccess(protocols=("https",), host="github.com", password=TOKEN)
    environment = git_environment({"PATH": os.environ["PATH"]}, access, count)
    command = [environment["GIT_ASKPASS"], prompt]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_askpass_answers_not_without_end(tmp_path: Path) -> None:
    """A program that asks again and again for a password that is refused is ended by an error."""
    prompt = "Password for 'https://x-access-token@github.com': "
    codes = [ask(prompt, tmp_path / "count").returncode for _ in range(22)]
    assert ({0}, 1) == (set(codes[:20]), codes[-1])


def test_no_secret_is_in_the_environment_of_what_needs_none(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Git finds its password by askpass where it fetches; the administrator's variables do not reach it."""
    seen = tmp_path / "seen"
    git, tools = shutil.which("git"), tmp_path / "bin"
    tools.mkdir()
    note = f'[ -z "${{GIT_ALLOW_PROTOCOL+ours}}" ] || env >>"{seen}"'  # not the server's own git
    (tools / "git").write_text(f'#!/bin/sh\n{note}\nexec {git} "$@"\n')
    (tools / "git").chmod(0o755)
    make_repository(tmp_path / "one.git")
    github.add_repository("acme", "one", tmp_path / "one.git", private=True)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    mirror(github, "one", tmp_path / "m")

    lines = seen.read_text().splitlines()
    needed = {f"ASKPASS_PASSWORD={TOKEN}"} if way == "by git" else set()
    assert needed == {line for line in lines if TOKEN in line or "aws-secret" in line}
