"""Promises of the choice of a host: what the settings name is asked, and nothing before it must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repo_maintenance.hosts import GitAccess, open_host
from tests.unit.making import settings_with

TOKEN = "s3cret-token"


def access(environment: dict[str, str], **backup: Any) -> GitAccess:
    """Return how git reaches the host that the settings name."""
    return open_host(settings_with(**backup).backup, environment).git_access()


def test_without_a_source_it_is_the_example(workspace: Path) -> None:
    """Where neither an organisation nor a folder is named, the bundled example is listed, and says so."""
    _ = workspace
    host = open_host(settings_with().backup, {})
    assert ("example" in host.description, True) == (True, len(host.list_repositories()) >= 3)


def test_a_folder_is_asked_for_files_only(tmp_path: Path) -> None:
    """A folder's repositories are read as files: no other protocol, and no token, is ever used."""
    found = access({"GITHUB_TOKEN": TOKEN}, folder=str(tmp_path))
    assert (found.protocols, found.password) == (("file",), None)


@pytest.mark.parametrize(
    ("api_url", "protocols"),
    [
        ("https://api.github.com", {"https"}),
        ("https://github.example.org/api/v3", {"https"}),
        ("http://127.0.0.1:8080/api/v3", {"http", "https"}),
    ],
)
def test_a_token_travels_encrypted(api_url: str, protocols: set[str]) -> None:
    """Git may use plain http only with a server on this machine."""
    found = access({"GITHUB_TOKEN": TOKEN}, organization="acme", github={"api_url": api_url})
    assert (protocols, TOKEN) == (set(found.protocols), found.password)


@pytest.mark.parametrize(
    ("environment", "token"),
    [
        ({"GITHUB_TOKEN": "a"}, "a"),
        ({"GH_TOKEN": "b"}, "b"),
        ({"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, "a"),
        ({"GITHUB_TOKEN": "", "GH_TOKEN": "b"}, "b"),
        ({"GITHUB_TOKEN": " a\n"}, "a"),
        ({"GITHUB_TOKEN": "  "}, None),
        ({}, None),
    ],
)
def test_where_the_token_comes_from(environment: dict[str, str], token: str | None) -> None:
    """GITHUB_TOKEN counts before GH_TOKEN; an empty one is none; without any GitHub is asked anonymously."""
    assert token == access(environment, organization="acme").password


def test_opening_asks_nothing() -> None:
    """Opening a host, and knowing how git reaches it, needs no network."""
    found = access({}, organization="acme", github={"api_url": "http://127.0.0.1:9/api/v3"})
    assert found.password is None
