"""Promises of running git: nobody's configuration, no prompts, no secrets in sight, and clear errors."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_maintenance.errors import GitError, TransientGitError
from repo_maintenance.git import digest_refs, list_refs, run_git
from repo_maintenance.git_errors import explain_git
from repo_maintenance.hosts import GitAccess
from tests.servers import repositories

FILES = GitAccess(protocols=("file",))
refs = st.dictionaries(
    st.from_regex(r"refs/[a-z]{1,5}/[a-zé]{1,5}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
    max_size=5,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a bare repository."""
    return repositories.make_repository(tmp_path / "one.git", branches=("b",), tags=("v1",))


def test_it_returns_what_git_prints(source: Path) -> None:
    """The output is returned as text."""
    assert run_git([f"--git-dir={source}", "rev-list", "--count", "main"]) == "3\n"


def test_nobody_s_configuration_is_read(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's rewriting of addresses, or variables left by a hook, change nothing of a backup."""
    (tmp_path / ".gitconfig").write_text('[url "file:///nowhere/"]\n\tinsteadOf = file:///\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.file:///elsewhere/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "file:///")

    listed = run_git(["ls-remote", source.as_uri()], access=FILES)

    assert set(repositories.refs(source)) < {line.split("\t")[1] for line in listed.splitlines()}


def test_the_environment_keeps_the_way_out_and_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies and certificates reach git as they are; tokens, keys and git's own variables do not."""
    kept = {"HTTPS_PROXY": "http://proxy", "GIT_SSL_CAINFO": "/ca.pem"}
    secret = {"GITHUB_TOKEN": "s3cret", "GH_TOKEN": "s3cret"}
    own = {"GIT_TRACE_CURL": str(tmp_path / "trace"), "GIT_SSH_COMMAND": "/x", "GIT_PROXY_COMMAND": "/x"}
    for name, value in (kept | secret | own).items():
        monkeypatch.setenv(name, value)

    printed = run_git(["-c", "alias.tell-environment=!env", "tell-environment"])

    environment = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    assert kept == {name: environment.get(name) for name in kept}
    assert [name for name in secret | own if name in environment] == []
    assert "s3cret" not in printed


def test_the_password_is_not_shown() -> None:
    """What a log or a traceback shows of the access holds no password."""
    assert "s3cret" not in repr(GitAccess(protocols=("https",), password="s3cret"))


def test_git_never_asks(source: Path) -> None:
    """A command that reads from the terminal gets nothing, and ends."""
    assert run_git([f"--git-dir={source}", "cat-file", "--batch-check"]) == ""


@pytest.mark.parametrize("access", [GitAccess(protocols=()), GitAccess(protocols=("https",))])
def test_only_allowed_protocols_are_used(source: Path, access: GitAccess) -> None:
    """An address of another kind than the host's is refused, so that upstream can't lead git elsewhere."""
    with pytest.raises(GitError, match="transport 'file' not allowed"):
        run_git(["ls-remote", "--", source.as_uri()], access=access)


def test_an_address_runs_no_program(tmp_path: Path) -> None:
    """The `ext::` protocol, which runs a command, is never allowed."""
    mark = tmp_path / "ran"
    with pytest.raises(GitError):
        run_git(["ls-remote", "--", f"ext::touch {mark}"], access=FILES)
    assert not mark.exists()


def test_an_error_says_what_failed_in_one_line(tmp_path: Path) -> None:
    """The message is git's own, with the command; trying again would not help."""
    with pytest.raises(GitError) as failed:
        run_git(["ls-remote", "--", (tmp_path / "nowhere").as_uri()], access=FILES)

    assert f"git ls-remote: fatal: '{tmp_path}/nowhere' does not appear to be a git repository" == (
        failed.value.message
    )
    assert (failed.value.transient, isinstance(failed.value, TransientGitError)) == (False, False)


def test_corruption_upstream_is_named(source: Path, tmp_path: Path) -> None:
    """A missing object upstream is an error for good, and the hint says where to look."""
    repositories.corrupt(source)

    with pytest.raises(GitError) as failed:
        run_git(["clone", "--mirror", "--", source.as_uri(), tmp_path / "copy.git"], access=FILES)

    assert (failed.value.transient, "git fsck" in (failed.value.hint or "")) == (False, True)


def test_refs_are_listed_with_their_own_ids(source: Path) -> None:
    """All refs are there; an annotated tag has the id of the tag itself."""
    assert repositories.refs(source) == list_refs(source)
    assert list_refs(repositories.make_empty(source.with_name("empty.git"))) == {}


def test_a_ref_name_in_any_bytes_is_listed(source: Path) -> None:
    """A branch whose name is not UTF-8, as old repositories have, is listed and told from others."""
    main = repositories.refs(source)["refs/heads/main"]
    for name in (b"refs/heads/caf\xe9", b"refs/heads/caf\xe8"):
        subprocess.run(
            [b"git", b"--git-dir=" + os.fsencode(source), b"update-ref", name, main.encode()], check=True
        )

    assert len(list_refs(source)) == 5
    assert main == list_refs(source)["refs/heads/caf\\xe9"]


def test_the_digest_is_that_of_a_one_line_command(source: Path) -> None:
    """Anyone can compute the digest of refs with `git`, `sort` and `sha256sum` alone."""
    command = "git for-each-ref --format='%(objectname) %(refname)' | LC_ALL=C sort | sha256sum"
    said = subprocess.run(command, shell=True, cwd=source, capture_output=True, text=True, check=True)  # noqa: S602
    assert said.stdout.split()[0] == digest_refs(list_refs(source))


def test_the_digest_of_no_refs() -> None:
    """An empty repository has the digest of nothing."""
    assert hashlib.sha256(b"").hexdigest() == digest_refs({})


@settings(max_examples=25)
@given(refs, refs)
def test_the_digest_tells_refs_apart(one: dict[str, str], other: dict[str, str]) -> None:
    """Two mirrors have the same digest exactly where they have the same refs, in whatever order."""
    assert digest_refs(one) == digest_refs(dict(reversed(one.items())))
    assert (one == other) == (digest_refs(one) == digest_refs(other))


def test_what_a_server_says_steers_no_terminal() -> None:
    """Escape sequences and what turns text around are shown as they are written, not carried out."""
    stderr = "remote: \x1b]0;owned\x07\x1b[2J done\u202e\nfatal: \x1b[1mcould not read\n"

    said = str(explain_git("clone", 128, stderr))

    assert said == r"git clone: fatal: \x1b[1mcould not read"
