"""Promises of a run as the Snakefile sees it: asked once, said in few words, summed up at the end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import SettingsError
from repo_maintenance.run import Run
from repo_maintenance.settings import load_settings
from tests.unit.making import back_up
from tests.unit.organization import Organization

# A run holds its lock until its process ends, and so never closes the file.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
UNREACHABLE = {"organization": "acme", "github": {"api_url": "http://127.0.0.1:9/api/v3"}}


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Return what was printed, apart from what making the repositories printed."""
    capsys.readouterr()
    yield capsys


def start(config: dict[str, Any]) -> Run:
    """Start a run."""
    return Run.start(config, {})


def summary() -> dict[str, Any]:
    """Return the summary that was written."""
    read: dict[str, Any] = json.loads(naming.SUMMARY.read_text(encoding="utf-8"))
    return read


def test_a_bad_configuration_stops_it_at_once(workspace: Path) -> None:
    """Nothing is begun with a configuration that can't be used."""
    with pytest.raises(SettingsError):
        start({"backup": {"organisation": "acme"}})
    assert list(workspace.iterdir()) == []


def test_starting_asks_nothing(workspace: Path) -> None:
    """Parsing the workflow needs no network, and leaves nothing behind."""
    run = start({"backup": UNREACHABLE})
    run.finish()
    assert list(workspace.iterdir()) == []


def test_what_is_disabled_does_nothing(workspace: Path, said: pytest.CaptureFixture[str]) -> None:
    """`enabled: false` is said in one line; nothing is listed, and nothing is written."""
    run = start({"backup": UNREACHABLE | {"enabled": False}})

    assert run.due_receipts(preview=False) == []
    run.finish()
    captured = said.readouterr()
    assert (captured.out + captured.err).splitlines() == ["backup.enabled is false: nothing to do"]
    assert list(workspace.iterdir()) == []


def test_the_example_is_said_to_be_one(workspace: Path, said: pytest.CaptureFixture[str]) -> None:
    """Without a source the bundled example is backed up, and whoever reads along knows."""
    _ = workspace
    assert len(start({}).due_receipts(preview=False)) >= 3
    assert "example" in said.readouterr().err


def test_a_preview_shows_the_table_and_changes_no_backup(
    organization: Organization, said: pytest.CaptureFixture[str]
) -> None:
    """The preview names each repository and why; it stores nothing, and writes no summary."""
    due = start(organization.config()).due_receipts(preview=True)

    shown = said.readouterr().out
    assert len(due) == 3
    assert all(name in shown for name in ("data_tools", "lecture-intro", "lecture-python", "no backup yet"))
    assert (organization.stored(), naming.SUMMARY.exists()) == ([], False)


def test_upstream_is_asked_once(organization: Organization, said: pytest.CaptureFixture[str]) -> None:
    """However often Snakemake asks what is due, the run lists once, and says so once."""
    run = start(organization.config())
    first = run.due_receipts(preview=False)
    shutil.rmtree(organization.folder)

    assert first == run.due_receipts(preview=False)
    assert said.readouterr().err.count("3 to back up") == 1


def test_the_end_is_summed_up(organization: Organization, said: pytest.CaptureFixture[str]) -> None:
    """At the end the counts are on the screen and in results/summary.json, with a page for Actions."""
    run = start(organization.config())
    run.due_receipts(preview=False)
    settings = load_settings(organization.config(), {})
    for decision in organization.resolve().due:
        back_up(settings, organization.store, decision.name)
    run.finish()

    assert tuple(summary()[key] for key in ("ok", "total", "backed_up", "failed")) == (True, 3, 3, 0)
    assert "backed up" in said.readouterr().err
    assert "3 backed up" in naming.SUMMARY.with_suffix(".md").read_text(encoding="utf-8")


def test_a_summary_that_can_not_be_written_costs_no_news(
    organization: Organization, said: pytest.CaptureFixture[str]
) -> None:
    """It is on the screen and in the history all the same, and that of the run before is not taken for it."""
    organization.run()
    organization.push("lecture-intro")
    naming.SUMMARY.write_text('{"ok": true}', encoding="utf-8")
    run = start(organization.config())
    run.due_receipts(preview=False)
    assert not naming.SUMMARY.exists()
    naming.SUMMARY.mkdir()

    run.finish()

    assert "not reached       1" in said.readouterr().err
    assert [key for key in organization.stored() if key.startswith(naming.HISTORY)]


def test_a_run_with_nothing_to_do_has_a_summary(organization: Organization) -> None:
    """A second run, in which no job starts, leaves its own summary in place of the first one's."""
    organization.run()

    start(organization.config()).due_receipts(preview=False)

    assert tuple(summary()[key] for key in ("ok", "total", "backed_up", "up_to_date")) == (True, 3, 0, 3)


def test_a_new_run_forgets_the_failures_of_the_last(organization: Organization) -> None:
    """A failure is told by the run in which it happened, not by the next."""
    naming.FAILURES.mkdir(parents=True)
    (naming.FAILURES / "data_tools.json").write_text("{}")

    start(organization.config()).due_receipts(preview=False)

    assert not list(naming.FAILURES.glob("*"))


def test_what_a_killed_verify_left_takes_no_room(organization: Organization) -> None:
    """A backup begins without the scratch of other targets: whoever held the lock before is gone."""
    left_over = naming.SCRATCH / f"{naming.PARTIAL}x" / "large.tar.gz"
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"x")

    start(organization.config()).due_receipts(preview=False)

    assert not naming.SCRATCH.exists()


def test_what_is_replaced_is_not_counted_twice(organization: Organization) -> None:
    """A second run on a day, forced, leaves as much in the store as the first: the history says so."""
    for force in (False, True):
        run = start(organization.config(force=force))
        run.due_receipts(preview=False)
        organization.run(force=force)
        run.finish()
    notes = [one.key for one in organization.store.list_objects() if one.key.startswith(".history/")]
    records = [json.loads(organization.store.read_note(key) or b"") for key in notes]
    assert [0, 0] == [record["bytes_stored"] for record in records]
    assert all(record["bytes_done"] > 0 for record in records)


def test_force_comes_from_the_command_line(organization: Organization) -> None:
    """`--config force=true` makes everything due again today."""
    organization.run()
    assert start(organization.config(force=True)).due_receipts(preview=True) != []
    assert not list(naming.RECEIPTS.glob("*"))
