"""Whether this machine's clock agrees with a server's."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

from repo_maintenance.findings import Finding, failure, ok, warning

# AWS refuses requests whose time is off by more than 15 minutes:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
REFUSED_AFTER = dt.timedelta(minutes=15)
NOTED_AFTER = dt.timedelta(minutes=1)


def check_clock(server: str, date_header: str | None, now: dt.datetime) -> Finding:
    """Compare the clock with the ``Date`` header of a server's answer (RFC 9110, 6.6.1)."""
    if not date_header:
        return warning("clock", f"{server} does not say what time it is", "check the clock by hand")
    try:
        skew = abs(now - parsedate_to_datetime(date_header))
    except (ValueError, TypeError):
        return warning("clock", f"{server} says an odd time: {date_header}", "check the clock by hand")
    message = f"{skew.total_seconds():.0f} s from {server}'s"
    if skew > REFUSED_AFTER:
        return failure("clock", message, "set this machine's clock")
    return (
        warning("clock", message, "set this machine's clock") if skew > NOTED_AFTER else ok("clock", message)
    )
