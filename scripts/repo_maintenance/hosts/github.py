"""GitHub as a host, through PyGithub."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import github
from github.Auth import Token
from github.GithubException import BadCredentialsException, GithubException, UnknownObjectException
from github.GithubRetry import GithubRetry
from github.Repository import Repository as GitHubRepository
from requests.exceptions import RequestException

from repo_maintenance.errors import HostError
from repo_maintenance.hosts.base import Repository, parse_time
from repo_maintenance.hosts.token import find_token
from repo_maintenance.settings import GitHubSettings

# The most that GitHub gives: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
PER_PAGE = 100
TIMEOUT_SECONDS = 30
BYTES_PER_KILOBYTE = 1024


class GitHubHost:
    """The repositories of one GitHub organisation or user."""

    def __init__(self, owner: str, client: github.Github, *, authenticated: bool) -> None:
        self._owner = owner
        self._client = client
        self._authenticated = authenticated
        self.description = f"GitHub organisation or user {owner}"

    @classmethod
    def connect(cls, owner: str, settings: GitHubSettings, environment: Mapping[str, str]) -> GitHubHost:
        """Return the host, with the token of the environment where there is one; asks nothing yet."""
        token = find_token(environment)
        client = github.Github(
            auth=Token(token) if token else None,
            base_url=settings.api_url,
            per_page=PER_PAGE,
            timeout=TIMEOUT_SECONDS,
            seconds_between_requests=0,
            retry=GithubRetry(total=5, backoff_factor=1),
            user_agent="repo-maintenance",
            lazy=True,
        )
        return cls(owner, client, authenticated=token is not None)

    def list_repositories(self) -> list[Repository]:
        """Return every repository of the organisation, or of the user, in the order of their names.

        Costs one request per 100 repositories; a user's account costs up to two more, to tell it from an
        organisation and to see the private repositories of one's own.
        """
        try:
            return sorted(self._list(), key=lambda repository: repository.name)
        except BadCredentialsException as error:
            raise HostError(
                "GitHub refuses the token (401 Bad credentials)",
                hint="set GITHUB_TOKEN to a token that is valid and has not expired",
            ) from error
        except UnknownObjectException as error:
            raise HostError(
                f"backup.organization: GitHub knows no organisation or user {self._owner!r}",
                hint="check the spelling, and that the token may see it",
            ) from error
        except GithubException as error:
            raise HostError(
                f"GitHub answered {error.status} to the listing of {self._owner}: {_message(error)}"
            ) from error
        except RequestException as error:
            raise HostError(
                f"GitHub can't be reached to list {self._owner}: {error}", hint="check the network"
            ) from error

    def _list(self) -> list[Repository]:
        try:
            return _convert(self._client.get_organization(self._owner).get_repos(type="all"))
        except UnknownObjectException:
            return self._list_user()

    def _list_user(self) -> list[Repository]:
        """List a user's repositories: with a token of their own, the private ones too."""
        if self._authenticated:
            myself = self._client.get_user()
            if myself.login.lower() == self._owner.lower():
                return _convert(myself.get_repos(affiliation="owner"))
        return _convert(self._client.get_user(self._owner).get_repos(type="owner"))


def _convert(repositories: Iterable[GitHubRepository]) -> list[Repository]:
    return [_describe(repository) for repository in repositories]


def _describe(listed: GitHubRepository) -> Repository:
    """Return what the listing says; only attributes that a listing holds, so that none costs a request."""
    return Repository(
        id=str(listed.id),
        name=listed.name,
        full_name=listed.full_name,
        clone_url=listed.clone_url,
        pushed_at=_last_push(listed),
        size_bytes=listed.size * BYTES_PER_KILOBYTE,
        default_branch=listed.default_branch or "",
        description=listed.description or "",
        visibility=listed.visibility or ("private" if listed.private else "public"),
        archived=listed.archived,
        fork=listed.fork,
        topics=tuple(listed.topics or ()),
    )


def _message(error: GithubException) -> str:
    data = error.data
    return str(data.get("message", data)) if isinstance(data, dict) else str(data)


def _last_push(listed: GitHubRepository) -> dt.datetime:
    """Return when a repository was last pushed to; one without any push was last changed when it was made."""
    pushed_at: dt.datetime | None = listed.pushed_at  # GitHub's schema allows null, PyGithub's types do not
    return parse_time(listed.created_at if pushed_at is None else pushed_at)
