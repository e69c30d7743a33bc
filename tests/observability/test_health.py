"""The health check as a user runs it: GitHub's API and git over HTTP, a package index, and the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.github import FakeGitHub
from tests.servers.package_index import PackageIndexServer
from tests.unit.health.making import commit
from tests.unit.health.test_registry import plugin
from tests.workflow.workspace import Workspace

TOKEN = "test-token"
WHOLE = {
    "README.md": "x\n",
    "LICENSE": "x\n",
    "CONTRIBUTING.md": "x\n",
    "SECURITY.md": "x\n",
    ".github/CODEOWNERS": "* @acme/all\n",
    ".github/workflows/ci.yml": "jobs: {}\n",
}


@dataclass
class Scene:
    """An organisation, an index and a folder in which the workflow runs."""

    github: FakeGitHub
    index: PackageIndexServer
    folder: Path

    def add(self, name: str, files: dict[str, str], **fields: Any) -> None:
        """Add a repository with these files."""
        bare = commit(self.folder / "made" / f"{name}.git", files)
        self.github.add_repository("acme", name, bare, **fields)

    def workspace(self, **health: Any) -> Workspace:
        """Return a folder whose configuration checks the organisation."""
        config = {
            "backup": {
                "organization": "acme",
                "github": {"api_url": self.github.api_url},
                "directory": str(self.folder / "backups"),
                "git": {"attempts": 1, "wait_seconds": 0},
            },
            "health": {"index": self.index.settings, **health},
        }
        return Workspace(self.folder / "workspace", config, {"GITHUB_TOKEN": TOKEN})


@pytest.fixture
def scene(github: FakeGitHub, tmp_path: Path) -> Iterator[Scene]:
    """Return an organisation with a good repository, a poor one, and an archived one."""
    with PackageIndexServer() as index:
        made = Scene(github, index, tmp_path)
        index.add_python("numpy", "1.26.4", "2.4.1")
        made.add("good", WHOLE, is_protected=True)
        poor = {"requirements.txt": "numpy<2\n", ".gitmodules": f"url = {github.url}/acme/retired.git\n"}
        made.add("poor", {**poor, ".netrc": "machine x login y password hunter2\n"}, has_security_policy=True)
        made.add("retired", {"a.txt": "x\n"}, archived=True)
        yield made


def found(workspace: Workspace) -> set[tuple[str, str, str]]:
    """Return repository, check and message of each finding of a run, but for missing backups."""
    report = json.loads((workspace.path / "results" / "health.json").read_text())
    findings = [one for one in report["findings"] if one["check"] != "no_backup"]
    return {(one["repository"], one["check"], one["message"]) for one in findings}


def test_what_is_to_be_done_is_said_written_and_kept(scene: Scene) -> None:
    """Each finding is on the screen, in two files and in the store; bad news are no failure."""
    workspace = scene.workspace()
    page = scene.folder / "page.md"
    workspace.environment = {**workspace.environment, "GITHUB_STEP_SUMMARY": str(page)}

    done = workspace.run("--cores", "2", "health")

    assert done.code == 0, done.output
    assert {
        ("poor", "archived_dependencies", ".gitmodules depends on acme/retired, which is archived"),
        ("poor", "missing_ci", "no continuous integration"),
        ("poor", "missing_code_owners", "no code owners"),
        ("poor", "missing_contributing", "no contributing guide"),
        ("poor", "missing_license", "no license"),
        ("poor", "missing_readme", "no README"),
        ("poor", "outdated_dependencies", "requirements.txt: numpy 1.26.4 → 2.4.1"),
        ("poor", "secret_files", ".netrc looks like a secret"),
        ("poor", "unprotected_branch", "no rule guards main"),
    } == found(workspace)
    assert "3 of 3 repositories checked: 4 critical, 4 warnings, 4 notices" in done.output
    shown = done.output
    places = [
        shown.index(words) for words in ("CRITICAL", "WARNING", "NOTICE", "3 of 3 repositories checked")
    ]
    assert sorted(places) == places
    assert "secret_files: take the secret for known" in shown
    assert "hunter2" not in shown
    note = (scene.folder / "backups" / ".health" / "latest.json").read_text()
    assert json.loads(note) == json.loads((workspace.path / "results" / "health.json").read_text())
    text = (workspace.path / "results" / "health.md").read_text()
    assert "| poor | outdated_dependencies | requirements.txt: numpy 1.26.4 → 2.4.1 |" in text
    assert f"\n{text}" == page.read_text()


def test_it_costs_few_requests_and_leaves_nothing_behind(scene: Scene) -> None:
    """One question for all default branches, none for each repository; and no mirror stays."""
    workspace = scene.workspace()

    workspace.run("--cores", "2", "health")

    asked = [(one.method, one.path) for one in scene.github.api_requests()]
    assert [("GET", "/api/v3/orgs/acme/repos"), ("POST", "/api/graphql")] == asked
    assert [] == list((workspace.path / "results" / "scratch").iterdir())


def test_one_that_cannot_be_looked_at_stops_no_other(scene: Scene) -> None:
    """It is named with the reason, the run ends with an error, and all others have their findings."""
    scene.github.touch_metadata("acme", "good", disabled=True)
    workspace = scene.workspace()

    done = workspace.run("--cores", "2", "health")

    assert done.code != 0
    assert "FAILED good: disabled: the host has disabled this repository" in done.output
    assert "2 of 3 repositories checked" in done.output
    assert {"poor"} == {repository for repository, _check, _message in found(workspace)}
    assert "Traceback" not in done.output


def test_a_preview_names_repositories_and_checks_and_looks_at_none(scene: Scene) -> None:
    """`snakemake -n health` shows which checks look at which repositories; git is not asked."""
    workspace = scene.workspace(exclude=["good"], checks={"missing_ci": {"exclude": ["poor"]}})

    done = workspace.run("-n", "health")

    assert done.code == 0, done.output
    assert "poor" in done.output
    assert "all but missing_ci" in done.output
    assert "2 repositories, 13 checks" in done.output
    assert "Check good" not in done.output
    assert [] == scene.github.git_requests()
    assert not (workspace.path / "results" / "health.json").exists()


def test_a_folder_has_no_api_and_that_is_said(scene: Scene) -> None:
    """Without GitHub, what only GitHub knows is not applicable; all else is looked at."""
    workspace = scene.workspace()
    backup = {"folder": str(scene.folder / "made"), "directory": str(scene.folder / "backups")}
    workspace.config = {**workspace.config, "backup": backup}

    done = workspace.run("--cores", "2", "health")

    assert done.code == 0, done.output
    assert "NOT APPLICABLE archived_dependencies, unprotected_branch" in done.output
    assert ("poor", "missing_license", "no license") in found(workspace)


def test_without_index_and_token_it_says_what_was_not_checked(scene: Scene) -> None:
    """Neither an index that is away nor a missing token is an all-clear, or a failure."""
    scene.index.stop()
    workspace = scene.workspace()
    workspace.environment = {}

    done = workspace.run("--cores", "2", "health")

    assert done.code == 0, done.output
    assert "NOT CHECKED outdated_dependencies: " in done.output
    assert "can't be reached (1 repository)" in done.output
    assert "NOT CHECKED unprotected_branch: GitHub does not say without a token" in done.output
    assert not {"outdated_dependencies", "unprotected_branch"} & {
        check for _repo, check, _ in found(workspace)
    }


def test_a_check_of_ones_own_and_a_cache(scene: Scene) -> None:
    """A file that the settings name is a check like any; a kept cache spares what is not new."""
    workspace = scene.workspace(plugins=[str(plugin(scene.folder / "checks"))])
    workspace.config["backup"]["cache"] = str(scene.folder / "cache")

    first = workspace.run("--cores", "2", "health")
    second = workspace.run("--cores", "2", "health")

    assert (0, 0) == (first.code, second.code), second.output
    assert ("good", "missing_changelog", "no changelog") in found(workspace)
    assert {"good.git", "poor.git", "retired.git"} == {
        path.name for path in (scene.folder / "cache").iterdir()
    }


def test_a_report_anywhere_has_the_findings(scene: Scene) -> None:
    """The report of another machine shows what was found, from the note in the store."""
    scene.workspace().run("--cores", "2", "health")
    other = scene.workspace()
    other.path = scene.folder / "elsewhere"

    backed_up = other.run("--cores", "2", "backup")
    done = other.run("--cores", "1", "report")

    assert (0, 0) == (backed_up.code, done.code), done.output
    report = json.loads((other.path / "results" / "report" / "report.json").read_text())
    assert ("poor", ".netrc looks like a secret") in {
        (one["repository"], one["message"]) for one in report["health"]
    }


def test_a_slip_stops_the_run_before_anything_is_asked(scene: Scene) -> None:
    """An unknown check is named with the nearest one, and GitHub is not asked."""
    done = scene.workspace(checks={"large_file": {}}).run("--cores", "1", "health")

    assert done.code != 0
    assert "unknown check; did you mean 'large_files'?" in done.output
    assert [] == scene.github.requests
