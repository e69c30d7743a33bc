"""Lists repositories page by page, and asks only for what changed: answers are kept with their ETags."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import stamina
from github.Requester import Requester
from pydantic import BaseModel, ConfigDict
from requests.exceptions import ChunkedEncodingError, RequestException
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.utils import parse_header_links
from urllib3.exceptions import MaxRetryError

from repo_maintenance.errors import HostError
from repo_maintenance.hosts.base import Repository
from repo_maintenance.hosts.github_retry import ATTEMPTS, BACKOFF_MAX_SECONDS, BACKOFF_SECONDS
from repo_maintenance.records import read_json, write_json
from repo_maintenance.tally import Quota, count_retry, note_quota

logger = logging.getLogger(__name__)

# The most that GitHub gives: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
PER_PAGE = 100
BYTES_PER_KILOBYTE = 1024


class Page(BaseModel):
    """One answer to a listing, as far as it is used; it holds no secret."""

    model_config = ConfigDict(frozen=True)

    url: str
    etag: str
    next: str | None
    repositories: list[Repository]


def list_pages(requester: Requester, path: str, cache: Path) -> Iterator[Page]:
    """Yield the pages of a listing, such as ``/orgs/NAME/repos?type=all``, in the order of creation.

    New repositories come last in that order, so that one made meanwhile moves no other from page to page. A
    page that GitHub answers with 304 costs no quota
    (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).

    Raises PyGithub's and requests' errors as they are.
    """
    separator = "&" if "?" in path else "?"
    url: str | None = f"{path}{separator}per_page={PER_PAGE}&sort=created&direction=asc"
    while url is not None:
        page = _get_page(requester, url, cache)
        yield page
        url = page.next


def _get_page(requester: Requester, url: str, cache: Path) -> Page:
    kept_at = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"
    kept = read_json(kept_at, Page)
    if kept is not None and kept.next is None and len(kept.repositories) >= PER_PAGE:
        kept = None  # it may have got a next page since, of which its own content says nothing
    conditional = {"If-None-Match": kept.etag} if kept else {}
    status, headers, body = _ask(requester, url, conditional)
    if status == HTTPStatus.NOT_MODIFIED and kept is not None:
        return kept
    if status != HTTPStatus.OK:
        raise Requester.createException(status, headers, _parse(body, {}))
    listed = _parse(body, None)
    if isinstance(listed, dict):  # as /installation/repositories has it
        listed = listed.get("repositories")
    if not isinstance(listed, list):
        raise HostError(f"GitHub's answer to {url} is not a list", hint="check backup.github.api_url")
    page = Page(
        url=url,
        etag=str(headers.get("etag", "")),
        next=_next_link(headers),
        repositories=[describe(item) for item in listed],
    )
    if page.etag:
        write_json(kept_at, page)
    return page


def _ask(requester: Requester, url: str, conditional: dict[str, str]) -> tuple[int, dict[str, Any], str]:
    """Return GitHub's answer; one that is cut off in its headers or its body is asked for again.

    urllib3 retries what fails before the headers are read, and no more; what it has given up stays so.
    """
    answer: tuple[int, dict[str, Any], str] = (0, {}, "")
    for attempt in stamina.retry_context(
        on=_is_cut_off,
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=BACKOFF_SECONDS,
        wait_max=BACKOFF_MAX_SECONDS,
    ):
        if attempt.num > 1:
            count_retry("github")
        with attempt:
            answer = requester.requestJson("GET", url, headers=conditional)
            _note_quota(requester)
            logger.debug("GET %s: %d", url, answer[0])
            if answer[0] == HTTPStatus.OK and _parse(answer[2], None) is None:
                raise _CutOffError(f"the answer to {url} broke off")
    return answer


def _note_quota(requester: Requester) -> None:
    """Note what the last answer said of the quota; a server that has none says nothing."""
    remaining, limit = requester.rate_limiting
    if limit > 0:
        note_quota(Quota(remaining, limit, requester.rate_limiting_resettime))


class _CutOffError(RequestException):
    """An answer that says 200, and is not whole."""


def _is_cut_off(error: Exception) -> bool:
    if isinstance(error, RequestsConnectionError):
        return not (error.args and isinstance(error.args[0], MaxRetryError))
    return isinstance(error, ChunkedEncodingError | _CutOffError)


def describe(listed: Mapping[str, Any]) -> Repository:
    """Return what GitHub's JSON says of a repository.

    Null where nothing was ever pushed is GitHub's own; such a repository last changed when it was made.
    """
    return Repository(
        id=str(listed["id"]),
        name=listed["name"],
        full_name=listed["full_name"],
        clone_url=listed["clone_url"],
        pushed_at=listed["pushed_at"] or listed["created_at"],
        size_bytes=(listed.get("size") or 0) * BYTES_PER_KILOBYTE,
        default_branch=listed.get("default_branch") or "",
        description=listed.get("description") or "",
        visibility=listed.get("visibility") or ("private" if listed.get("private") else "public"),
        archived=bool(listed.get("archived")),
        disabled=bool(listed.get("disabled")),
        fork=bool(listed.get("fork")),
        has_wiki=bool(listed.get("has_wiki")),
        topics=tuple(listed.get("topics") or ()),
    )


def _next_link(headers: Mapping[str, Any]) -> str | None:
    links = parse_header_links(str(headers.get("link", "")))
    return next((link["url"] for link in links if link.get("rel") == "next"), None)


def _parse(body: str, default: Any) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return default
