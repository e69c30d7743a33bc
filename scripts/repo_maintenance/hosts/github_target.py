"""Makes repositories on GitHub for what is restored there."""

from __future__ import annotations

from urllib.parse import urlsplit

import github
from github.Auth import Token
from github.GithubException import GithubException, UnknownObjectException
from github.Repository import Repository
from requests.exceptions import RequestException

from repo_maintenance.errors import PushError
from repo_maintenance.hosts.github_retry import BoundedRetry
from repo_maintenance.manifest import Manifest
from repo_maintenance.settings import GitHubSettings

TOPICS_AT_MOST = 20  # https://docs.github.com/en/rest/repos/repos#replace-all-repository-topics


def split_address(address: str) -> tuple[str, str]:
    """Return owner and name of a GitHub address such as ``https://github.com/owner/name.git``."""
    owner, _slash, name = urlsplit(address).path.strip("/").removesuffix(".git").partition("/")
    if not owner or not name or "/" in name:
        raise PushError(f"restore.push_to: {address} names no OWNER/REPOSITORY")
    return owner, name


class GitHubTarget:
    """The account that restored repositories are pushed to."""

    def __init__(self, settings: GitHubSettings, token: str | None) -> None:
        self._client = github.Github(
            auth=Token(token) if token else None,
            base_url=settings.api_url,
            seconds_between_requests=0,
            retry=BoundedRetry.up_to(settings.max_wait),
            user_agent="repo-maintenance",
        )

    def ensure(self, address: str, manifest: Manifest | None) -> bool:
        """Make the repository where it is missing, private, with its description and topics.

        Returns whether it was made; raises PushError where GitHub refuses.
        """
        owner, name = split_address(address)
        try:
            self._client.get_repo(f"{owner}/{name}")
        except UnknownObjectException:
            self._create(owner, name, manifest)
            return True
        except (GithubException, RequestException) as error:
            raise PushError(f"GitHub does not tell whether {owner}/{name} is there: {error}") from error
        return False

    def set_default_branch(self, address: str, branch: str) -> None:
        """Make ``branch`` the default one, once it has been pushed."""
        owner, name = split_address(address)
        try:
            repository = self._client.get_repo(f"{owner}/{name}")
            if repository.default_branch != branch:
                repository.edit(default_branch=branch)
        except (GithubException, RequestException) as error:
            raise PushError(f"{owner}/{name}: the default branch can't be set: {error}") from error

    def _create(self, owner: str, name: str, manifest: Manifest | None) -> None:
        description = manifest.description if manifest else ""
        try:
            made = self._make(owner, name, description)
            if manifest and manifest.topics:
                made.replace_topics(list(manifest.topics[:TOPICS_AT_MOST]))
        except (GithubException, RequestException) as error:
            raise PushError(
                f"GitHub does not make {owner}/{name}: {error}", hint="let the token make repositories there"
            ) from error

    def _make(self, owner: str, name: str, description: str) -> Repository:
        try:
            organization = self._client.get_organization(owner)
        except UnknownObjectException:
            return self._client.get_user().create_repo(name, description=description, private=True)
        return organization.create_repo(name, description=description, private=True)
