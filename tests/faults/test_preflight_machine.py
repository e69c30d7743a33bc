"""The look at the machine before a run: git, git-lfs, and room on the disk."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from repo_maintenance import machine
from repo_maintenance.errors import PreflightError
from repo_maintenance.findings import Finding, Level
from repo_maintenance.machine import check_machine
from repo_maintenance.preflight import require
from tests.faults.findings import check_well_formed


def machine_findings(folder: Path = Path("results")) -> dict[str, Finding]:
    """Return what is found of the machine, by subject."""
    findings = list(check_machine(folder, lfs=True))
    check_well_formed(findings)
    return {finding.subject: finding for finding in findings}


def tools(tmp_path: Path, **scripts: str) -> str:
    """Return a PATH on which programs do what some lines of shell say."""
    for name, lines in scripts.items():
        path = tmp_path / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
    return str(tmp_path)


def test_missing_programs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git no backup can be made; without git-lfs it can, and a warning says what is left out."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = machine_findings()
    assert (Level.FAILURE, Level.WARNING) == (found["git"].level, found["git-lfs"].level)
    with pytest.raises(PreflightError, match=r"git: not installed.*install git"):
        require(check_machine(Path("results"), lfs=True))


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("git version 2.31.9", Level.FAILURE),
        ("git version 2.32.0", Level.OK),
        ("git version 2.50.1 (Apple Git-155)", Level.OK),
        ("git version 3.0.rc1", Level.OK),
    ],
)
def test_an_old_git_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, level: Level
) -> None:
    """A git that lacks what is used is found before a run."""
    monkeypatch.setenv("PATH", tools(tmp_path, git=f"echo '{said}'"))
    assert level == machine_findings()["git"].level


@pytest.mark.parametrize("program", ["git", "git_lfs"])
def test_a_program_that_fails_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """A program that is there but does not run is named, and not a crash."""
    sound = f'exec {shutil.which("git")} "$@"'
    broken = "echo broken >&2; exit 3"
    scripts = {"git": broken if program == "git" else sound, "git_lfs": broken}
    monkeypatch.setenv("PATH", tools(tmp_path, **scripts))
    found = machine_findings()[program.replace("_", "-")]
    assert found.level is not Level.OK


def test_little_disk_space_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room on the disk is looked at where ``results/`` will stand, though that does not exist yet."""
    assert Level.OK == machine_findings(Path("not/yet/there"))["disk"].level
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", sys.maxsize)
    found = machine_findings(Path("not/yet/there"))["disk"]
    assert (Level.WARNING, True) == (found.level, "free disk space" in (found.remedy or ""))
