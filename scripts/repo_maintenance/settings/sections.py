"""What all sections of the settings share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        instead = "; write .* for anything" if pattern.startswith("*") else ""
        raise ValueError(f"not a regular expression: {error}{instead}") from error
    return pattern


def _web_address(url: str) -> str:
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError("an address begins with https:// (or http:// for a server on this machine)")
    return url.rstrip("/")


def bare_name(name: str, what: str) -> str:
    """Return a name as it is; raises ValueError, which says ``what`` is wanted, for an address or a path.

    Neither an account on GitHub nor a bucket has a slash in its name, an access point's ARN apart:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if "/" not in name or name.startswith("arn:"):
        return name
    parts = [part for part in re.sub(r"^(\w+://)?([\w-]+\.[\w.-]+/)?", "", name).split("/") if part]
    raise ValueError(f"name {what}, such as {parts[0] if parts else 'my-name'}")


RegularExpression = Annotated[str, AfterValidator(_compilable)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
NonEmpty = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A section: unknown keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
