"""The package indexes: which releases of a dependency there are, kept on disk."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from packaging.utils import canonicalize_name
from pydantic import AwareDatetime, BaseModel, ConfigDict

from repo_maintenance import naming
from repo_maintenance.health.manifests import Dependency
from repo_maintenance.records import read_json, write_json
from repo_maintenance.settings.health import IndexSettings

if TYPE_CHECKING:
    import requests

logger = logging.getLogger(__name__)

LARGEST_ANSWER_BYTES = 50_000_000
CHUNK_BYTES = 1 << 16
NOT_FOUND = 404
OK = 200
REFUSALS = frozenset({401, 403, 407, 429})
SERVER_ERRORS = 500
_NPM_NAME = re.compile(r"(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*", re.IGNORECASE)
_ACTION_NAME = re.compile(r"[A-Za-z0-9-]+/(?!\.+$)[A-Za-z0-9._-]+")


class Releases(BaseModel):
    """The releases that an index has of one package."""

    model_config = ConfigDict(frozen=True)

    asked_at: AwareDatetime
    known: bool = True
    """Whether the index has the package at all."""
    versions: list[str] = []
    commits: dict[str, str] = {}
    """For an action: the commit of each version."""


class IndexUnreachableError(Exception):
    """An index can't be asked now; the message is for a person."""


class PackageIndex:
    """What there is in the indexes, asked at most once a run for each package.

    An answer on disk is used for ``cache_hours``; an older one only where the index can't be reached. An
    index that did not answer is not asked again in this run, so that no time-out is waited for twice.
    """

    def __init__(
        self,
        settings: IndexSettings,
        cache: Path = naming.HEALTH_INDEX,
        token: Callable[[], str | None] | None = None,
    ) -> None:
        self._settings = settings
        self._cache = cache
        self._token = token or (lambda: None)
        self._silent: dict[str, str] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def releases(self, dependency: Dependency) -> Releases:
        """Return the releases of a dependency; raises IndexUnreachableError."""
        url = self._url(dependency)
        if url is None:
            return Releases(asked_at=_now(), known=False)
        path = self._cache / dependency.kind / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"
        with self._guard:
            lock = self._locks.setdefault(url, threading.Lock())
        with lock:
            kept = read_json(path, Releases)
            if kept and _now() - kept.asked_at < dt.timedelta(hours=self._settings.cache_hours):
                return kept
            try:
                found = _understand(dependency.kind, self._ask(url, dependency.kind))
            except IndexUnreachableError:
                if kept is None:
                    raise
                logger.info(
                    "an answer of %s about %s is used again", f"{kept.asked_at:%Y-%m-%d}", dependency.name
                )
                return kept
            write_json(path, found)
            return found

    def _url(self, dependency: Dependency) -> str | None:
        """Return where to ask, or None where the name is none that an index could have."""
        name, settings = dependency.name, self._settings
        if dependency.kind == "pypi":
            return f"{settings.pypi_url}/pypi/{canonicalize_name(name)}/json"
        if dependency.kind == "npm" and _NPM_NAME.fullmatch(name):
            return f"{self._npm_registry()}/{quote(name, safe='@')}"
        if dependency.kind == "action" and _ACTION_NAME.fullmatch(name):
            return f"{settings.actions_url}/repos/{name}/tags?per_page=100"
        return None

    def _npm_registry(self) -> str:
        """Return the address of the npm registry; raises IndexUnreachableError where none is set."""
        url = self._settings.npm_url or os.environ.get("NPM_CONFIG_REGISTRY", "").rstrip("/")
        if not url:
            raise IndexUnreachableError("no npm registry is set: see health.index.npm_url")
        return url

    def _ask(self, url: str, kind: str) -> Any:
        """Return the JSON that an index answers, or None where it has no such package."""
        import requests

        host = urlsplit(url).netloc
        if host in self._silent:
            raise IndexUnreachableError(self._silent[host])
        try:
            with requests.get(
                url,
                headers=self._headers(kind),
                auth=_no_password,
                timeout=self._settings.timeout_seconds,
                stream=True,
            ) as response:
                if response.status_code == NOT_FOUND:
                    return None
                if response.status_code in REFUSALS or response.status_code >= SERVER_ERRORS:
                    raise self._give_up(host, f"{host} answered {response.status_code}")
                if response.status_code != OK:
                    raise IndexUnreachableError(f"{host} answered {response.status_code}")
                return json.loads(_bounded(response))
        except requests.RequestException as error:
            logger.info("%s", error)
            raise self._give_up(host, f"{host} can't be reached") from error
        except (ValueError, RecursionError) as error:
            raise IndexUnreachableError(f"{host} did not answer with JSON of a sane size") from error

    def _give_up(self, host: str, reason: str) -> IndexUnreachableError:
        """Return an error to raise, and ask the host no more in this run."""
        self._silent[host] = reason
        return IndexUnreachableError(reason)

    def _headers(self, kind: str) -> dict[str, str]:
        headers = {"User-Agent": "repo-maintenance", "Accept": "application/json"}
        if kind == "npm":  # https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
            headers["Accept"] = "application/vnd.npm.install-v1+json"
        if kind == "action" and (token := self._token()):
            headers["Authorization"] = f"Bearer {token}"
        return headers


def _bounded(response: requests.Response) -> bytes:
    """Return an answer's body; raises ValueError where it is larger than 50 MB."""
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > LARGEST_ANSWER_BYTES:
            raise ValueError("the answer is larger than 50 MB")
    return bytes(body)


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request as it is: given as its authentication, it keeps requests from reading a .netrc."""
    return request


def _understand(kind: str, answer: Any) -> Releases:
    """Return the releases in an answer; what is not in the index's own form counts as none."""
    if answer is None:
        return Releases(asked_at=_now(), known=False)
    if kind == "action":
        tags = [tag for tag in answer if isinstance(tag, dict)] if isinstance(answer, list) else []
        commits = {str(tag.get("name")): _commit_of(tag) for tag in tags}
        return Releases(asked_at=_now(), versions=list(commits), commits=commits)
    releases = answer.get("releases" if kind == "pypi" else "versions") if isinstance(answer, dict) else None
    found = releases if isinstance(releases, dict) else {}
    return Releases(
        asked_at=_now(), versions=[name for name, files in found.items() if _is_offered(kind, files)]
    )


def _is_offered(kind: str, files: object) -> bool:
    """Whether a release can be installed: PyPI also names those without a file, or all of them yanked."""
    if kind == "npm":
        return not (isinstance(files, dict) and files.get("deprecated"))
    return isinstance(files, list) and any(isinstance(one, dict) and not one.get("yanked") for one in files)


def _commit_of(tag: dict[str, Any]) -> str:
    commit = tag.get("commit")
    return str(commit.get("sha", "")) if isinstance(commit, dict) else ""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
