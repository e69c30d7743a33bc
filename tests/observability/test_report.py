"""The report through Snakemake: from listing and store alone, and never a failure for bad news."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.servers.repositories import corrupt, make_repository
from tests.workflow.workspace import Workspace

FILES = ["index.html", "report.json", "report.md"]


class Backups:
    """Three repositories in a folder, and a workspace that backs them up to another."""

    def __init__(self, folder: Path) -> None:
        self.upstream = folder / "acme"
        for name in ("lecture", "website", "tools"):
            make_repository(self.upstream / f"{name}.git")
        self.config = {
            "backup": {
                "folder": str(self.upstream),
                "directory": str(folder / "store"),
                "git": {"attempts": 1},
            }
        }
        self.workspace = self.machine(folder / "workspace")

    def machine(self, folder: Path, **environment: str) -> Workspace:
        """Return a folder in which nothing is known yet."""
        folder.mkdir()
        return Workspace(folder, self.config, environment)


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> Backups:
    """Return the organisation, backed up and proven once, with one repository that then fails."""
    made = Backups(tmp_path_factory.mktemp("backups"))
    assert made.workspace.backup().code == 0
    assert made.workspace.run("--cores", "2", "verify").code == 0
    corrupt(made.upstream / "website.git")
    assert made.workspace.backup("--config", "force=true").code == 1
    return made


def _read(workspace: Workspace) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((workspace.path / "results" / "report" / "report.json").read_text())
    return content


def test_bad_news_are_no_failure(backups: Backups) -> None:
    """The run exits 0, says in one line what is not safe and where to read on, and writes the three files."""
    done = backups.workspace.run("--cores", "1", "report")

    assert done.code == 0, done.output
    (line,) = [one for one in done.output.splitlines() if one.startswith("report: ")]
    assert "1 failed" in line
    assert "results/report/index.html" in line
    folder = backups.workspace.path / "results" / "report"
    assert FILES == sorted(path.name for path in folder.iterdir())
    assert "not safe" in (folder / "report.md").read_text().splitlines()[0]


def test_a_fresh_machine_knows_the_same(backups: Backups, tmp_path: Path) -> None:
    """States, proofs, failures and runs come from the store, so any machine makes the same report."""
    assert backups.workspace.run("--cores", "1", "report").code == 0
    fresh = backups.machine(tmp_path / "fresh")

    assert fresh.run("--cores", "1", "report").code == 0

    known, found = _read(backups.workspace), _read(fresh)
    assert known["repositories"] == found["repositories"]
    assert known["runs"] == found["runs"]
    assert {"lecture": "not yet proven", "website": "failed"}.items() <= {
        one["name"]: one["state"] for one in found["repositories"]
    }.items()
    assert ["backup", "verify", "backup"] == [run["kind"] for run in found["runs"]]


def test_the_job_summary_of_an_action_gets_it(backups: Backups, tmp_path: Path) -> None:
    """Where GitHub names a file for the summary of the step, the report is appended to it."""
    summary = tmp_path / "summary.md"
    machine = backups.machine(tmp_path / "action", GITHUB_STEP_SUMMARY=str(summary))

    assert machine.run("--cores", "1", "report").code == 0

    assert "not safe" in summary.read_text()


def test_the_folder_can_be_chosen(backups: Backups, tmp_path: Path) -> None:
    """`report.directory` gets the files."""
    machine = backups.machine(tmp_path / "elsewhere")
    machine.config = {**backups.config, "report": {"directory": str(tmp_path / "site")}}

    assert machine.run("--cores", "1", "report").code == 0

    assert FILES == sorted(path.name for path in (tmp_path / "site").iterdir())


def test_a_source_that_can_not_be_listed_is_no_report(backups: Backups, tmp_path: Path) -> None:
    """Where the list can't be had, nothing is claimed: one line says why, the exit code is 1."""
    machine = backups.machine(tmp_path / "broken")
    machine.config = {"backup": {**backups.config["backup"], "folder": str(tmp_path / "missing")}}

    done = machine.run("--cores", "1", "report")

    assert done.code == 1
    assert "can't list" in done.output
    assert "Traceback" not in done.output
    assert not (machine.path / "results" / "report").exists()


def test_an_empty_store_is_told_of(backups: Backups, tmp_path: Path) -> None:
    """Before the first backup the report says that nothing is safe."""
    machine = backups.machine(tmp_path / "first")
    machine.config = {"backup": {**backups.config["backup"], "directory": str(tmp_path / "empty")}}

    done = machine.run("--cores", "1", "report")

    assert done.code == 0
    assert "3 of 3 repositories are not safe: 3 never backed up" in done.output
    shutil.rmtree(machine.path)
