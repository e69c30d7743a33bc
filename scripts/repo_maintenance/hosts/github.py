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
from github.GithubException import GithubException, UnknownObjectException
from github.Requester import Requester

from repo_maintenance.errors import HostError
from repo_maintenance.findings import Finding, failure
from repo_maintenance.hosts.base import GitAccess, Repository
from repo_maintenance.hosts.credentials import AppInstallation, Credentials, find_credentials
from repo_maintenance.hosts.github_care import Care, list_care
from repo_maintenance.hosts.github_check import SEE_ALL, check_github, describe_scopes
from repo_maintenance.hosts.github_errors import explained
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
        self._limits_are_said = False
        self.description = f"GitHub organisation or user {owner}"

    @classmethod
    def connect(
        cls, owner: str, settings: GitHubSettings, environment: Mapping[str, str], cache: Path
    ) -> GitHubHost:
        """Return the host, with the credentials of the environment; asks nothing yet.

        ``cache`` is a folder for listings, so that an unchanged one costs no quota.
        """
        credentials = find_credentials(environment, owner, settings)
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
        for limit in (self._credentials.limits(), describe_scopes(self.client.oauth_scopes)):
            if limit is not None and not self._limits_are_said:
                logger.warning("%s (%s)", limit, SEE_ALL)
        return sorted(repositories.values(), key=lambda repository: repository.name)

    def check(self) -> Iterator[Finding]:
        """Yield what is found of the token and its quota."""
        try:
            with self._explained("reach GitHub"):
                self._credentials.token()
                requester, limits = self._requester, self._credentials.limits()
                yield from check_github(requester, limits, now=dt.datetime.now(dt.UTC))
                self._limits_are_said = True
        except HostError as error:
            yield failure("github", error.message, error.hint)

    def locate(self, repository_id: str) -> str | None:
        """Return the ``owner/name`` that a repository has now, or None where it is gone or out of sight."""
        try:
            with self._explained(f"look for repository {repository_id}"):
                path = f"/repositories/{quote(repository_id)}"
                status, _headers, body = self._requester.requestJson("GET", path)
        except HostError as error:
            logger.warning("%s", error)
            return None
        return str(json.loads(body)["full_name"]) if status == HTTPStatus.OK else None

    def list_care(self) -> dict[str, Care]:
        """Return how each repository is looked after, by its id; one request for each hundred of them.

        Raises HostError, also where there is no token: GitHub answers this to nobody anonymous.
        """
        with self._explained(f"ask how the repositories of {self._owner} are guarded"):
            if self._credentials.token() is None:
                raise HostError("GitHub does not say without a token which branches are guarded")
            return list_care(self._requester, self._owner)

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
        if self.client.get_user(self._owner).complete().type == "Organization":
            raise HostError(
                f"GitHub shows the organisation {self._owner}, but not its repositories",
                hint="run again; if it stays so, check what the token may see",
            )
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
        """Raise HostError in place of what PyGithub and requests raise."""
        with explained(action, self._settings.api_url):
            try:
                yield
            except UnknownObjectException as error:
                raise HostError(
                    f"backup.organization: GitHub knows no organisation or user {self._owner!r}",
                    hint="check the spelling, and that the token may see it",
                ) from error
