"""Promises of GitHub as the source, kept through PyGithub and real HTTP: all of the list, or an error."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from repo_maintenance.errors import HostError
from repo_maintenance.hosts import Repository, open_host
from repo_maintenance.hosts.github import GitHubHost
from repo_maintenance.settings import GitHubSettings
from tests.conftest import TOKEN
from tests.servers.github import Account, FakeGitHub, Fault, matching
from tests.servers.repositories import make_repository
from tests.unit.making import files_below, settings_with

pytestmark = pytest.mark.usefixtures("workspace")


def listed(
    github: FakeGitHub, owner: str = "acme", token: str | None = TOKEN, **options: Any
) -> dict[str, Repository]:
    """Return the repositories of an owner by name, in the order of the list."""
    settings = settings_with(organization=owner, github={"api_url": github.api_url} | options)
    environment = {} if token is None else {"GITHUB_TOKEN": token}
    found = open_host(settings.backup, environment).list_repositories()
    return {one.name: one for one in found}


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Return a repository that many can share, where only the list matters."""
    return make_repository(tmp_path / "shared.git")


@pytest.fixture
def many(github: FakeGitHub, shared: Path) -> list[str]:
    """Serve 250 repositories, every other one private; return their names."""
    names = [f"repository-{number:03}" for number in range(250)]
    for number, name in enumerate(names):
        github.add_repository("acme", name, shared, private=number % 2 == 0)
    return names


def test_an_organisation_s_repositories_are_listed_whole(github: FakeGitHub, shared: Path) -> None:
    """Public, private, internal, archived and forked ones are listed, sorted, as GitHub describes them."""
    github.add_repository(
        "acme", "zeta", shared, archived=True, topics=["r", "course"], default_branch="trunk"
    )
    github.add_repository("acme", "Alpha.b_c", shared, private=True, size=7, description="Ünï\nline")
    github.add_repository("acme", "mid", shared, visibility="internal", fork=True, parent="acme/zeta")

    found = listed(github)

    assert list(found) == ["Alpha.b_c", "mid", "zeta"]
    alpha, zeta = found["Alpha.b_c"], found["zeta"]
    there = github.repository("acme", "Alpha.b_c")
    assert alpha == Repository(
        id=str(there.id),
        name="Alpha.b_c",
        full_name="acme/Alpha.b_c",
        clone_url=f"{github.url}/acme/Alpha.b_c.git",
        pushed_at=there.pushed_at,
        size_bytes=7 * 1024,
        default_branch="main",
        description="Ünï\nline",
        visibility="private",
        **({"has_wiki": True} if "has_wiki" in Repository.model_fields else {}),
    )
    assert (
        *(zeta.archived, zeta.topics),
        *(zeta.default_branch, zeta.visibility),
    ) == (True, ("r", "course"), "trunk", "public")
    assert (found["mid"].fork, found["mid"].visibility) == (True, "internal")


def test_250_repositories_cost_three_requests(github: FakeGitHub, many: list[str]) -> None:
    """The list costs one request per hundred repositories, and none per repository."""
    assert many == list(listed(github))
    assert [(request.path, "per_page=100" in request.query) for request in github.requests] == [
        ("/api/v3/orgs/acme/repos", True)
    ] * 3


def test_the_second_list_costs_no_more(github: FakeGitHub, many: list[str]) -> None:
    """A second run asks for the list only, and sees what happened: a push, a new one, one gone."""
    listed(github)
    github.clear_requests()
    github.add_repository("acme", "new", github.repository("acme", many[0]).path)
    github.remove("acme", many[100])
    github.repository("acme", many[200]).pushed_at = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)

    found = listed(github)

    assert ({*many, "new"} - {many[100]}, 250) == (set(found), len(found))
    assert dt.datetime(2026, 1, 2, tzinfo=dt.UTC) == found[many[200]].pushed_at
    assert {"/api/v3/orgs/acme/repos"} == {request.path for request in github.requests}
    assert len(github.requests) <= 4


@pytest.mark.parametrize("count", [0, 1, 100, 101])
def test_full_pages_lose_nothing(github: FakeGitHub, shared: Path, count: int) -> None:
    """Whether the last page is full, or there is none, every repository is listed exactly once."""
    for number in range(count):
        github.add_repository("acme", f"r{number:03}", shared)
    assert [f"r{number:03}" for number in range(count)] == list(listed(github))

    github.add_repository("acme", "zz-added", shared)

    assert [*(f"r{number:03}" for number in range(count)), "zz-added"] == list(listed(github))


def test_anonymous_sees_what_is_public(github: FakeGitHub, shared: Path) -> None:
    """Without a token the public repositories are listed, of an organisation and of a user."""
    github.add_user("somebody")
    for owner in ("acme", "somebody"):
        github.add_repository(owner, "open", shared)
        github.add_repository(owner, "closed", shared, private=True)

    assert (*(list(listed(github, token=None)), list(listed(github, "somebody", token=None))),) == (
        ["open"],
        ["open"],
    )
    assert {None} == {request.authorization for request in github.requests}


