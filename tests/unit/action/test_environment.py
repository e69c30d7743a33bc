"""Promises of the action's environment: it is cached under a key that changes with all that it depends on."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from repo_maintenance.action.environment import describe, find_extras

PYPROJECT = """
[project]
name = "tool"
dependencies = ["snakemake"]
[project.optional-dependencies]
dashboard = ["matplotlib"]
notify = ["apprise"]
test = ["pytest"]
"""
TODAY = dt.date(2026, 11, 24)


def machine(temp: Path, **changed: str) -> dict[str, str]:
    """Return the variables of a runner."""
    return {
        "GITHUB_ACTION_PATH": "/actions/tool/v1",
        "RUNNER_TEMP": str(temp),
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": "X64",
        "PYTHON_VERSION": "3.11.14",
        "INPUT_TASK": "backup",
        **changed,
    }


def test_the_key_is_the_same_for_the_same_environment(tmp_path: Path) -> None:
    """Two runs of a month find the same environment."""
    one = describe(PYPROJECT, machine(tmp_path), today=TODAY)
    other = describe(PYPROJECT, machine(tmp_path), today=TODAY.replace(day=1))

    assert one == other
    assert one["key"].startswith("repo-maintenance-Linux-X64-py3.11.14-2026-11-")
    assert "/actions/tool/v1" == one["requirement"]


def test_the_key_changes_with_all_that_the_environment_depends_on(tmp_path: Path) -> None:
    """Other dependencies, another Python, place, task or month: another environment."""
    described = [
        describe(PYPROJECT, machine(tmp_path), today=TODAY),
        describe(PYPROJECT.replace("snakemake", "snakemake>=9"), machine(tmp_path), today=TODAY),
        describe(PYPROJECT, machine(tmp_path, PYTHON_VERSION="3.11.15"), today=TODAY),
        describe(PYPROJECT, machine(tmp_path, GITHUB_ACTION_PATH="/actions/tool/v2"), today=TODAY),
        describe(PYPROJECT, machine(tmp_path, RUNNER_ARCH="ARM64"), today=TODAY),
        describe(PYPROJECT, machine(tmp_path / "other"), today=TODAY),
        describe(PYPROJECT, machine(tmp_path, INPUT_TASK="report"), today=TODAY),
        describe(PYPROJECT, machine(tmp_path), today=dt.date(2026, 12, 1)),
    ]

    assert 8 == len({outputs["key"] for outputs in described})


def test_only_what_a_task_needs_is_installed(tmp_path: Path) -> None:
    """A report brings what draws its pictures, a channel what sends to it; a backup brings neither."""
    channel = {"REPO_MAINTENANCE_NOTIFY_MAIL": "mailtos://…"}

    assert [] == find_extras(PYPROJECT, machine(tmp_path))
    assert ["dashboard"] == find_extras(PYPROJECT, machine(tmp_path, INPUT_TASK="report"))
    assert ["notify"] == find_extras(PYPROJECT, machine(tmp_path, **channel))
    assert [] == find_extras(PYPROJECT, machine(tmp_path, INPUT_TASK="health"))
    report = describe(PYPROJECT, machine(tmp_path, INPUT_TASK="report", **channel), today=TODAY)
    assert "/actions/tool/v1[dashboard,notify]" == report["requirement"]


def test_a_second_step_of_a_job_finds_it_ready_and_a_half_made_one_is_none(tmp_path: Path) -> None:
    """The environment is ready once its installation has come to its end, and not before."""
    folder = Path(describe(PYPROJECT, machine(tmp_path), today=TODAY)["folder"])
    folder.mkdir(parents=True)

    before = describe(PYPROJECT, machine(tmp_path), today=TODAY)["ready"]
    (folder / "complete").touch()
    after = describe(PYPROJECT, machine(tmp_path), today=TODAY)["ready"]

    assert ("false", "true") == (before, after)
