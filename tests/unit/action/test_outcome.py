"""Promises of what GitHub shows of a run: every failure with its reason, within GitHub's limits, as text."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.action.inputs import Task
from repo_maintenance.action.outcome import (
    PAGE_BYTES,
    Outcome,
    annotate,
    find_reasons,
    gather,
    kept_files,
    list_outputs,
    render_page,
)
from repo_maintenance.action.running import OUTPUT
from repo_maintenance.records import Failure, write_json
from repo_maintenance.summary import Outcome as Ended
from repo_maintenance.summary import RepositoryResult, Summary

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def failed(name: str, message: str = "gone") -> Failure:
    """Return a failure."""
    return Failure(
        repository=name,
        step="mirror",
        kind="not found",
        message=message,
        hint="look there",
        transient=False,
        log="results/logs/x.log",
        failed_at=NOW,
    )


def summary(*results: RepositoryResult, store: str = "s3://bucket/", not_reached: int = 0) -> Summary:
    """Return the summary of a run that selected ten repositories."""
    return Summary(
        ok=False,
        source="acme",
        store=store,
        started_at=NOW,
        seconds=1,
        total=10,
        backed_up=4,
        up_to_date=3,
        failed=2,
        not_reached=not_reached,
        incomplete=0,
        covered=10,
        bytes_stored=0,
        movements=[],
        repositories=list(results),
    )


def test_the_counts_are_those_of_the_summary() -> None:
    """Repositories whose turn did not come count as failed: nothing is lost between the counts."""
    outcome = Outcome(
        "backup", "failure", summary=summary(not_reached=1), failures=[failed("b"), failed("a")]
    )

    assert {
        "total": "10",
        "backed-up": "4",
        "up-to-date": "3",
        "failed": "3",
        "failed-names": '["a", "b"]',
        "report": "",
    } == list_outputs(outcome)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("verify", "success"), "0"),
        (Outcome("verify", "failure", failures=[failed("lecture-20261124")]), "1"),
        (Outcome("backup", "failure"), ""),
        (Outcome("backup", "cancelled"), ""),
        (Outcome("backup", "success", is_preview=True), ""),
    ],
    ids=["proven", "bad", "no run", "cancelled", "preview"],
)
def test_nothing_is_said_to_have_not_failed_that_was_not_tried(outcome: Outcome, expected: str) -> None:
    """``failed`` is a number only where something was tried, so that a run that never began is no ``0``."""
    assert expected == list_outputs(outcome)["failed"]


def test_more_failures_than_github_shows_are_counted() -> None:
    """Of a hundred failures, nine are shown, and the tenth annotation says how many there are besides."""
    outcome = Outcome("backup", "failure", failures=[failed(f"r{number}") for number in range(100)])

    shown = annotate(outcome)

    assert 10 == len(shown)
    assert "mirror of r0 failed" == shown[0].title
    assert "not found: gone → look there" == shown[0].message
    assert "91 more failed" == shown[-1].title


def test_incomplete_and_short_lived_backups_are_warned_of() -> None:
    """What a green run would hide is a warning: what is incomplete, and backups that go with the runner."""
    incomplete = RepositoryResult(
        repository="data", outcome=Ended.BACKED_UP, action="new", reason="", incomplete="2 LFS objects"
    )
    outcome = Outcome(
        "backup", "success", summary=summary(incomplete, store="folder backups"), goes_with_runner=True
    )

    titles = [(one.level, one.title) for one in annotate(outcome)]

    assert [("warning", "These backups are not kept"), ("warning", "data is incomplete")] == titles


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("x\nError: no such bucket (make it)\n", ["no such bucket (make it)"]),
        ("Error: 2 problems:\n  a: b\n  c: d", ["2 problems:\n  a: b\n  c: d"]),
        ("Error: old\nError: new", ["new"]),
        ("ok       git: 2.39\nfailure  bucket: gone → make it\nError: x", ["bucket: gone → make it"]),
        ("Killed", ["the run ended before it had an outcome; its log says why"]),
    ],
)
def test_a_run_that_never_began_says_why(said: str, expected: list[str]) -> None:
    """The reason on the page is the tool's own, whole, and the last one that it gave."""
    assert expected == find_reasons(said)


def test_what_was_said_cant_leave_its_fence() -> None:
    """Text from outside is shown as text: no fence in it ends ours."""
    page = render_page(Outcome("verify", "failure", said="verify: 0 of 1 done\n````\n<b>![x](y)\n"))

    assert "## ❌ verify\n\n`````text\nverify: 0 of 1 done\n````\n<b>![x](y)\n`````\n" == page


def test_a_long_page_is_cut_to_what_github_shows() -> None:
    """Over GitHub's limit the whole page would be lost: it is cut between lines, and says so."""
    row = "| lecture-ü | backed up |\n"

    page = render_page(Outcome("backup", "success", page=row * 50_000))

    assert len(page.encode()) <= PAGE_BYTES + 100
    assert page.endswith("| backed up |\n\n… cut here: the rest is in the artifact.\n")


@pytest.mark.parametrize(("task", "said"), [("report", "safe"), ("health", "fine")])
def test_who_writes_a_page_of_their_own_gets_no_second_one(task: Task, said: str) -> None:
    """A report and a health check stand on the page once."""
    assert "" == render_page(Outcome(task, "success", said=said))
    assert said in render_page(Outcome(task, "failure", said=said))


def test_a_preview_is_shown_without_snakemakes_own_words() -> None:
    """The page of a dry run begins with the table, and ends before the list of jobs."""
    said = "Building DAG\nrepository      action  why\n---\na  new  x\n\nJob stats:\njob count\n"

    page = render_page(Outcome("backup", "success", is_preview=True, said=said))

    table = "repository      action  why\n---\na  new  x"
    assert f"## Preview of backup\n\n```text\n{table}\n```\n" == page


def test_what_a_run_left_behind_is_found(workspace: Path) -> None:
    """Failures, the page, what was said and the report are read from the folder in which the run worked."""
    reports = workspace / "reports"
    reports.mkdir()
    (reports / "index.html").write_text("<html>")
    write_json(naming.failure_path("data"), failed("data"))
    write_json(naming.SUMMARY, summary())
    naming.SUMMARY.with_suffix(".md").write_text("## page")
    OUTPUT.parent.mkdir()
    OUTPUT.write_bytes(b"said \xff")

    outcome = gather("report", "failure", is_preview=False, reports=reports, goes_with_runner=False)

    assert summary() == outcome.summary
    assert ("## page", "said \ufffd", [failed("data")]) == (outcome.page, outcome.said, outcome.failures)
    assert str(reports / "index.html") == list_outputs(outcome)["report"]
    assert {str(path) for path in kept_files(reports)} == {
        *("results/logs", "results/summary.json", "results/summary.md", str(reports))
    }


def test_a_report_of_an_earlier_step_is_not_this_runs(workspace: Path) -> None:
    """The output ``report`` is empty after every task but the report."""
    (workspace / "index.html").write_text("<html>")

    outcome = gather("backup", "success", is_preview=False, reports=workspace, goes_with_runner=False)

    assert "" == list_outputs(outcome)["report"]
