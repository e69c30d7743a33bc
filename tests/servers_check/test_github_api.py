"""Checks the fake GitHub's REST API with PyGithub and with plain requests."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests
from github import Auth, BadCredentialsException, Github, GithubIntegration, UnknownObjectException

from tests.servers.github import Account, App, FakeGitHub, Fault, matching
from tests.servers.repositories import make_empty, make_repository
from tests.servers_check.conftest import TOKEN

LISTED = (
    *("name", "id", "node_id", "full_name", "owner", "private", "visibility", "archived", "disabled", "fork"),
    *("size", "default_branch", "pushed_at", "updated_at", "created_at", "topics", "clone_url", "html_url"),
    *("description", "homepage", "has_wiki", "has_issues", "language", "is_template", "mirror_url"),
)


def connect(github: FakeGitHub, token: str | None = TOKEN) -> Github:
    """Return a PyGithub client that neither waits nor tries again."""
    auth = None if token is None else Auth.Token(token)
    return Github(
        auth=auth,
        base_url=github.api_url,
        per_page=100,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


def get(github: FakeGitHub, path: str, token: str | None = TOKEN, **headers: str) -> requests.Response:
    """Return the answer to a GET of the API."""
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return requests.get(f"{github.api_url}{path}", headers=headers, timeout=10)


def test_listing_250_repositories_takes_three_requests(github: FakeGitHub, tmp_path: Path) -> None:
    """All that a backup reads of a repository is in the listing: no request per repository."""
    shared = make_repository(tmp_path / "shared.git")
    for number in range(250):
        github.add_repository(
            "acme", f"repository-{number:03}", shared, private=number % 2 == 0, topics=["t"]
        )
    organization = connect(github).get_organization("acme")
    github.clear_requests()

    seen = [tuple(getattr(item, name) for name in LISTED) for item in organization.get_repos()]

    assert len({item[1] for item in seen}) == 250
    assert {item[0] for item in seen} == {f"repository-{number:03}" for number in range(250)}
    asked = [(request.path, "per_page=100" in request.query) for request in github.api_requests()]
    assert asked == [("/api/v3/orgs/acme/repos", True)] * 3


def test_an_attribute_that_listings_lack_costs_a_request(github: FakeGitHub) -> None:
    """PyGithub asks again for what only the full repository has, as with GitHub itself."""
    github.add_repository("acme", "one")
    repository = connect(github).get_organization("acme").get_repos()[0]
    github.clear_requests()

    assert repository.network_count == 0
    assert [request.path for request in github.api_requests()] == ["/api/v3/repos/acme/one"]


def test_pages_are_linked(github: FakeGitHub, tmp_path: Path) -> None:
    """Link names the neighbours, the first and the last page; a page holds 30 unless told."""
    empty = make_empty(tmp_path / "e.git")
    for number in range(65):
        github.add_repository("acme", f"r{number:02}", empty)
    pages = [get(github, f"/orgs/acme/repos?page={number}") for number in (1, 2, 3)]

    assert [len(page.json()) for page in pages] == [30, 30, 5]
    assert [{"next", "last"}, {"prev", "next", "last", "first"}, {"prev", "first"}] == [
        set(page.links) for page in pages
    ]
    assert f"{github.api_url}/orgs/acme/repos?page=2" == pages[0].links["next"]["url"]


def test_who_sees_what(github: FakeGitHub) -> None:
    """A member sees all repositories; nobody, an outsider or a small scope the public ones."""
    github.add_repository("acme", "open")
    github.add_repository("acme", "closed", private=True)
    github.add_token("outsider", Account("stranger", organisations=()))
    github.add_token("small", Account("robot", scopes="public_repo"))

    names = {
        token: [item["name"] for item in get(github, "/orgs/acme/repos", token).json()]
        for token in (None, TOKEN, "outsider", "small")
    }
    assert names == {None: ["open"], TOKEN: ["closed", "open"], "outsider": ["open"], "small": ["open"]}
    assert get(github, "/repos/acme/closed", None).status_code == 404
    assert get(github, "/orgs/nobody/repos").status_code == 404


def test_pygithub_names_the_errors(github: FakeGitHub) -> None:
    """A wrong token is BadCredentialsException, an unknown organisation UnknownObjectException."""
    with pytest.raises(BadCredentialsException) as wrong:
        connect(github, "wrong").get_organization("acme")
    assert wrong.value.data["message"] == "Bad credentials"
    with pytest.raises(UnknownObjectException):
        connect(github).get_organization("nobody")


def test_an_unchanged_answer_is_304_and_free(github: FakeGitHub) -> None:
    """An ETag that still holds answers 304 without a body and without cost; a push ends it."""
    github.add_repository("acme", "one")
    first = get(github, "/orgs/acme/repos")
    second = get(github, "/orgs/acme/repos", **{"If-None-Match": first.headers["ETag"]})

    assert (second.status_code, second.content) == (304, b"")
    assert first.headers["X-RateLimit-Used"] == second.headers["X-RateLimit-Used"]
    github.touch_push("acme", "one")
    third = get(github, "/orgs/acme/repos", **{"If-None-Match": first.headers["ETag"]})
    assert third.status_code == 200
    assert first.json()[0]["pushed_at"] < third.json()[0]["pushed_at"]


def test_the_quota_ends(github: FakeGitHub) -> None:
    """A spent quota answers 403 with the time of its reset, and starts anew then; GET /rate_limit is free."""
    github.set_quota(TOKEN, limit=10, remaining=1, reset_in=60)

    assert get(github, "/orgs/acme").status_code == 200
    refused = get(github, "/orgs/acme")
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert 50 < int(refused.headers["X-RateLimit-Reset"]) - time.time() < 70
    assert "API rate limit exceeded" in refused.json()["message"]
    assert get(github, "/rate_limit").json()["resources"]["core"]["used"] == 10
    github.set_quota(TOKEN, limit=10, remaining=0, reset_in=-1)
    assert get(github, "/orgs/acme").status_code == 200


def test_a_renamed_repository_keeps_its_id(github: FakeGitHub) -> None:
    """A rename, or a transfer, keeps the id, and the old name redirects to the repository."""
    identifier = github.add_repository("acme", "one").id
    github.rename("acme", "one", "two")
    github.transfer("acme", "two", "other")

    assert connect(github).get_repo("acme/one").full_name == "other/two"
    assert identifier == connect(github).get_repo("other/two").id
    github.remove("other", "two")
    assert get(github, "/repos/acme/one").status_code == 404


def test_restoring_makes_repositories(github: FakeGitHub) -> None:
    """PyGithub creates a repository once, changes it and sets its topics."""
    client = connect(github)
    repository = client.get_organization("acme").create_repo(
        "new", private=True, description="d", has_wiki=False
    )
    repository.edit(archived=True, description="e")
    repository.replace_topics(["a", "b"])

    found = client.get_repo("acme/new")
    assert (found.private, found.archived, found.description, found.topics) == (True, True, "e", ["a", "b"])
    assert (found.size, found.has_wiki) == (0, False)
    assert client.get_user().create_repo("one").name == "one"
    again = requests.post(
        f"{github.api_url}/orgs/acme/repos",
        json={"name": "new"},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    )
    assert again.status_code == 422


def test_an_app_gets_tokens_for_its_installation(github: FakeGitHub) -> None:
    """An App's JSON Web Token buys a token that sees the installation's private repositories."""
    github.add_repository("acme", "closed", private=True)
    github.add_repository("other", "foreign", private=True)
    app = App.with_new_key(77)
    github.install_app(app, "acme")
    assert app.private_key_pem is not None
    auth = Auth.AppAuth(77, app.private_key_pem)
    integration = GithubIntegration(auth=auth, base_url=github.api_url, seconds_between_requests=0)

    installation = integration.get_org_installation("acme")
    client = integration.get_github_for_installation(installation.id)
    assert [item.name for item in client.get_organization("acme").get_repos()] == ["closed"]
    assert [item.name for item in installation.get_repos()] == ["closed"]
    assert get(github, "/user", integration.get_access_token(installation.id).token).status_code == 403
    assert get(github, "/app", "no-jwt").status_code == 401


def test_scopes_are_told_for_classic_tokens_only(github: FakeGitHub) -> None:
    """X-OAuth-Scopes tells a classic token's scopes; a fine-grained token has none."""
    github.add_token("fine", Account("robot", scopes=None))

    assert get(github, "/user").headers["X-OAuth-Scopes"] == "repo, read:org"
    assert "X-OAuth-Scopes" not in get(github, "/user", "fine").headers
    assert connect(github).get_user().login == "robot"


def test_faults_of_the_api(github: FakeGitHub) -> None:
    """A fault answers in GitHub's place, as often as told; a cut body is an error for the client."""
    fault = github.fault(
        Fault(matching("/orgs/acme$|/orgs/acme\\?"), times=1, status=502, headers={"Retry-After": "7"})
    )
    failed = get(github, "/orgs/acme")
    assert (failed.status_code, failed.headers["Retry-After"], fault.hits) == (502, "7", 1)
    assert get(github, "/orgs/acme").status_code == 200

    github.fault(Fault(matching("/orgs/acme"), times=1, after_bytes=100))
    with pytest.raises(requests.exceptions.RequestException):
        get(github, "/orgs/acme")
    github.fault(Fault(matching("/orgs/acme"), times=1, stall_seconds=5))
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(f"{github.api_url}/orgs/acme", timeout=0.2)
    assert [request.status for request in github.api_requests()] == [502, 200, 200, 200]
