"""Promises of asking GitHub how repositories are looked after: few requests, and no false all-clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance.errors import HostError
from repo_maintenance.hosts.github import GitHubHost
from repo_maintenance.hosts.github_care import Care
from repo_maintenance.settings import GitHubSettings
from tests.servers.github import FakeGitHub, Fault
from tests.servers.repositories import make_repository

TOKEN = "test-token"


def host(github: FakeGitHub, tmp_path: Path, owner: str = "acme", token: str | None = TOKEN) -> GitHubHost:
    """Return the host as a run opens it."""
    settings = GitHubSettings(api_url=github.api_url)
    return GitHubHost.connect(owner, settings, {"GITHUB_TOKEN": token} if token else {}, tmp_path / "cache")


def graphql_fault(answer: dict[str, object]) -> Fault:
    """Return an answer in place of GraphQL's own."""
    return Fault(match=lambda one: one.path == "/api/graphql", status=200, body=answer)


def test_one_question_for_each_hundred(github: FakeGitHub, tmp_path: Path) -> None:
    """250 repositories take three requests, and each is known by its id."""
    bare = make_repository(tmp_path / "one.git")
    made = [
        github.add_repository("acme", f"r{number}", bare, is_protected=number % 2 == 0)
        for number in range(250)
    ]

    care = host(github, tmp_path).list_care()

    assert 3 == len(github.api_requests())
    assert {str(one.id): one.is_protected for one in made} == {
        key: one.is_protected for key, one in care.items()
    }


def test_what_the_token_may_not_know_is_unknown(github: FakeGitHub, tmp_path: Path) -> None:
    """A refusal for one repository makes that one unknown, not unprotected; the others stay known."""
    branch = {"branchProtectionRule": None, "refUpdateRule": None, "rules": {"totalCount": 0}}
    node = {"isSecurityPolicyEnabled": True, "contributingGuidelines": None, "defaultBranchRef": branch}
    nodes = [
        {**node, "databaseId": 1},
        {**node, "databaseId": 2},
        {**node, "databaseId": 3, "defaultBranchRef": None},
    ]
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}
    path = ["repositoryOwner", "repositories", "nodes", 1, "defaultBranchRef", "branchProtectionRule"]
    errors = [{"type": "FORBIDDEN", "path": path, "message": "Resource not accessible"}]
    github.fault(graphql_fault({"data": {"repositoryOwner": {"repositories": page}}, "errors": errors}))

    care = host(github, tmp_path).list_care()

    assert {"1": Care(False, False, True), "2": Care(None, False, True), "3": Care(None, False, True)} == care


@pytest.mark.parametrize(
    ("owner", "token", "said"),
    [
        ("acme", None, "without a token"),
        ("nobody", TOKEN, "Could not resolve"),
        ("acme", "wrong", "refuses the token"),
    ],
)
def test_a_refusal_is_said(
    owner: str, token: str | None, said: str, github: FakeGitHub, tmp_path: Path
) -> None:
    """Without a token, with a wrong one, or for nobody, the reason is given, and nothing is concluded."""
    with pytest.raises(HostError, match=said):
        host(github, tmp_path, owner, token).list_care()


def test_an_answer_without_data_is_no_answer(github: FakeGitHub, tmp_path: Path) -> None:
    """GitHub's own failure, which comes with status 200, is said in its words."""
    github.fault(graphql_fault({"data": None, "errors": [{"message": "Something went wrong"}]}))

    with pytest.raises(HostError, match="Something went wrong"):
        host(github, tmp_path).list_care()
