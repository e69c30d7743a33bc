"""Checks the fake's answers against GitHub's own description of them."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
import requests

from tests.servers.github import App, FakeGitHub
from tests.servers.openapi import Description
from tests.servers_check.conftest import TOKEN

CALLS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/orgs/acme", None),
    ("GET", "/orgs/acme/repos", None),
    ("POST", "/orgs/acme/repos", {"name": "new", "private": True}),
    ("GET", "/users/robot", None),
    ("GET", "/users/robot/repos", None),
    ("GET", "/user", None),
    ("GET", "/user/repos", None),
    ("POST", "/user/repos", {"name": "own"}),
    ("GET", "/repos/acme/one", None),
    ("GET", "/repos/acme/empty", None),
    ("GET", "/repos/acme/missing", None),
    ("GET", "/repos/acme/old", None),
    ("PATCH", "/repos/acme/one", {"description": "text", "archived": True}),
    ("GET", "/repos/acme/one/topics", None),
    ("PUT", "/repos/acme/one/topics", {"names": ["a", "b"]}),
    ("GET", "/rate_limit", None),
    ("GET", "/meta", None),
]
APP_CALLS = [
    ("GET", "/app"),
    ("GET", "/orgs/acme/installation"),
    ("GET", "/users/acme/installation"),
    ("POST", "/app/installations/5001/access_tokens"),
]


@pytest.fixture(scope="module")
def description() -> Description:
    """Read GitHub's description once."""
    return Description()


def ask(
    github: FakeGitHub, method: str, path: str, token: str, body: dict[str, Any] | None = None
) -> requests.Response:
    """Return the answer, without following redirects."""
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{github.api_url}{path}"
    return requests.request(method, url, json=body, headers=headers, timeout=5, allow_redirects=False)


def test_answers_are_as_described(github: FakeGitHub, description: Description) -> None:
    """Every endpoint's answer, errors and redirects too, has the fields and types that GitHub describes."""
    github.add_repository("acme", "one", private=True, description="d", topics=["t"])
    github.add_repository("robot", "home")
    github.add_repository("acme", "fork", fork=True, parent="acme/one", pushed_at=None)
    github.add_repository("acme", "old")
    github.rename("acme", "old", "empty")

    found = {}
    for method, path, body in CALLS:
        answer = ask(github, method, path, TOKEN, body)
        found[method, path] = description.problems(method, path, answer.status_code, answer.json())
    assert {call: problems for call, problems in found.items() if problems} == {}


def test_answers_to_an_app_are_as_described(github: FakeGitHub, description: Description) -> None:
    """So have the answers to a GitHub App and to its installation."""
    github.add_repository("acme", "one", private=True)
    app = App()
    github.install_app(app, "acme")
    now = int(time.time())
    claims = {"iss": str(app.id), "iat": now, "exp": now + 300}
    web_token = jwt.encode(claims, "a key of which the signature isn't checked", algorithm="HS256")

    found = {}
    answers: dict[str, Any] = {}
    for method, path in APP_CALLS:
        answer = ask(github, method, path, web_token)
        answers[path] = answer.json()
        found[path] = description.problems(method, path, answer.status_code, answers[path])
    token = answers["/app/installations/5001/access_tokens"]["token"]
    listed = ask(github, "GET", "/installation/repositories", token)
    found[""] = description.problems("GET", "/installation/repositories", 200, listed.json())
    assert {call: problems for call, problems in found.items() if problems} == {}


def test_a_wrong_answer_is_noticed(description: Description) -> None:
    """A missing field and a wrong type are problems."""
    assert description.problems("GET", "/repos/a/b/topics", 200, {}) != []
    assert description.problems("GET", "/repos/a/b/topics", 200, {"names": [1]}) != []
    assert description.problems("GET", "/repos/a/b/topics", 200, {"names": ["a"]}) == []
