"""Checks git over HTTP against the fake GitHub, with git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.servers.github import Account, FakeGitHub, Fault, matching
from tests.servers.repositories import corrupt, force_push, make_empty, make_repository, push_commit, refs
from tests.servers_check.conftest import TOKEN, Git


def test_a_mirror_has_every_ref(github: FakeGitHub, git: Git, tmp_path: Path) -> None:
    """A private repository is mirrored with a token, by git's protocol 2, with all of its refs."""
    bare = make_repository(
        tmp_path / "one.git",
        branches=("b",),
        tags=("v1",),
        extra_refs=("refs/pull/1/head",),
        size_bytes=3_000_000,
    )
    github.add_repository("acme", "one", bare, private=True)

    done = git("clone", "--mirror", f"{github.url}/acme/one.git", "copy.git")

    assert (0, refs(bare)) == (done.returncode, refs(tmp_path / "copy.git"))
    assert {"version=2"} == {request.headers["git-protocol"] for request in github.git_requests()}
    assert [request.status for request in github.git_requests()] == [401, 200, 200, 200]


def test_public_needs_no_token(github: FakeGitHub, git: Git) -> None:
    """A public repository is read without a token, and not pushed to."""
    github.add_repository("acme", "open")

    assert git("clone", f"{github.url}/acme/open.git", "copy", token=None).returncode == 0
    assert git("-C", "copy", "push", "origin", "HEAD:refs/heads/x", token=None).returncode != 0


def test_refusals_read_as_github_s(github: FakeGitHub, git: Git) -> None:
    """No token asks for one, a wrong one fails to authenticate, and what may not be seen isn't found."""
    github.add_repository("acme", "closed", private=True)
    github.add_token("outsider", Account("stranger", organisations=()))

    def say(token: str | None, name: str = "closed") -> str:
        done = git("ls-remote", f"{github.url}/acme/{name}.git", token=token)
        assert done.returncode == 128
        return done.stderr

    assert "could not read Username" in say(None)
    assert "could not read Username" in say(None, "missing")
    assert "Authentication failed" in say("wrong")
    assert "not found" in say("outsider")
    assert "not found" in say(TOKEN, "missing")


def test_a_push_moves_pushed_at(github: FakeGitHub, git: Git, tmp_path: Path) -> None:
    """A mirror is pushed into a new repository; pull request refs are refused, as GitHub does."""
    source = make_repository(tmp_path / "s.git", default_branch="trunk", size_bytes=2_500_000, seed="s")
    target = github.add_repository("acme", "copy", make_empty(tmp_path / "t.git"))
    before = target.pushed_at
    url = f"{github.url}/acme/copy.git"

    assert git("--git-dir", str(source), "push", "--mirror", url).returncode == 0
    assert refs(source) == refs(target.path)
    assert (target.pushed_at != before, target.default_branch) == (True, "trunk")
    assert target.size > 2_400
    refused = git("--git-dir", str(source), "push", url, "trunk:refs/pull/1/head")
    assert "deny updating a hidden ref" in refused.stderr


def test_who_may_not_push(github: FakeGitHub, git: Git, tmp_path: Path) -> None:
    """A token that reads only, and an archived repository, refuse a push with 403."""
    source = make_repository(tmp_path / "s.git")
    github.add_repository("acme", "old", archived=True)
    github.add_repository("acme", "one")
    github.add_token("reader", Account("reader", write=False))
    push = ("--git-dir", str(source), "push", "--force")

    assert "403" in git(*push, f"{github.url}/acme/old.git", "main:x").stderr
    assert "403" in git(*push, f"{github.url}/acme/one.git", "main:x", token="reader").stderr


def test_wikis_and_old_names(github: FakeGitHub, git: Git) -> None:
    """A wiki is there if its repository is on disk; an old name still leads git to the repository."""
    repository = github.add_repository("acme", "one", private=True)
    public = github.add_repository("acme", "open")

    assert "not found" in git("ls-remote", f"{github.url}/acme/one.wiki.git").stderr
    make_repository(repository.wiki_path, default_branch="master")
    assert "refs/heads/master" in git("ls-remote", f"{github.url}/acme/one.wiki.git").stdout
    github.rename("acme", "one", "two")
    assert git("clone", "--mirror", f"{github.url}/acme/one.git", "copy.git").returncode == 0
    assert "refs/heads/master" in git("ls-remote", f"{github.url}/acme/one.wiki.git").stdout
    github.rename("acme", public.name, "opened")
    assert "redirecting to" in git("clone", f"{github.url}/acme/open.git", "copy", token=None).stderr
    assert "master" in git("ls-remote", f"{github.url}/acme/two.wiki.git").stdout


def test_an_update_fetches_only_news(github: FakeGitHub, git: Git, tmp_path: Path) -> None:
    """A mirror's update follows pushes, forced ones and removed branches."""
    repository = github.add_repository("acme", "one")
    git("clone", "--mirror", f"{github.url}/acme/one.git", "copy.git")
    github.touch_push("acme", "one")
    push_commit(repository.path, "second")
    assert git("-C", "copy.git", "remote", "update", "--prune").returncode == 0
    assert refs(repository.path) == refs(tmp_path / "copy.git")
    force_push(repository.path)
    assert git("-C", "copy.git", "remote", "update", "--prune").returncode == 0
    assert refs(repository.path) == refs(tmp_path / "copy.git")


def test_faults_of_git(github: FakeGitHub, git: Git, tmp_path: Path) -> None:
    """A cut pack, a 503, a stall and a broken repository fail a clone; the next one works."""
    bare = make_repository(tmp_path / "one.git", size_bytes=1_000_000)
    github.add_repository("acme", "one", bare)
    url = f"{github.url}/acme/one.git"
    slow = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=1")

    def clone(*options: str) -> subprocess.CompletedProcess[str]:
        return git(*options, "clone", "--mirror", url, f"copy{len(github.requests)}.git")

    github.fault(Fault(matching("/git-upload-pack"), times=1, after_bytes=10))
    assert clone().returncode == 128
    github.fault(Fault(matching("info/refs"), times=1, status=503))
    assert "503" in clone().stderr
    github.fault(Fault(matching("/git-upload-pack"), times=1, stall_seconds=20))
    assert clone(*slow).returncode == 128
    assert clone().returncode == 0
    corrupt(bare)
    assert clone().returncode == 128
