"""Finds what GitHub is asked with: a token, a GitHub App, or nothing; all from the environment."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

import github
from github.Auth import AppAuth
from github.GithubException import GithubException, UnknownObjectException
from jwt import PyJWTError

from repo_maintenance.errors import HostError
from repo_maintenance.hosts.github_errors import explained
from repo_maintenance.hosts.github_retry import BoundedRetry
from repo_maintenance.hosts.token import find_token
from repo_maintenance.settings import GitHubSettings

TIMEOUT_SECONDS = 30
APP_ID = "GITHUB_APP_ID"
APP_KEY = "GITHUB_APP_PRIVATE_KEY"
APP_KEY_FILE = "GITHUB_APP_PRIVATE_KEY_FILE"
# An installation token lasts an hour: https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
LEAST_VALIDITY = dt.timedelta(minutes=30)
# The prefix of installation tokens, of which GitHub Actions' own GITHUB_TOKEN is one:
# https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
INSTALLATION_TOKEN_PREFIX = "ghs_"  # noqa: S105


class Credentials(Protocol):
    """What GitHub is asked with."""

    def token(self) -> str | None:
        """Return a token that is valid for a while, or None where GitHub is asked anonymously."""
        ...

    def limits(self) -> str | None:
        """Return why the listing may lack repositories, or None where nothing is known against it."""
        ...


@dataclass(frozen=True)
class StaticToken:
    """A token of the environment, or none."""

    value: str | None

    def token(self) -> str | None:
        """Return the token as it is."""
        return self.value

    def limits(self) -> str | None:
        """Say what no token, or GitHub Actions' own, can't see."""
        if self.value is None:
            return "GITHUB_TOKEN is not set: only public repositories are listed"
        if self.value.startswith(INSTALLATION_TOKEN_PREFIX):
            return (
                "GITHUB_TOKEN is GitHub Actions' own, or another installation's: private repositories that "
                "it was not given are missing from the list; use a GitHub App or a personal access token"
            )
        return None


class AppInstallation:
    """A GitHub App, as it is installed on one account; its tokens last an hour and are renewed in time."""

    def __init__(self, app: AppAuth, owner: str, settings: GitHubSettings) -> None:
        self._integration = github.GithubIntegration(
            auth=app,
            base_url=settings.api_url,
            timeout=TIMEOUT_SECONDS,
            retry=BoundedRetry.up_to(settings.max_wait),
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        self._api_url = settings.api_url
        self._owner = owner
        self._installation_id: int | None = None
        self._selected_only = False
        self._token = ""
        self._expires_at = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._lock = threading.Lock()

    def token(self) -> str | None:
        """Return a token that is valid for half an hour or more; raises HostError."""
        with self._lock, explained("get a token for the GitHub App", self._api_url):
            if self._expires_at < dt.datetime.now(dt.UTC) + LEAST_VALIDITY:
                self._renew()
            return self._token

    def limits(self) -> str | None:
        """Say so where the App was installed on selected repositories only."""
        if not self._selected_only:
            return None
        return (
            f"the GitHub App is installed on selected repositories of {self._owner} only: others are missing"
        )

    def _renew(self) -> None:
        try:
            if self._installation_id is None:
                self._find_installation()
            granted = self._integration.get_access_token(self._installation_id or 0)
        except UnknownObjectException as error:
            raise HostError(
                f"the GitHub App is not installed on {self._owner}",
                hint="install it there, on all repositories",
            ) from error
        except GithubException as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            raise HostError(
                f"GitHub refuses the App ({error.status}: {error.message})",
                hint=f"check {APP_ID} and {APP_KEY}",
            ) from error
        self._token, self._expires_at = granted.token, granted.expires_at

    def _find_installation(self) -> None:
        try:
            installation = self._integration.get_org_installation(self._owner)
        except UnknownObjectException:
            installation = self._integration.get_user_installation(self._owner)
        self._installation_id = installation.id
        self._selected_only = installation.raw_data.get("repository_selection") == "selected"


def find_credentials(environment: Mapping[str, str], owner: str, settings: GitHubSettings) -> Credentials:
    """Return the credentials that the environment gives: an App before a token; asks nothing yet.

    Raises HostError where an App is named but its key is missing or unreadable.
    """
    app_id = environment.get(APP_ID, "").strip()
    if not app_id:
        return StaticToken(find_token(environment))
    key = _read_key(environment)
    try:
        app = AppAuth(app_id, key)
        app.create_jwt()
    except (ValueError, AssertionError, PyJWTError) as error:
        raise HostError(
            f"{APP_KEY} is no private key", hint="give the .pem file's text as GitHub made it"
        ) from error
    return AppInstallation(app, owner, settings)


def _read_key(environment: Mapping[str, str]) -> str:
    if key := environment.get(APP_KEY, "").strip():
        return key.replace("\\n", "\n")
    path = environment.get(APP_KEY_FILE, "").strip()
    if not path:
        raise HostError(f"{APP_ID} is set, but no key", hint=f"set {APP_KEY} or {APP_KEY_FILE}")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(f"{APP_KEY_FILE}: can't read {path}", hint="name the App's .pem file") from error
