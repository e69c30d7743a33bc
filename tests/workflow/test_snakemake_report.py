"""Snakemake's own report, ``--report``: every receipt with its caption, in one page."""

from __future__ import annotations

from pathlib import Path

from tests.workflow.workspace import Workspace


def test_snakemakes_own_report_has_the_receipts(tmp_path: Path) -> None:
    """After a backup, ``--report`` gives a page with each receipt, and asks nothing to be done again."""
    workspace = Workspace(tmp_path, {"backup": {"patterns": ["lecture-.*"]}})
    assert workspace.backup().code == 0

    reported = workspace.run("--report", "report.html", "backup")

    assert reported.code == 0, reported.output
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The receipt of the backup of" in page
    assert "confirmed the size and the digest" in page
    assert [True, True, False] == [name in page for name in ("lecture-intro", "lecture-python", "data_tools")]
