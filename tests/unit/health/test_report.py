"""Promises of the report: the worst first, nothing unsaid, and harmless whatever a repository holds."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from repo_maintenance.catalog import read_catalog
from repo_maintenance.health.findings import (
    HealthFinding,
    HealthReport,
    RepositoryHealth,
    Unchecked,
    read_health,
    remember_health,
)
from repo_maintenance.health.registry import Registry
from repo_maintenance.health.render import render_markdown, render_plan, render_screen
from repo_maintenance.health.report import build_report
from repo_maintenance.naming import HEALTH_NOTE
from repo_maintenance.records import Failure
from repo_maintenance.settings import HealthSettings, Severity
from repo_maintenance.stores.folder import FolderStore

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
REGISTRY = Registry.load(HealthSettings())


def finding(repository: str, check: str, severity: Severity, message: str = "said") -> HealthFinding:
    """Return a finding."""
    return HealthFinding(
        repository=repository,
        check=check,
        severity=severity,
        subject="",
        message=message,
        remedy=f"mend {check}",
    )


def health(repository: str, *findings: HealthFinding, unchecked: tuple[str, ...] = ()) -> RepositoryHealth:
    """Return what a job leaves."""
    return RepositoryHealth(
        repository=repository,
        checks=["large_files", "no_backup"],
        findings=list(findings),
        unchecked=[Unchecked(repository=repository, check="large_files", reason=why) for why in unchecked],
    )


def report(
    *examined: RepositoryHealth, names: tuple[str, ...] = (), failures: tuple[Failure, ...] = ()
) -> HealthReport:
    """Return the report of a run."""
    all_names = [*(one.repository for one in examined), *names]
    return build_report(all_names, list(examined), list(failures), REGISTRY, source="folder x", now=NOW)


def test_the_worst_comes_first() -> None:
    """Findings go by severity, then by repository, whatever the order in which the jobs ended."""
    made = report(
        health(
            "b", finding("b", "missing_ci", Severity.NOTICE), finding("b", "large_files", Severity.WARNING)
        ),
        health(
            "a", finding("a", "large_files", Severity.WARNING), finding("a", "no_backup", Severity.CRITICAL)
        ),
    )

    expected = [("a", "no_backup"), ("a", "large_files"), ("b", "large_files"), ("b", "missing_ci")]
    assert expected == [(one.repository, one.check) for one in made.findings]
    assert "2 of 2 repositories checked: 1 critical, 2 warnings, 1 notice" in render_screen(made)
    assert [(2, 1)] == [(one.looked_at, one.findings) for one in made.checks if one.name == "no_backup"]


def test_whatever_was_not_looked_at_is_named() -> None:
    """A failed job, one that was never reached, and a check that could not be made are no all-clear."""
    failed = Failure(
        repository="broken", step="health", kind="not found", message="gone", hint="look", transient=False,
        log="x", failed_at=NOW,
    )  # fmt: skip
    made = report(health("a", unchecked=("no network",)), names=("broken", "late"), failures=(failed,))

    for text in (render_screen(made), render_markdown(made)):
        assert "no network" in text
        assert "not found: gone" in text
        assert "not reached" in text
    assert "1 of 3 repositories checked" in render_screen(made)


def test_a_long_list_is_cut_on_the_screen_alone() -> None:
    """A thousand findings leave room for the summary; all are in the file, and each remedy is said once."""
    made = report(
        health("a", *(finding("a", "missing_ci", Severity.NOTICE, f"n{number}") for number in range(1000)))
    )

    screen = render_screen(made)

    assert "… and 960 more in results/health.md" in screen
    assert 1 == screen.count("mend missing_ci")
    assert 1000 == render_markdown(made).count("| missing_ci |")


def test_what_a_repository_holds_cannot_forge_the_report() -> None:
    """A file's name makes neither a link, nor HTML, nor a row of the table of its own."""
    forged = "a | b [click](https://example.org) <img src=x> @all #1 `x`"

    (row,) = [
        line
        for line in render_markdown(
            report(health("a", finding("a", "x", Severity.NOTICE, forged)))
        ).splitlines()
        if "click" in line
    ]

    assert r"a \| b \[click\](https://example.org) &lt;img src=x&gt; \@all \#1 \`x\`" in row


def test_a_preview_names_every_check_and_who_is_left_out() -> None:
    """What a run would do stands in two tables: the checks, and the repositories."""
    settings = HealthSettings.model_validate(
        {"checks": {"missing_ci": {"exclude": ["b"], "severity": "critical"}}}
    )

    shown = render_plan(["a", "b"], Registry.load(settings), "folder x")

    assert "missing_ci               critical    1 of 2" in shown
    assert "b             all but missing_ci" in shown


def test_the_store_has_it_and_takes_it_for_no_backup(tmp_path: Path) -> None:
    """A report comes back as it was kept; the catalogue of backups does not know of it."""
    store, made = FolderStore(tmp_path), report(health("a", finding("a", "x", Severity.NOTICE)))

    assert read_health(store) is None
    remember_health(store, made)

    assert made == read_health(store)
    assert {} == read_catalog(store.list_objects()).backups


def test_a_note_that_cannot_be_read_or_written_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A spoilt note counts as none; one that can't be stored is a warning, not a failure."""
    store = FolderStore(tmp_path / "store")
    store.put_note(HEALTH_NOTE, b"{broken")
    assert read_health(store) is None

    (tmp_path / "file").write_text("x")
    remember_health(FolderStore(tmp_path / "file"), report(health("a")))
    assert "is not in the store" in caplog.text
