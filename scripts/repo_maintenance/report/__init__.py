"""The report: ``report.json`` for programs, ``report.md`` for people, ``index.html`` for the eye."""

from __future__ import annotations

import logging
from pathlib import Path

from repo_maintenance.overview import Overview
from repo_maintenance.records import write_json, write_text_if_changed
from repo_maintenance.report.markdown import render_markdown
from repo_maintenance.report.page import render_page
from repo_maintenance.report.verdict import judge

logger = logging.getLogger(__name__)

__all__ = ["JOB_SUMMARY_BYTES", "append_job_summary", "render_line", "write_report"]

# What GitHub shows of one step's summary; a longer one is refused as a whole:
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
JOB_SUMMARY_BYTES = 1 << 20


def write_report(overview: Overview, folder: Path) -> None:
    """Write the three files, each whole or not at all; raises OSError."""
    write_json(folder / "report.json", overview)
    write_text_if_changed(folder / "report.md", render_markdown(overview))
    write_text_if_changed(folder / "index.html", render_page(overview))


def append_job_summary(overview: Overview, path: Path) -> None:
    """Append the report to the summary of a GitHub Action's step: whole, or what is urgent where it is long.

    A summary that can't be written is a warning.
    """
    text = f"\n{render_markdown(overview)}"
    try:
        room = JOB_SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
        if len(text.encode()) > room:
            text = f"\n{render_markdown(overview, whole=False)}"
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        logger.warning("the job summary %s can't be written: %s", path, error.strerror)


def render_line(overview: Overview, folder: Path) -> str:
    """Return what the screen says: whether all is safe, and where to read more."""
    return f"report: {judge(overview).sentence} {folder / 'index.html'} (and report.md, report.json)"
