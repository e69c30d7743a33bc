"""How long, and how often, GitHub's refusals are waited for."""

from __future__ import annotations

import logging
import time
from typing import Any, Self

from github.GithubException import RateLimitExceededExceedsMaxWait
from github.GithubRetry import GithubRetry
from urllib3 import HTTPResponse
from urllib3.util.retry import Retry

from repo_maintenance.hosts.github_errors import reason_of
from repo_maintenance.tally import count_retry

logger = logging.getLogger(__name__)

ATTEMPTS = 6
BACKOFF_SECONDS = 1
BACKOFF_MAX_SECONDS = 60
# GitHub asks for a minute at least where it names no time:
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
SECONDARY_WAIT_SECONDS = 60
TOO_MANY_REQUESTS = 429
FORBIDDEN = 403


class BoundedRetry(GithubRetry):
    """PyGithub's retries, with what they lack.

    Waits that GitHub asks for are bounded whichever way it asks, also by ``Retry-After``; 429 counts as a
    rate limit as 403 does; waits for secondary limits grow; and each wait is said. Server errors and dropped
    connections are retried by urllib3, after exponentially growing times with jitter.
    """

    @classmethod
    def up_to(cls, max_wait_seconds: float) -> BoundedRetry:
        """Return the policy: no single wait is longer than ``max_wait_seconds``."""
        return cls(
            secondary_rate_wait=SECONDARY_WAIT_SECONDS,
            max_rate_limit_wait=max_wait_seconds,
            total=ATTEMPTS,
            backoff_factor=BACKOFF_SECONDS,
            backoff_max=BACKOFF_MAX_SECONDS,
            backoff_jitter=BACKOFF_SECONDS,
            status_forcelist=[TOO_MANY_REQUESTS, *range(500, 600)],
        )

    def new(self, **changes: Any) -> Self:
        """Return the policy for what is left: the next secondary limit is waited for twice as long."""
        following = super().new(**changes)
        following.secondary_rate_wait = 2 * self.secondary_rate_wait
        return following

    def increment(  # type: ignore[override]
        self,
        method: str | None = None,
        url: str | None = None,
        response: HTTPResponse | None = None,
        *rest: Any,
        **options: Any,
    ) -> Retry:
        """Count one failure; raises RateLimitExceededExceedsMaxWait where the wait would be too long."""
        wait = self._asked_wait(response) if response is not None else None
        if wait is not None and response is not None:
            if self.max_rate_limit_wait is not None and wait > self.max_rate_limit_wait:
                headers = dict(response.headers)
                response.close()
                raise RateLimitExceededExceedsMaxWait(response.status, {}, headers, wait=wait)
            logger.warning("GitHub's rate limit is reached: waiting %.0f s", wait)
        following = super().increment(method, url, response, *rest, **options)
        count_retry("github")
        if wait is None:
            logger.warning("%s: asking again", _trouble(response, options.get("error")))
        if wait is not None and response is not None and response.status == TOO_MANY_REQUESTS:
            following.get_backoff_time = lambda: wait  # type: ignore[method-assign]
        return following

    def _asked_wait(self, response: HTTPResponse) -> float | None:
        """Return the seconds that a response asks to wait for, or None where it is no rate limit."""
        retry_after = response.headers.get("Retry-After", "")
        if retry_after.isdigit():
            return float(retry_after)
        if response.status not in {FORBIDDEN, TOO_MANY_REQUESTS}:
            return None
        reset = response.headers.get("X-RateLimit-Reset", "")
        if response.headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
            return max(0.0, int(reset) - time.time()) + 1
        return float(self.secondary_rate_wait) if response.status == TOO_MANY_REQUESTS else None


def _trouble(response: HTTPResponse | None, error: Exception | None) -> str:
    if response is not None:
        return f"GitHub answered {response.status}"
    return f"GitHub can't be reached: {reason_of(error)}" if error else "GitHub can't be reached"
