"""GitHub as a host, through PyGithub."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlsplit

import github
from github.Auth import Token
from github.GithubException import (
    BadCredentialsException,
    GithubException,
    RateLimitExceededExceedsMaxWait,
    RateLimitExceededException,
    UnknownObjectException,
)
from github.Requester import Requester
from requests.exceptions import RequestException

from repo_maintenance.errors import HostError
from repo_maintenance.findings import Finding, failure
from repo_maintenance.hosts.base import GitAccess, Repository
from repo_maintenance.hosts.credentials import AppInstallation, Credentials, find_credentials
from repo_maintenance.hosts.github_check import check_github
from repo_maintenance.hosts.github_listing import Page, list_pages
from repo_maintenance.hosts.github_retry import BoundedRetry
from repo_maintenance.settings import GitHubSettings

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 30


class GitHubHost:
    """The repositories of one GitHub organisation or user."""

    def __init__(self, owner: str, settings: GitHubSettings, credentials: Credentials, cache: Path) -> None:
        self._owner = owner
        self._settings = settings
        self._credentials = credentials
        self._cache = cache
        self.description = f"GitHub organisation or user {owner}"

    @classmethod
    def connect(
        cls, owner: str, settings: GitHubSettings, environment: Mapping[str, str], cache: Path
    ) -> GitHubHost:
        """Return the host, with the credentials of the environment; asks nothing yet.

        ``cache`` is a folder for listings, so that an unchanged one costs no quota.
        """
        credentials = find_credentials(environment, owner, settings.api_url)
        return cls(owner, settings, credentials, cache)

    @cached_property
    def client(self) -> github.Github:
        """PyGithub's client."""
        token = self._credentials.token()
        return github.Github(
            auth=Token(token) if token else None,
            base_url=self._settings.api_url,
            timeout=TIMEOUT_SECONDS,
            seconds_between_requests=0,
            retry=BoundedRetry.up_to(self._settings.max_wait),
            user_agent="repo-maintenance",
            lazy=True,
        )

    def git_access(self) -> GitAccess:
        """Return how git reaches the repositories, with a token that is valid for half an hour or more."""
        local = self._settings.is_loopback
        return GitAccess(
            protocols=("https", "http") if local else ("https",),
            password=self._credentials.token(),
            host=urlsplit(self._settings.api_url).netloc.removeprefix("api."),
        )

    def list_repositories(self) -> list[Repository]:
        """Return every repository of the organisation, or of the user, in the order of their names.

        Costs one request per 100 repositories; a user's account costs up to two more, to tell it from an
        organisation and to see the private repositories of one's own.
        """
        with self._explained(f"list the repositories of {self._owner}"):
            repositories = {repository.id: repository for repository in self._list()}
        if limits := self._credentials.limits():
            logger.warning("%s", limits)
        return sorted(repositories.values(), key=lambda repository: repository.name)

    def check(self) -> Iterator[Finding]:
        """Yield what is found of the token and its quota."""
        try:
            with self._explained("reach GitHub"):
                self._credentials.token()
                requester, limits = self._requester, self._credentials.limits()
                yield from check_github(requester, limits, now=dt.datetime.now(dt.UTC))
        except HostError as error:
            yield failure("github", error.message, error.hint)

    def locate(self, repository_id: str) -> str | None:
        """Return the ``owner/name`` that a repository has now, or None where it is gone or out of sight."""
        with self._explained(f"look for repository {repository_id}"):
            status, _headers, body = self._requester.requestJson(
                "GET", f"/repositories/{quote(repository_id)}"
            )
            return str(json.loads(body)["full_name"]) if status == HTTPStatus.OK else None

    @property
    def _requester(self) -> Requester:
        return self.client.requester

    def _list(self) -> Iterator[Repository]:
        """Yield the repositories that the first path shows which GitHub knows.

        Only an answer of 404 to the very first page means another kind of account; later, it is a failure.
        """
        pages: Iterator[Page] = iter(())
        for path in self._paths():
            pages = list_pages(self._requester, path, self._cache)
            try:
                first = next(pages)
            except UnknownObjectException:
                if path.startswith("/orgs/"):
                    continue
                raise
            yield from first.repositories
            break
        for page in pages:
            yield from page.repositories

    def _paths(self) -> Iterator[str]:
        """Yield where to look: the organisation first, then one's own account, then any user's."""
        owner = quote(self._owner, safe="")
        yield f"/orgs/{owner}/repos?type=all"
        if isinstance(self._credentials, AppInstallation):
            yield "/installation/repositories"
        elif self._credentials.token() and self._is_my_own():
            yield "/user/repos?affiliation=owner"
        else:
            yield f"/users/{owner}/repos?type=owner"

    def _is_my_own(self) -> bool:
        """Whether the token belongs to the account that is listed; an Action's token belongs to none."""
        try:
            return self.client.get_user().login.lower() == self._owner.lower()
        except GithubException as error:
            if error.status == HTTPStatus.FORBIDDEN:
                return False
            raise

    @contextmanager
    def _explained(self, action: str) -> Iterator[None]:
        """Turn what PyGithub and requests raise into one line that a user reads."""
        try:
            yield
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
        except RateLimitExceededException as error:
            raise HostError(
                f"GitHub's rate limit is used up: can't {action}", hint=_when_to_come_back(error)
            ) from error
        except GithubException as error:
            message = error.message or error.data
            raise HostError(f"can't {action}: GitHub answered {error.status}: {message}") from error
        except RequestException as error:
            reason = f"GitHub can't be reached at {self._settings.api_url}: {error}"
            raise HostError(f"can't {action}: {reason}", hint="check the network, then run again") from error


def _when_to_come_back(error: RateLimitExceededException) -> str:
    wait = error.wait if isinstance(error, RateLimitExceededExceedsMaxWait) else None
    if wait is None:
        return "run again later"
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait)
    return f"run again after {moment:%Y-%m-%d %H:%M} UTC, or raise backup.github.max_wait"
