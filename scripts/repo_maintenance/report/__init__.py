"""The report: ``report.json`` for programs, ``report.md`` for people, ``index.html`` for the eye."""

from __future__ import annotations

from pathlib import Path

from repo_maintenance.job_summary import append_to_job_summary
from repo_maintenance.overview import Overview
from repo_maintenance.records import write_json, write_text_if_changed
from repo_maintenance.report.markdown import render_markdown
from repo_maintenance.report.page import render_page
from repo_maintenance.report.verdict import judge

__all__ = ["append_job_summary", "render_line", "write_report"]


def write_report(overview: Overview, folder: Path) -> None:
    """Write the three files, each whole or not at all; raises OSError."""
    write_json(folder / "report.json", overview)
    write_text_if_changed(folder / "report.md", render_markdown(overview))
    write_text_if_changed(folder / "index.html", render_page(overview))


def append_job_summary(overview: Overview, path: Path) -> None:
    """Append the report to the summary of a GitHub Action's step: whole, or what is urgent where it is long.

    A summary that can't be written is a warning.
    """
    append_to_job_summary(path, render_markdown(overview), brief=render_markdown(overview, whole=False))


def render_line(overview: Overview, folder: Path) -> str:
    """Return what the screen says: whether all is safe, and where to read more."""
    return f"report: {judge(overview).sentence} {folder / 'index.html'} (and report.md, report.json)"
