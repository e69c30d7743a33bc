"""Promises of a new home on GitHub: what is made there is private, and a refusal says what to do."""

from __future__ import annotations

import pytest

from repo_maintenance.errors import PushError
from repo_maintenance.hosts.github_target import GitHubTarget, split_address
from repo_maintenance.settings import GitHubSettings
from tests.conftest import TOKEN
from tests.servers.github import FakeGitHub, Fault, matching


def target(github: FakeGitHub) -> GitHubTarget:
    """Return the new home."""
    return GitHubTarget(GitHubSettings(api_url=github.api_url), TOKEN)


@pytest.mark.parametrize("owner", ["acme", "robot"])
def test_what_is_missing_is_made_private(github: FakeGitHub, owner: str) -> None:
    """Once, in an organisation as for a user: what was private before is not public by a restore."""
    address = f"{github.url}/{owner}/lecture.git"

    assert [True, False] == [target(github).ensure(address, None) for _ in range(2)]
    assert github.repository(owner, "lecture").private


def test_a_refusal_says_what_the_token_lacks(github: FakeGitHub) -> None:
    """A token that may not make repositories ends in one line, not in a push that fails later."""
    github.fault(Fault(matching(r"/orgs/acme/repos", "POST"), status=403, body={"message": "Forbidden"}))

    with pytest.raises(PushError, match="does not make acme/lecture") as refused:
        target(github).ensure(f"{github.url}/acme/lecture.git", None)
    assert "token" in str(refused.value.hint)


def test_an_unknown_state_makes_nothing(github: FakeGitHub) -> None:
    """Where GitHub does not tell whether a repository is there, none is made."""
    github.fault(Fault(matching(r"/repos/acme/lecture"), status=403, body={"message": "Forbidden"}))

    with pytest.raises(PushError, match="does not tell whether acme/lecture is there"):
        target(github).ensure(f"{github.url}/acme/lecture.git", None)
    assert [] == [one for one in github.api_requests() if one.method == "POST"]


def test_a_default_branch_that_can_not_be_set_is_told(github: FakeGitHub) -> None:
    """The push is there, but clones would begin at another branch: so it is an error, by name."""
    with pytest.raises(PushError, match="acme/lecture: the default branch can't be set"):
        target(github).set_default_branch(f"{github.url}/acme/lecture.git", "trunk")


@pytest.mark.parametrize("path", ["", "/", "/acme", "/acme/", "/acme/a/b", "//a.git"])
def test_an_address_that_names_no_repository_is_refused(path: str) -> None:
    """A mistyped `restore.push_to` is said as such."""
    with pytest.raises(PushError, match="names no OWNER/REPOSITORY"):
        split_address(f"https://github.com{path}")


def test_an_address_has_owner_and_name() -> None:
    """With and without `.git`."""
    assert ("acme", "a.b") == split_address("https://github.com/acme/a.b.git")
    assert ("acme", "a.b") == split_address("https://github.com/acme/a.b/")
