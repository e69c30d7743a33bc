"""All that a repository can be on GitHub, in one run: each named as what it is, and the others stored."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.servers.github import Account, FakeGitHub, Fault, matching
from tests.servers.repositories import git, git_environment, make_empty, make_repository, refs, set_head
from tests.unit.making import files_below, unpack
from tests.workflow.workspace import Finished, Workspace

REFUSED = {"not-found": 404, "forbidden": 403, "blocked": 451}
KINDS = {
    "not-found": "not found",
    "forbidden": "access denied",
    "blocked": "blocked for legal reasons",
    "disabled": "disabled",
}
STORED = {"fine", "empty", "headless", "nameless", "detached"}


@dataclass
class Night:
    """A run over an organisation of every kind of repository."""

    github: FakeGitHub
    folder: Path
    run: Finished
    summary: dict[str, Any]

    def result(self, name: str) -> dict[str, Any]:
        """Return what the summary says of a repository."""
        (found,) = [one for one in self.summary["repositories"] if one["repository"] == name]
        return dict(found)

    def lines(self, name: str) -> list[str]:
        """Return what stands on the screen about a repository after the counts."""
        after = self.run.output.split("up to date ")[-1].splitlines()
        return [line for line in after if name in line]

    def restored(self, name: str, scratch: Path) -> Path:
        """Return a repository as its tarball holds it."""
        (tarball,) = (self.folder / "backups" / name).glob("*.tar.gz")
        return unpack(tarball, scratch / name) / f"{name}.git"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """Run the workflow once over the organisation."""
    root = tmp_path_factory.mktemp("states")
    with FakeGitHub(root / "github", tokens={TOKEN: Account("robot")}) as github:
        for name in (*REFUSED, "disabled", "fine"):
            github.add_repository("acme", name, private=True, disabled=name == "disabled")
        for name, status in REFUSED.items():
            github.fault(Fault(matching(rf"/acme/{name}\.git/"), status=status))
        github.add_repository("acme", "empty", make_empty(root / "empty.git", "trunk"), pushed_at=None)
        github.add_repository("acme", "headless", make_repository(root / "headless.git"))
        set_head(root / "headless.git", "gone")
        github.touch_metadata("acme", "headless", default_branch="gone")
        github.add_repository("acme", "nameless", make_repository(root / "nameless.git"), default_branch="")
        detached = make_repository(root / "detached.git")
        (detached / "HEAD").write_text(refs(detached)["refs/heads/main"] + "\n")
        github.add_repository("acme", "detached", detached, default_branch="main")
        backup = {"organization": "acme", "github": {"api_url": github.api_url}}
        workspace = Workspace(root / "run", {"backup": backup}, {"GITHUB_TOKEN": TOKEN})
        run = workspace.backup()
        yield Night(github, workspace.path, run, workspace.summary())


def test_the_others_are_stored(night: Night) -> None:
    """Repositories that can't be had cost the exit code, not the others' backups."""
    assert (1, False) == (night.run.code, night.summary["ok"])
    assert (len(STORED), len(KINDS)) == (night.summary["backed_up"], night.summary["failed"])
    assert STORED == {path.parent.name for path in (night.folder / "backups").glob("*/*.tar.gz")}
    assert "Traceback" not in night.run.output


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_what_can_not_be_had_is_named_as_what_it_is(night: Night, name: str, kind: str) -> None:
    """404, 403, 451 and disabled each have their own words, and a hint, on the screen and in the summary."""
    failure = night.result(name)["failure"]
    assert ("mirror", kind, False) == (failure["step"], failure["kind"], failure["transient"])
    assert failure["hint"]
    begin = f"FAILED {name} (mirror): {kind}: "
    assert [True] == [line.startswith(begin) for line in night.lines(f"FAILED {name} ")]
    markdown = (night.folder / "results" / "summary.md").read_text()
    assert 1 == sum(f"| {name} | failed | mirror: {kind}: " in line for line in markdown.splitlines())


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_not_asked_for_again(night: Night, name: str) -> None:
    """What is permanent is asked once a run."""
    assert 1 == sum(f"/acme/{name}.git/" in request.path for request in night.github.git_requests())


def test_a_disabled_repository_is_not_asked_for(night: Night) -> None:
    """What GitHub's listing says to be disabled costs no request at all."""
    assert [] == [request.path for request in night.github.git_requests() if "/disabled.git/" in request.path]


def test_an_empty_repository_is_stored_as_an_empty_mirror(night: Night, tmp_path: Path) -> None:
    """A repository without a commit gives a tarball that git can clone, and the summary names it as empty."""
    restored = night.restored("empty", tmp_path)

    assert ({}, "refs/heads/trunk\n") == (refs(restored), git(restored, "symbolic-ref", "HEAD"))
    clone = ["git", "clone", "--quiet", str(restored), str(tmp_path / "clone")]
    assert 0 == subprocess.run(clone, env=git_environment(), capture_output=True, check=False).returncode
    assert night.result("empty")["empty"] is True
    assert ["NOTE empty, stored as empty mirrors: empty"] == night.lines("mirrors: empty")


@pytest.mark.parametrize("name", ["headless", "nameless", "detached"])
def test_a_head_to_nowhere_costs_nothing(night: Night, tmp_path: Path, name: str) -> None:
    """A repository whose HEAD names no branch is stored with all of its refs, in a mirror without a fault."""
    restored = night.restored(name, tmp_path)

    assert refs(night.github.repository("acme", name).path) == refs(restored)
    assert "" == git(restored, "fsck", "--strict")


def test_a_head_to_nowhere_stays_what_it_is(night: Night, tmp_path: Path) -> None:
    """The mirror's HEAD names the branch that upstream's names, though there is no such branch."""
    assert "refs/heads/gone\n" == git(night.restored("headless", tmp_path), "symbolic-ref", "HEAD")


def test_a_missing_default_branch_is_said(night: Night) -> None:
    """A repository whose default branch does not exist is named in the summary as what it is."""
    assert [True] == ["default branch" in line for line in night.lines("headless")]
    assert [] == [line for line in night.lines("fine") if "default branch" in line]


def test_nothing_half_made_stays(night: Night) -> None:
    """After the failures no part of a mirror or a tarball is left on the disk."""
    results = night.folder / "results"
    assert set() == files_below(results / "mirrors") | files_below(results / "archives")
