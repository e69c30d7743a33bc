"""Turns what PyGithub and requests raise into one line that a user reads."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager

from github.GithubException import (
    BadCredentialsException,
    GithubException,
    RateLimitExceededExceedsMaxWait,
    RateLimitExceededException,
)
from requests.exceptions import RequestException
from urllib3.exceptions import MaxRetryError

from repo_maintenance.errors import HostError


@contextmanager
def explained(action: str, api_url: str) -> Iterator[None]:
    """Raise HostError in place of whatever talking to GitHub raises; ``action`` is what could not be done."""
    try:
        yield
    except BadCredentialsException as error:
        raise HostError(
            "GitHub refuses the token (401 Bad credentials)",
            hint="set GITHUB_TOKEN to a token that is valid and has not expired",
        ) from error
    except RateLimitExceededException as error:
        message = f"GitHub's rate limit is used up: can't {action}"
        raise HostError(message, hint=_when_to_come_back(error)) from error
    except GithubException as error:
        said = error.message or error.data
        raise HostError(f"can't {action}: GitHub answered {error.status}: {said}") from error
    except RequestException as error:
        raise HostError(
            f"can't {action}: GitHub can't be reached at {api_url}: {reason_of(error)}",
            hint="check the network, and backup.github.api_url",
        ) from error


def reason_of(error: Exception) -> str:
    """Return why a request failed, without the addresses and attempts that requests wraps it in."""
    inner = error.args[0] if error.args else error
    if isinstance(inner, MaxRetryError) and inner.reason is not None:
        inner = inner.reason
    text = str(inner if isinstance(inner, Exception) else error)
    return re.sub(r"^<?[\w.]+(\(.*?\)| object at \w+>): ", "", text)


def _when_to_come_back(error: RateLimitExceededException) -> str:
    wait = error.wait if isinstance(error, RateLimitExceededExceedsMaxWait) else None
    if wait is None:
        return "run again later"
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait)
    return f"run again after {moment:%Y-%m-%d %H:%M} UTC, or raise backup.github.max_wait"
