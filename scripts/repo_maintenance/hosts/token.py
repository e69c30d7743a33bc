"""Finds GitHub's token in the environment."""

from __future__ import annotations

from collections.abc import Mapping

TOKEN_VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")


def find_token(environment: Mapping[str, str]) -> str | None:
    """Return the token of the first variable that holds one, or None: then GitHub is asked anonymously."""
    values = (environment.get(name, "").strip() for name in TOKEN_VARIABLES)
    return next((value for value in values if value), None)
