"""Promises of the summary: it counts every repository once, and gives each failure a reason and a remedy."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import JobFailedError
from repo_maintenance.inventory import Resolution
from repo_maintenance.records import Failure, write_json
from repo_maintenance.settings import load_settings
from repo_maintenance.summary import Summary, render_markdown, render_summary, summarize
from tests.servers import repositories
from tests.unit.making import back_up
from tests.unit.organization import Organization

STARTED = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
UP_TO_DATE, BACKED_UP, FAILED = "data_tools", "lecture-intro", "lecture-python"


def summary_of(resolution: Resolution) -> Summary:
    """Return the summary of a run of 75 seconds."""
    return summarize(resolution, started_at=STARTED, now=STARTED + dt.timedelta(seconds=75))


@pytest.fixture
def mixed(organization: Organization) -> Resolution:
    """Run a backup in which one repository was stored before, one is stored, and one is damaged upstream."""
    organization.run(patterns=[UP_TO_DATE])
    repositories.corrupt(organization.path(FAILED))
    resolution = organization.resolve()
    for decision in sorted(resolution.due, key=lambda one: one.repository.name):
        try:
            back_up(load_settings(organization.config(), {}), organization.store, decision.name)
        except JobFailedError:
            assert decision.repository.name == FAILED
    return resolution


def test_each_repository_is_counted_once(mixed: Resolution, organization: Organization) -> None:
    """Total, backed up, up to date and failed are what happened, with bytes and time; the run is not ok."""
    summary = summary_of(mixed)

    assert (
        *(summary.total, summary.backed_up, summary.up_to_date, summary.failed, summary.not_reached),
    ) == (3, 1, 1, 1, 0)
    assert (summary.ok, summary.seconds) == (False, 75.0)
    [size] = [one.size for one in organization.store.list_objects() if one.key.startswith(BACKED_UP)]
    assert size == summary.bytes_stored
    assert {one.repository: str(one.outcome) for one in summary.repositories} == {
        UP_TO_DATE: "up to date",
        BACKED_UP: "backed up",
        FAILED: "failed",
    }


def test_a_failure_is_told_with_reason_hint_and_log(mixed: Resolution) -> None:
    """The screen shows which repository failed in which step, why, what to do, and where to read more."""
    [line, *after] = render_summary(summary_of(mixed)).partition("FAILED ")[2].splitlines()

    assert line.startswith(f"{FAILED} (mirror): ")
    assert "git fsck" in after[0]
    assert f"mirror/{FAILED}.log" in after[1]


def test_the_counts_are_on_the_screen(mixed: Resolution) -> None:
    """The screen shows the four counts, the source and the store."""
    lines = [line.split() for line in render_summary(summary_of(mixed)).splitlines()]

    assert next(line[:3] for line in lines if line[:1] == ["backed"]) == ["backed", "up", "1"]
    assert next(line[:4] for line in lines if line[:2] == ["up", "to"]) == ["up", "to", "date", "1"]
    assert next(line[:2] for line in lines if line[:1] == ["failed"]) == ["failed", "1"]
    assert "the small organisation" in render_summary(summary_of(mixed))


def test_a_program_can_read_it(mixed: Resolution) -> None:
    """The JSON holds all of it: what is read back equals what was written."""
    summary = summary_of(mixed)
    assert summary == Summary.model_validate_json(summary.model_dump_json())


def test_the_page_begins_with_what_failed(mixed: Resolution) -> None:
    """In Markdown, failures come first, and what is up to date takes no line."""
    rows = [line for line in render_markdown(summary_of(mixed)).splitlines() if line.startswith("| ")]

    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[1:]] == [FAILED, BACKED_UP]
    assert {4} == {row.replace("\\|", "").count(" | ") + 1 for row in rows}


def test_what_a_server_says_cannot_forge_the_page(mixed: Resolution) -> None:
    """What git passes on of a hostile server stands in its cell as text: no markup, no row of its own."""
    failure = Failure(
        repository=FAILED,
        step="mirror",
        kind="error",
        message="git: <img src=x> | [all is well](https://evil.example)\n\n# forged",
        hint=None,
        transient=False,
        log="x.log",
        failed_at=STARTED,
    )
    write_json(naming.failure_path(FAILED), failure)

    page = render_markdown(summary_of(mixed))

    (row,) = [line for line in page.splitlines() if line.startswith(f"| {FAILED} ")]
    assert "&lt;img src=x&gt; \\| \\[all is well\\]" in row
    assert "\n# forged" not in page


def test_a_run_cut_short_says_so(organization: Organization) -> None:
    """What was due and has neither a receipt nor a failure was not reached, and the run is not ok."""
    summary = summary_of(organization.resolve())

    assert (summary.total, summary.not_reached, summary.backed_up, summary.ok) == (3, 3, 0, False)
    assert "not reached" in render_summary(summary)


def test_all_is_well(organization: Organization) -> None:
    """A run without failures is ok, whether it made backups or found nothing to do."""
    first = summary_of(organization.run())
    second = summary_of(organization.resolve())

    assert (first.ok, first.backed_up, first.up_to_date) == (True, 3, 0)
    assert (second.ok, second.backed_up, second.up_to_date, second.bytes_stored) == (True, 0, 3, 0)
    assert "FAILED" not in render_summary(first)


@pytest.mark.usefixtures("mixed")
def test_a_failure_of_an_earlier_run_is_not_told_again(organization: Organization) -> None:
    """A repository that is up to date has not failed, whatever was noted before."""
    resolution = organization.resolve(patterns=[UP_TO_DATE])
    assert naming.failure_path(FAILED).exists()
    assert (summary_of(resolution).up_to_date, summary_of(resolution).failed) == (1, 0)


def test_of_nothing(organization: Organization) -> None:
    """Where no repository is listed, the summary says 0, and the run is ok."""
    shutil.rmtree(organization.folder)
    organization.folder.mkdir()
    summary = summary_of(organization.resolve())
    assert (summary.total, summary.ok) == (0, True)
    assert "0 repositories" in render_summary(summary)
