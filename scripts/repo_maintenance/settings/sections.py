"""What all sections of the settings share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _web_address(url: str) -> str:
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError("an address begins with https:// (or http:// for a server on this machine)")
    return url.rstrip("/")


RegularExpression = Annotated[str, AfterValidator(_compilable)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
NonEmpty = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A section: unknown keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
