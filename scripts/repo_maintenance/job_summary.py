"""The summary of a GitHub Action's step: a page that each target adds to."""

from __future__ import annotations

import logging
from pathlib import Path

logger = logging.getLogger(__name__)

# What GitHub shows of one step's summary; a longer one is refused as a whole:
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
JOB_SUMMARY_BYTES = 1 << 20


def append_to_job_summary(path: Path, text: str, *, brief: str) -> None:
    """Append Markdown to the page, or ``brief`` where there is no room for all of ``text``.

    A summary that can't be written is a warning.
    """
    try:
        room = JOB_SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{text if len(text.encode()) < room else brief}")
    except OSError as error:
        logger.warning("the job summary %s can't be written: %s", path, error.strerror)
