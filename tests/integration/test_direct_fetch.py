"""Promises of the way without git's client: the same mirror in two requests, and nothing git would refuse."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from repo_maintenance.direct_fetch import mirror_directly
from repo_maintenance.errors import TransientGitError
from repo_maintenance.hosts import GitAccess
from repo_maintenance.smart_http import OddServerError
from tests.conftest import TOKEN
from tests.faults.in_process import mirror
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import git, git_environment, make_empty, make_repository, push_commit, refs

RESULT = {"Content-Type": "application/x-git-upload-pack-result"}
POST = matching(r"/one\.git/git-upload-pack", "POST")


@pytest.fixture(autouse=True)
def token(workspace: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with the token in the environment."""
    _ = workspace
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)


@pytest.fixture
def upstream(github: FakeGitHub, tmp_path: Path) -> Path:
    """Serve the private repository `acme/one`; return where it stands."""
    path = make_repository(
        tmp_path / "one.git", branches=("b", "feature/x"), tags=("v1",), extra_refs=("refs/pull/1/head",)
    )
    github.add_repository("acme", "one", path, private=True, has_wiki=False)
    return path


def files_made(path: Path) -> set[str]:
    """Return the files below a folder, packs by their kind."""
    return {
        f"{found.parent.relative_to(path)}/{found.suffix if 'pack-' in found.name else found.name}"
        for found in path.rglob("*")
        if found.is_file() and not found.name.endswith(".rev")
    }


def commit(path: Path, tree: str, ref: str) -> str:
    """Make a commit that no other ref leads to, and return its id."""
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    made = git(path, *identity, "commit-tree", "-m", f"for {ref}", tree).strip()
    git(path, "update-ref", ref, made)
    return made


def packet(line: bytes) -> bytes:
    """Return a packet of git's protocol."""
    return b"%04x%b" % (len(line) + 4, line)


