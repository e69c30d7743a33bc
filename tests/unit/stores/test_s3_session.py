"""Times in S3's answers."""

from __future__ import annotations

import datetime as dt

import pytest
from botocore.utils import parse_timestamp

from repo_maintenance.stores.s3_session import open_session, parse_time

MOMENT = dt.datetime(2026, 11, 25, 9, 13, 4, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T09:13:04.000Z",
        "2026-11-25T09:13:04Z",
        "2026-11-25T10:13:04+01:00",
        "Wed, 25 Nov 2026 09:13:04 GMT",
        "1795597984",
        1795597984,
    ],
)
def test_a_time_is_read_as_botocore_reads_it(text: str | int) -> None:
    """In whatever notation a service has a time, it is the same moment, and carries its zone."""
    assert MOMENT == parse_time(text) == parse_timestamp(text)  # type: ignore[arg-type]
    assert parse_time(text).tzinfo is not None


@pytest.mark.parametrize("text", ["Wed, 25 No", "2026-11-25T09:1x", "soon"])
def test_a_time_that_was_cut_is_an_error(text: str) -> None:
    """What is no time is refused, as by botocore, so that the answer is asked for again."""
    with pytest.raises(ValueError, match="timestamp"):
        parse_time(text)


def test_clients_read_times_so() -> None:
    """The parser is really in use: an answer's time comes from it."""
    core = open_session()._session
    parser = core.get_component("response_parser_factory").create_parser("rest-xml")

    assert parse_time is parser._timestamp_parser
