"""Opens boto3 such that it reads the times in S3's answers fast."""

from __future__ import annotations

import datetime as dt
from typing import Any

import boto3
import botocore.session
from botocore.utils import parse_timestamp


def open_session() -> boto3.session.Session:
    """Return a session of boto3 whose clients read times by ``parse_time``.

    Botocore's own way tries every notation that there is, which takes 0.1 ms a time: more than half of what
    reading a listing costs. A parser of one's own is what its factory of parsers is made for
    (``botocore.parsers.ResponseParserFactory.set_parser_defaults``).
    """
    core = botocore.session.get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse_time)
    return boto3.session.Session(botocore_session=core)


def parse_time(value: Any) -> dt.datetime:
    """Return a time of S3's, with its zone: ISO 8601 as in listings, or whatever else botocore can read.

    Raises ValueError where it is none.
    """
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:  # the headers have their times as RFC 9110 does
            return parse_timestamp(value)
        if moment.tzinfo is not None:
            return moment
    return parse_timestamp(value)
