"""Whether GitHub may be asked: a valid token, what it may do, and how much is left of its quota."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from github.Requester import Requester

from repo_maintenance.clock import check_clock
from repo_maintenance.findings import Finding, failure, ok, warning

SUBJECT = "github"
LOW_QUOTA = 0.1
SEE_ALL = "set GITHUB_TOKEN to one that sees all repositories; the README says which will do"


def check_github(requester: Requester, limits: str | None, *, now: dt.datetime) -> Iterator[Finding]:
    """Yield what is found, by one request that costs no quota (GET /rate_limit)."""
    status, headers, body = requester.requestJson("GET", "/rate_limit")
    if status == HTTPStatus.UNAUTHORIZED:
        yield failure(SUBJECT, "the token is refused", "set GITHUB_TOKEN to one that is valid, not expired")
        return
    if status != HTTPStatus.OK:
        yield failure(SUBJECT, f"it answered {status}", "check backup.github.api_url")
        return
    try:
        core = json.loads(body)["resources"]["core"]
    except (ValueError, LookupError, TypeError):
        yield failure(SUBJECT, "something else than GitHub's API answers", "correct backup.github.api_url")
        return
    yield ok(SUBJECT, "reachable, and the token is accepted" if limits is None else "reachable")
    if limits is not None:
        yield warning(SUBJECT, limits, SEE_ALL)
    yield from _check_scopes(headers.get("x-oauth-scopes"))
    yield check_clock("GitHub", headers.get("date"), now)
    reset = dt.datetime.fromtimestamp(core["reset"], dt.UTC)
    quota = f"{core['remaining']} of {core['limit']} requests left until {reset:%H:%M} UTC"
    low = core["remaining"] < LOW_QUOTA * core["limit"]
    yield warning(SUBJECT, quota, "wait until then") if low else ok(SUBJECT, quota)


def _check_scopes(header: str | None) -> Iterator[Finding]:
    """Judge a classic token's scopes; other tokens have none, and GitHub does not tell what they may."""
    if header is None:
        return
    scopes = [scope.strip() for scope in header.split(",") if scope.strip()]
    if lack := describe_scopes(scopes):
        yield warning(SUBJECT, lack, "give the token the scope repo")
    else:
        yield ok(SUBJECT, f"the token's scopes: {', '.join(scopes)}")


def describe_scopes(scopes: Sequence[str] | None) -> str | None:
    """Return what a classic token can't see, or None; ``scopes`` is None for tokens of other kinds."""
    if scopes is None or "repo" in scopes:
        return None
    named = ", ".join(scope for scope in scopes if scope) or "none"
    return f"the token's scopes ({named}) lack repo: it sees public repositories only"
