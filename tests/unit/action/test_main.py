"""Promises of the action's own steps: secrets are masked first, and what a run left behind is always told."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance.action.__main__ import VERBS
from repo_maintenance.action.running import OUTPUT

SECRET = "ghp-a-secret-of-this-test"
CONFIG = "backup:\n  folder: organization\n  directory: backups\nreport:\n  directory: out\n"


@pytest.fixture
def environment(workspace: Path) -> dict[str, str]:
    """Return a step's environment, in a folder with a configuration."""
    (workspace / "config.yaml").write_text(CONFIG)
    return {
        "INPUT_CONFIG": "config.yaml",
        "INPUT_TASK": "backup",
        "RUN_ENDED": "success",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(workspace),
        "GITHUB_OUTPUT": str(workspace / "output"),
        "GITHUB_STEP_SUMMARY": str(workspace / "page"),
        "GITHUB_RUN_ID": "17",
        "GITHUB_TOKEN": SECRET,
    }


def outputs(environment: dict[str, str]) -> dict[str, str]:
    """Return the outputs of one line each."""
    lines = Path(environment["GITHUB_OUTPUT"]).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_secrets_are_masked_before_anything_is_said(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Even where the inputs can't be used at all, the runner knows what to hide."""
    assert 1 == VERBS["run"]({**environment, "INPUT_CORES": "many"})

    first, second = capsys.readouterr().out.splitlines()
    assert f"::add-mask::{SECRET}" == first
    assert second.startswith("::error title=repo-maintenance::input cores")


def test_outside_of_github_no_secret_is_printed(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Masks are commands to GitHub's runner; on a terminal they would show the secret."""
    del environment["GITHUB_ACTIONS"]
    VERBS["run"]({**environment, "INPUT_CONFIG": "missing.yaml"})

    said = capsys.readouterr().out
    assert SECRET not in said
    assert "there is no file missing.yaml" in said


def test_a_failed_run_is_told_with_its_reason(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The page of the run, its outputs and its annotations say that and why there is no backup."""
    OUTPUT.parent.mkdir(parents=True)
    OUTPUT.write_text("Building DAG of jobs...\nError: The bucket is gone\n")

    assert 0 == VERBS["tell"]({**environment, "RUN_ENDED": "failure"})

    said = capsys.readouterr().out
    assert "::error title=backup failed::" in said
    assert "The bucket is gone" in said
    assert Path(environment["GITHUB_STEP_SUMMARY"]).read_text()
    assert SECRET not in said + Path(environment["GITHUB_OUTPUT"]).read_text()


def test_each_run_s_artifact_has_a_name_of_its_own(environment: dict[str, str]) -> None:
    """In a matrix too, where run and attempt are the same."""
    names = []
    for _ in range(2):
        assert 0 == VERBS["tell"](environment)
        names.append(outputs(environment)["artifact"])
    assert 2 == len(set(names))
    assert all(name.startswith("backup-17-1-") for name in names)


@pytest.mark.parametrize(
    "content",
    [b"backup: [", b"- a list", b"3", b"backup: {folder: 3, nothing: here}", b"\t", b"\xff\xfe\xff"],
)
def test_a_configuration_that_can_not_be_used_is_no_second_failure(
    environment: dict[str, str], content: bytes
) -> None:
    """The run has said what is wrong with it; what there is to tell is told all the same."""
    Path("config.yaml").write_bytes(content)

    assert 0 == VERBS["tell"]({**environment, "RUN_ENDED": "failure"})
    assert "artifact" in outputs(environment)


def test_inputs_that_can_not_be_used_are_told_once(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By the run; the step after it stays silent."""
    assert 0 == VERBS["tell"]({**environment, "INPUT_TASK": "dance"})
    assert "" == capsys.readouterr().out
