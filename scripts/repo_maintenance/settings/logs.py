"""The section ``logging``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from repo_maintenance.settings.sections import Section

ADDED = {"run": "-", "rule": "-", "repository": "-"}
"""What a line knows besides what Python's `logging` gives it, and what stands there outside of jobs."""


def _usable(text: str) -> str:
    try:
        logging.Formatter(text).format(logging.makeLogRecord(ADDED))
    except (ValueError, TypeError) as error:
        known = ", ".join(ADDED)
        raise ValueError(f"{error}; there are Python's own fields of a log record, and {known}") from error
    return text


class LoggingSettings(Section):
    """What is logged, and where."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe messages that are shown."""

    format: Annotated[str, AfterValidator(_usable)] = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
    """Format of a line, as Python's `logging` has it; also with `%(run)s`, `%(rule)s`, `%(repository)s`."""

    json_lines: bool = Field(default=False, alias="json")
    """Write each line as a JSON object, for programs; `format` then has no effect."""

    file: Path | None = None
    """A file that gets every line besides the screen; `null` for none."""