def test_a_user_s_repositories_are_listed(github: FakeGitHub, shared: Path) -> None:
    """Another user's public repositories are listed, at no more than three requests beside the list."""
    github.add_user("somebody")
    github.add_repository("somebody", "open", shared)
    github.add_repository("somebody", "closed", shared, private=True)
    github.add_token("stranger", Account("stranger", organisations=()))

    assert list(listed(github, "somebody", "stranger")) == ["open"]
    assert len(github.requests) <= 4


@pytest.mark.parametrize("owner", ["robot", "Robot"])
def test_one_s_own_private_repositories_are_listed(github: FakeGitHub, shared: Path, owner: str) -> None:
    """With a token of their own a user's private repositories are listed, but not those of organisations."""
    github.add_repository("robot", "open", shared)
    github.add_repository("robot", "closed", shared, private=True)
    github.add_repository("acme", "elsewhere", shared, private=True)

    assert list(listed(github, owner)) == ["closed", "open"]


def test_a_repository_never_pushed_to_has_a_time(github: FakeGitHub, shared: Path) -> None:
    """Where GitHub names no push, the time of its making stands for it: it is backed up once."""
    github.add_repository("acme", "empty", shared, pushed_at=None)
    assert github.repository("acme", "empty").created_at == listed(github)["empty"].pushed_at


def test_a_wrong_token_is_explained(github: FakeGitHub, shared: Path) -> None:
    """A token that GitHub refuses is an error that names its variable, and does not repeat it."""
    github.add_repository("acme", "open", shared)
    with pytest.raises(HostError, match="GITHUB_TOKEN") as refused:
        listed(github, token="wrong-s3cret")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("token", [TOKEN, None])
def test_an_unknown_name_is_explained(github: FakeGitHub, token: str | None) -> None:
    """A mistyped organisation is an error that names the key and the name, not an empty list."""
    with pytest.raises(HostError, match=r"backup\.organization.*'quantecom'"):
        listed(github, "quantecom", token)


def test_a_name_cannot_lead_elsewhere(github: FakeGitHub, shared: Path) -> None:
    """A name with a slash or a question mark asks for no other path of the API."""
    github.add_repository("acme", "open", shared)
    settings = GitHubSettings(api_url=github.api_url)
    for name in ("acme/repos?x=", "../users/acme", "acme?", "acme#"):
        host = GitHubHost.connect(name, settings, {"GITHUB_TOKEN": TOKEN}, Path("listings"))
        with pytest.raises(HostError):
            host.list_repositories()


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_passing_failure_costs_an_attempt(github: FakeGitHub, many: list[str], status: int) -> None:
    """A server error that passes does not end the run, and the list is whole."""
    fault = github.fault(Fault(matching("page=2"), times=1, status=status))
    assert (many, 1) == (list(listed(github)), fault.hits)


def test_a_lasting_failure_is_an_error(github: FakeGitHub, many: list[str]) -> None:
    """GitHub being down is an error in the end, after several attempts; no part of the list is returned."""
    _ = many
    fault = github.fault(Fault(matching("page=3"), status=503, headers={"Retry-After": "1"}))
    with pytest.raises(HostError, match="acme"):
        listed(github)
    assert 3 <= fault.hits <= 10


@pytest.mark.parametrize(
    "fault",
    [
        Fault(matching("[?&]page=2"), times=1, status=404, body={"message": "Not Found"}),
        Fault(matching("[?&]page=2"), status=422, body={"message": "Unprocessable"}),
        Fault(matching("[?&]page=3"), status=401, body={"message": "Bad credentials"}),
        Fault(matching("[?&]page=3"), status=403, body={"message": "Resource protected by SAML"}),
        Fault(matching("[?&]page=3"), status=410, body="<html>gone</html>"),
        Fault(matching("[?&]page=2"), status=200, body="<html>maintenance</html>"),
        Fault(matching("[?&]page=2"), status=200, body="null"),
        Fault(matching("[?&]page=2"), status=200, body="{}"),
        Fault(matching("[?&]page=2"), status=200, body=""),
        Fault(matching("[?&]page=2"), after_bytes=2000),
    ],
    ids=["404", "422", "401", "403", "410", "html", "null", "object", "nothing", "cut"],
)
def test_half_a_list_is_never_returned(github: FakeGitHub, many: list[str], fault: Fault) -> None:
    """Whatever goes wrong with a later page: the list is an error, or whole, and never shorter than it is."""
    github.fault(fault)
    try:
        found = list(listed(github))
    except HostError:
        return
    assert many == found


def test_a_spent_quota_is_not_waited_for_without_end(github: FakeGitHub, shared: Path) -> None:
    """Where GitHub's quota comes back only in an hour, the run ends now, and says so."""
    github.add_repository("acme", "open", shared)
    github.set_quota(TOKEN, remaining=0, reset_in=3600)
    with pytest.raises(HostError, match=r"(?i)rate limit"):
        listed(github, max_wait=5)


def test_the_token_is_written_nowhere(github: FakeGitHub, shared: Path) -> None:
    """Whatever the listing keeps on disk, the token is not in it."""
    github.add_repository("acme", "closed", shared, private=True)
    listed(github)
    kept = [Path(name).read_bytes() for name in files_below(Path())]
    assert [content for content in kept if TOKEN.encode() in content] == []
