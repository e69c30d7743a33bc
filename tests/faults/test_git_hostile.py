"""Git in a hostile world: configuration that is not ours, addresses that lead elsewhere, other protocols."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from repo_maintenance.errors import GitError, SettingsError
from repo_maintenance.mirror import mirror_repository
from tests.faults.in_process import connect, mirror, settings_for
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import make_repository, refs
from tests.unit.making import files_below, repository, settings_with

HOSTILE = """
[url "http://127.0.0.1:9/"]
    insteadOf = http://
[credential]
    helper = "!touch {mark}"
[core]
    hooksPath = {hooks}
    fsmonitor = "touch {mark}"
    sshCommand = "touch {mark}"
    askPass = "touch {mark}"
[init]
    templateDir = {hooks}
[http]
    proxy = http://127.0.0.1:9
[protocol]
    allow = always
[fetch]
    prune = false
[remote "origin"]
    fetch = +refs/heads/none:refs/heads/none
"""


@pytest.mark.parametrize("place", ["home", "xdg", "system", "environment"])
@pytest.mark.parametrize("pull_requests", [True, False])
def test_nobody_s_configuration_is_used(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, pull_requests: bool
) -> None:
    """What a user's, the system's or a hook's configuration says of git changes nothing of a backup."""
    mark, hooks = tmp_path / "ran", tmp_path / "hooks"
    (hooks / "hooks").mkdir(parents=True)
    for hook in (hooks / "reference-transaction", hooks / "hooks" / "reference-transaction"):
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    home = tmp_path / "home"
    for config in (home / ".gitconfig", home / ".config" / "git" / "config"):
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(HOSTILE.format(mark=mark, hooks=hooks))
    variables = {
        "home": {"HOME": str(home)},
        "xdg": {"XDG_CONFIG_HOME": str(home / ".config")},
        "system": {
            "GIT_CONFIG_SYSTEM": str(home / ".gitconfig"),
            "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        },
        "environment": {
            "GIT_CONFIG_PARAMETERS": f"'credential.helper=!touch {mark}'",
            "GIT_TEMPLATE_DIR": str(hooks),
            "GIT_ASKPASS": f"touch {mark}",
            "SSH_ASKPASS": f"touch {mark}",
            "GIT_PROXY_COMMAND": f"touch {mark}",
            "GIT_DIR": str(tmp_path / "nowhere"),
            "GIT_ALLOW_PROTOCOL": "ext:file",
        },
    }[place]
    upstream = github.add_repository("acme", "one", private=True).path
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    mirror(github, "one", tmp_path / "m", pull_requests=pull_requests)

    for name in variables:
        monkeypatch.delenv(name)
    assert refs(upstream) == refs(tmp_path / "m" / "one.git")
    assert (False, False) == (mark.exists(), (tmp_path / "m" / "one.git" / "hooks").exists())


def test_a_password_file_is_not_used(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password in a user's ``.netrc`` for the host is not sent: git's secret comes by askpass alone."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password netrc-secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    github.add_repository("acme", "one", private=True)

    mirror(github, "one", tmp_path / "m")

    sent = {request.authorization for request in github.git_requests() if request.authorization}
    assert 1 == len(sent)


def attempt(github: FakeGitHub, clone_url: str, folder: Path) -> GitError:
    """Mirror from an address as if GitHub's listing had given it, and return the error."""
    with pytest.raises(GitError) as refused:
        mirror_repository(
            repository("one", clone_url=clone_url),
            folder,
            settings_for(github).backup,
            connect(github).git_access,
        )
    return refused.value


@pytest.mark.parametrize("protocol", ["file", "ext", "git", "ssh", "ftp"])
def test_a_listing_that_names_another_protocol_is_refused(
    github: FakeGitHub, tmp_path: Path, protocol: str
) -> None:
    """For GitHub only https is a way (and http to this machine): no local file is read, no program run."""
    mark = tmp_path / "ran"
    source = make_repository(tmp_path / "source.git")
    url = {
        "file": source.as_uri(),
        "ext": f"ext::touch {mark}",
        "git": "git://127.0.0.1:9/one.git",
        "ssh": "ssh://127.0.0.1:9/one.git",
        "ftp": "ftp://127.0.0.1:9/one.git",
    }[protocol]

    error = attempt(github, url, tmp_path / "mirrors" / "m")

    assert f"transport '{protocol}' not allowed" in error.message
    assert (False, False) == (error.transient, mark.exists())
    assert set() == files_below(tmp_path / "mirrors")


def test_a_path_in_place_of_an_address_is_refused(github: FakeGitHub, tmp_path: Path) -> None:
    """A bare path is no address: what lies on the administrator's disk does not get into a backup."""
    source = make_repository(tmp_path / "source.git")
    assert "not allowed" in attempt(github, str(source), tmp_path / "mirrors" / "m").message


def test_an_address_is_never_an_option(github: FakeGitHub, tmp_path: Path) -> None:
    """An address that begins with dashes runs nothing: it stands where git takes no options."""
    mark = tmp_path / "ran"
    attempt(github, f"--upload-pack=touch {mark}", tmp_path / "m")
    attempt(github, f"--config=core.sshCommand=touch {mark}", tmp_path / "m")
    assert not mark.exists()


def other_address() -> str:
    """Return an address of this machine that is not a loopback one, in TEST-NET-1 where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "192.0.2.1"


def test_plain_http_to_another_machine_is_refused(github: FakeGitHub, tmp_path: Path) -> None:
    """Also where GitHub is a server on this machine, git never goes to another one by plain http."""
    error = attempt(github, f"http://{other_address()}:9/acme/one.git", tmp_path / "m")
    assert (False, True) == (error.transient, "http" in error.message and "not allowed" in error.message)


def test_plain_http_is_refused_in_the_configuration() -> None:
    """An API address by plain http on another machine is an error before any token travels."""
    for url in ("http://github.example.org/api/v3", "http://127.0.0.1.example.org", "http://10.0.0.1/api/v3"):
        with pytest.raises(SettingsError, match=r"github\.api_url: a token must not travel over plain http"):
            settings_with(organization="acme", github={"api_url": url})


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1:9/x", "http://127.0.0.1:9/x"])
def test_a_redirect_leads_to_no_other_protocol(github: FakeGitHub, tmp_path: Path, target: str) -> None:
    """A redirect to a file, or to nowhere, is an error of the repository, and nothing is read."""
    github.add_repository("acme", "one")
    github.fault(Fault(matching(r"one\.git/"), status=301, headers={"Location": target}))

    with pytest.raises(GitError):
        mirror(github, "one", tmp_path / "mirrors" / "m", git={"attempts": 1, "wait_seconds": 0})

    assert set() == files_below(tmp_path / "mirrors")


def test_a_repository_s_own_configuration_does_not_travel(github: FakeGitHub, tmp_path: Path) -> None:
    """Hooks and configuration of the repository at GitHub are no part of its mirror."""
    upstream = github.add_repository("acme", "one").path
    (upstream / "hooks").mkdir(exist_ok=True)
    (upstream / "hooks" / "post-checkout").write_text("#!/bin/sh\n")
    (upstream / "hooks" / "post-checkout").chmod(0o755)
    with (upstream / "config").open("a") as config:
        config.write("[core]\n\tfsmonitor = touch evil\n")

    mirror(github, "one", tmp_path / "m")

    copy = tmp_path / "m" / "one.git"
    assert (False, False) == ("fsmonitor" in (copy / "config").read_text(), (copy / "hooks").exists())
