"""Promises of the action's inputs: what is empty has its default, and what is wrong is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance.action.inputs import read_inputs
from repo_maintenance.errors import SettingsError

SOURCE = Path("/action")


@pytest.fixture(autouse=True)
def configuration(workspace: Path) -> Path:
    """Write a configuration to where the action looks for it."""
    path = workspace / "config" / "config.yaml"
    path.parent.mkdir()
    path.write_text("{}")
    return path


def test_an_empty_input_has_its_default() -> None:
    """A scheduled run has no inputs to hand on: what arrives empty is as if it were not there."""
    given = {f"INPUT_{name}": "" for name in ("TASK", "CONFIG", "ORGANIZATION", "FORCE", "CORES", "DRY_RUN")}

    inputs = read_inputs(given)

    assert read_inputs({}) == inputs
    assert ("backup", 4, False, False) == (inputs.task, inputs.cores, inputs.force, inputs.dry_run)
    assert {} == inputs.overrides()


def test_the_command_names_everything_by_its_whole_path(workspace: Path) -> None:
    """The run takes workflow and profile from the action, and the configuration from the user's folder."""
    command = read_inputs({"INPUT_TASK": "verify", "INPUT_CORES": "2"}).command("/venv/python", SOURCE)

    assert [
        *("/venv/python", "-P", "-m", "snakemake"),
        *("--snakefile", "/action/Snakefile"),
        *("--workflow-profile", "/action/profiles/default"),
        *("--configfile", str(workspace / "config" / "config.yaml")),
        *("--cores", "2", "verify", "--resources", "disk_mb=10000"),
    ] == command


def test_inputs_become_settings() -> None:
    """Organisation, force and cache go before the configuration; a dry run is Snakemake's own."""
    inputs = read_inputs(
        {
            "INPUT_ORGANIZATION": "acme",
            "INPUT_FORCE": "true",
            "INPUT_CACHE": "true",
            "INPUT_CACHE_PATH": "/temp/mirrors",
            "INPUT_DRY_RUN": "true",
        }
    )

    assert {
        "REPO_MAINTENANCE_BACKUP__ORGANIZATION": "acme",
        "REPO_MAINTENANCE_FORCE": "true",
        "REPO_MAINTENANCE_BACKUP__CACHE": "/temp/mirrors",
    } == inputs.overrides()
    assert "--dry-run" in inputs.command("python", SOURCE)


def test_every_wrong_input_is_named() -> None:
    """All inputs that can't be used are said at once, each by the name that it has in the workflow."""
    with pytest.raises(SettingsError) as error:
        read_inputs({"INPUT_TASK": "all", "INPUT_CORES": "0", "INPUT_DRY_RUN": "maybe", "INPUT_DISK_MB": "1"})

    lines = str(error.value).splitlines()
    assert ["input task", "input cores", "input dry-run"] == [line.partition(":")[0] for line in lines]
    assert lines[0].endswith("not 'all'")


def test_a_missing_configuration_says_what_was_forgotten() -> None:
    """Who forgets to check the repository out is told so."""
    with pytest.raises(SettingsError, match=r"no file elsewhere\.yaml.*actions/checkout"):
        read_inputs({"INPUT_CONFIG": "elsewhere.yaml"})