def test_it_is_what_git_clone_makes(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """Refs, HEAD, settings, files and objects are those of `git clone --mirror`, and git finds no fault."""
    github.repository("acme", "one").visibility = "public"
    clone = tmp_path / "clone.git"
    url = github.repository("acme", "one").path
    git(tmp_path, "clone", "--quiet", "--mirror", "--template=", str(url), str(clone))

    mirror(github, "one", tmp_path / "m")

    made = tmp_path / "m" / "one.git"
    assert (refs(clone), "") == (refs(made), git(made, "fsck", "--strict"))
    assert (clone / "HEAD").read_text() == (made / "HEAD").read_text()
    assert files_made(clone) == files_made(made)
    objects = ("rev-list", "--objects", "--all", "--no-object-names")
    assert sorted(git(clone, *objects).split()) == sorted(git(made, *objects).split())
    ours = git(made, "config", "--list", "--local").replace(github.url, "")
    assert git(clone, "config", "--list", "--local").replace(str(upstream), "/acme/one.git") == ours


@pytest.mark.usefixtures("upstream")
def test_it_asks_twice_and_with_the_password(github: FakeGitHub, tmp_path: Path) -> None:
    """A private repository costs two requests, neither of which is refused first."""
    mirror(github, "one", tmp_path / "m")

    asked = [(one.method, one.path, one.status) for one in github.git_requests()]
    assert [("POST", "/acme/one.git/git-upload-pack", 200)] * 2 == asked


@pytest.mark.usefixtures("upstream")
def test_pull_requests_are_not_even_fetched(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """Where pull requests are left out, what only they lead to is not asked for."""
    only_there = commit(upstream, git(upstream, "rev-parse", "main^{tree}").strip(), "refs/pull/1/head")

    mirror(github, "one", tmp_path / "m", pull_requests=False)

    made = tmp_path / "m" / "one.git"
    wanted = {name: one for name, one in refs(upstream).items() if not name.startswith("refs/pull/")}
    assert wanted == refs(made)
    held = git(made, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    assert only_there not in held


def test_an_empty_repository_keeps_its_branch(github: FakeGitHub, tmp_path: Path) -> None:
    """A repository without a commit has the HEAD that GitHub names, in one request."""
    make_empty(tmp_path / "one.git", "trunk")
    github.add_repository("acme", "one", tmp_path / "one.git", has_wiki=False)

    mirror(github, "one", tmp_path / "m")

    made = tmp_path / "m" / "one.git"
    assert ({}, "ref: refs/heads/trunk\n") == (refs(made), (made / "HEAD").read_text())
    assert 1 == len(github.git_requests())


@pytest.mark.parametrize("odd", ["detached", "sha256"])
def test_what_is_odd_is_left_to_git(github: FakeGitHub, tmp_path: Path, odd: str) -> None:
    """A detached HEAD, or a repository of another hash, is mirrored by git's own client."""
    path = tmp_path / "one.git"
    if odd == "sha256":
        git(tmp_path, "init", "--quiet", "--bare", "--object-format=sha256", str(path))
        commit(path, git(path, "write-tree").strip(), "HEAD")
    else:
        make_repository(path)
        (path / "HEAD").write_text(git(path, "rev-parse", "main"))
    github.add_repository("acme", "one", path, has_wiki=False)

    mirror(github, "one", tmp_path / "m")

    assert refs(path) == refs(tmp_path / "m" / "one.git")
    assert "/acme/one.git/info/refs" in {request.path for request in github.git_requests()}


NAMES = {
    "a line of its own": b"refs/heads/a\n1111111111111111111111111111111111111111 refs/heads/b",
    "a path that leads outside": b"refs/heads/../../../outside",
    "no ref": b"config",
    "a lock": b"refs/heads/main.lock",
    "a name and what is below it": b"refs/heads/main/below",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_git_refuses_is_not_written(
    github: FakeGitHub, upstream: Path, tmp_path: Path, name: bytes
) -> None:
    """What a server calls a ref stands in no file of a mirror unless git would take it."""
    tip = git(upstream, "rev-parse", "main").strip().encode()
    lines = [b"%b HEAD symref-target:refs/heads/main\n" % tip, b"%b refs/heads/main\n" % tip]
    body = b"".join(map(packet, [*lines, b"%b %b\n" % (tip, name)])) + b"0000"
    github.fault(Fault(POST, times=1, status=200, headers=RESULT, body=body))
    access = GitAccess(("http",), password=TOKEN, host=github.url.removeprefix("http://"))

    with pytest.raises(OddServerError):
        mirror_directly(f"{github.url}/acme/one.git", tmp_path / "m", access, pull_requests=True)

    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("lacking", ["what was asked for", "what that leads to"])
def test_a_pack_that_is_not_whole_makes_no_mirror(
    github: FakeGitHub, upstream: Path, tmp_path: Path, lacking: str
) -> None:
    """A pack that git can read, but that lacks an object, is never taken for the repository."""
    tip = git(upstream, "rev-parse", "main").strip()
    chosen = git(upstream, "rev-parse", "main^{tree}").strip() if lacking == "what was asked for" else tip
    names = tmp_path / "names"
    names.write_text(f"{chosen}\n")
    command = ["git", f"--git-dir={upstream}", "pack-objects", "--stdout", "-q"]
    with names.open("rb") as stdin:
        pack = subprocess.run(command, env=git_environment(), stdin=stdin, capture_output=True, check=True)
    lines = [f"{tip} HEAD symref-target:refs/heads/main\n", f"{tip} refs/heads/main\n"]
    listing = b"".join(packet(line.encode()) for line in lines) + b"0000"
    answer = packet(b"packfile\n") + packet(b"\x01" + pack.stdout) + b"0000"
    for body in (listing, answer):
        github.fault(Fault(POST, times=1, status=200, headers=RESULT, body=body))
    access = GitAccess(("http",), password=TOKEN, host=github.url.removeprefix("http://"))

    with pytest.raises(OddServerError):
        mirror_directly(f"{github.url}/acme/one.git", tmp_path / "m", access, pull_requests=True)

    assert not (tmp_path / "m" / "packed-refs").exists()


MOVES: dict[str, Callable[[Path], object]] = {
    "a push": push_commit,
    "a branch that is gone": lambda path: git(path, "branch", "-D", "b"),
    "a new tag": lambda path: git(path, "tag", "v2", "main"),
    "a new default branch": lambda path: git(path, "symbolic-ref", "HEAD", "refs/heads/b"),
    "a rewritten history": lambda path: commit(
        path, git(path, "rev-parse", "main^{tree}").strip(), "refs/heads/main"
    ),
    "nothing": lambda _path: None,
}


@pytest.mark.parametrize("move", MOVES)
def test_a_cached_mirror_follows_upstream(
    github: FakeGitHub, upstream: Path, tmp_path: Path, move: str
) -> None:
    """Whatever happens upstream, the mirror from the cache is upstream's, in one or two requests."""
    mirror(github, "one", tmp_path / "m", cache=tmp_path / "cache")
    asked = len(github.git_requests())
    MOVES[move](upstream)

    mirror(github, "one", tmp_path / "n", cache=tmp_path / "cache")

    made = tmp_path / "n" / "one.git"
    assert (refs(upstream), "") == (refs(made), git(made, "fsck", "--strict", "--no-dangling"))
    assert (upstream / "HEAD").read_text() == (made / "HEAD").read_text()
    paths = [request.path for request in github.git_requests()[asked:]]
    assert ["/acme/one.git/git-upload-pack"] * (
        2 if move in {"a push", "a rewritten history"} else 1
    ) == paths


def test_only_what_is_new_is_sent(github: FakeGitHub, tmp_path: Path) -> None:
    """With a cached mirror a push of a line costs a pack of a few hundred bytes, not the repository."""
    path = make_repository(tmp_path / "one.git", size_bytes=500_000)
    github.add_repository("acme", "one", path, has_wiki=False)
    mirror(github, "one", tmp_path / "m", cache=tmp_path / "cache")
    packs = tmp_path / "cache" / "one.git" / "objects" / "pack"
    before = set(packs.glob("*.pack"))
    push_commit(path)

    mirror(github, "one", tmp_path / "n", cache=tmp_path / "cache")

    [new] = set(packs.glob("*.pack")) - before
    assert new.stat().st_size < 10_000


def test_a_cache_that_lost_a_pack_is_made_anew(github: FakeGitHub, upstream: Path, tmp_path: Path) -> None:
    """What the cache says it has, but has not, is fetched again, also where nothing was pushed."""
    mirror(github, "one", tmp_path / "m", cache=tmp_path / "cache")
    for path in (tmp_path / "cache" / "one.git" / "objects" / "pack").iterdir():
        path.unlink()

    mirror(github, "one", tmp_path / "n", cache=tmp_path / "cache")

    made = tmp_path / "n" / "one.git"
    assert (refs(upstream), "") == (refs(made), git(made, "fsck", "--strict"))


def test_a_lock_that_a_killed_run_left_costs_no_backup(
    github: FakeGitHub, upstream: Path, tmp_path: Path
) -> None:
    """Where a cached mirror's refs stay locked, it is made anew."""
    mirror(github, "one", tmp_path / "m", cache=tmp_path / "cache")
    (tmp_path / "cache" / "one.git" / "packed-refs.lock").touch()
    push_commit(upstream)

    mirror(github, "one", tmp_path / "n", cache=tmp_path / "cache")

    assert refs(upstream) == refs(tmp_path / "n" / "one.git")


@contextmanager
def dripping() -> Iterator[str]:
    """Serve an answer that comes for ever, a byte at a time; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", RESULT["Content-Type"])
            self.end_headers()
            with suppress(OSError):
                for _ in range(200):
                    self.wfile.write(b"1")
                    time.sleep(0.1)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_an_answer_that_only_drips_is_given_up(tmp_path: Path) -> None:
    """A server that sends a byte now and then does not hold a run for ever."""
    began = time.monotonic()
    with dripping() as url, pytest.raises(TransientGitError, match="bytes a second"):
        mirror_directly(
            f"{url}/acme/one.git", tmp_path / "m", GitAccess(("http",), stall_seconds=1), pull_requests=True
        )
    assert time.monotonic() - began < 10
