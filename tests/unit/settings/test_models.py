"""Promises of the types: what a key may hold."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from repo_maintenance.errors import SettingsError
from repo_maintenance.settings import S3Settings
from repo_maintenance.settings.care import RestoreSettings
from tests.unit.making import settings_with


@pytest.mark.parametrize(
    ("given", "prefix"), [("backups", "backups/"), ("a/b/", "a/b/"), ("", ""), ("x y/ü", "x y/ü/")]
)
def test_a_prefix_is_a_folder(given: str, prefix: str) -> None:
    """A prefix ends in a slash whether or not the file has it, so that names are never glued to it."""
    assert prefix == S3Settings(bucket="b", prefix=given).prefix


@pytest.mark.parametrize("date", ["20261115", 20261115, "2026-11-15", dt.date(2026, 11, 15)], ids=repr)
def test_a_day_is_taken_as_it_is_shown(date: object) -> None:
    """Previews show 2026-11-15: whoever copies that need not think, in the night of all nights."""
    assert "20261115" == RestoreSettings.model_validate({"date": date}).date


@pytest.mark.parametrize(
    "backup",
    [
        {"s3": {"bucket": "b", "prefix": "/backups"}},
        {"s3": {"bucket": "b", "prefix": "a/../b"}},
        {"s3": {"bucket": ""}},
        {"s3": {"bucket": "b", "endpoint_url": "localhost:8333"}},
        {"s3": {}},
        {"organization": ""},
        {"organization": "acme", "folder": "repositories"},
        {"max_age_days": 0},
        {"max_age_days": -1},
        {"filters": {"max_size_mb": 0}},
        {"patterns": ["*"]},
        {"exclude": ["a", "[z-a]"]},
        {"github": {"api_url": "http://github.example.org/api/v3"}},
        {"github": {"api_url": "http://127.0.0.1.example.org/api/v3"}},
        {"github": {"api_url": "github.example.org"}},
    ],
)
def test_what_cannot_be_meant_is_refused(backup: dict[str, Any]) -> None:
    """Contradictions, impossible limits, broken expressions and a token over plain http stop the run."""
    with pytest.raises(SettingsError, match=r"backup"):
        settings_with(**backup)


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [
        ("https://api.github.com", False),
        ("https://github.example.org/api/v3", False),
        ("http://localhost:8080/api/v3", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
    ],
)
def test_addresses_of_github(url: str, is_loopback: bool) -> None:
    """GitHub, an Enterprise Server and a server on this machine can be named, with or without a slash."""
    github = settings_with(github={"api_url": f"{url}/"}).backup.github
    assert (url, is_loopback) == (github.api_url, github.is_loopback)


def test_settings_do_not_change_after_loading() -> None:
    """No step can change what another one reads."""
    backup = settings_with(organization="acme").backup
    with pytest.raises(ValidationError, match="frozen"):
        backup.organization = "other"  # type: ignore[misc]
