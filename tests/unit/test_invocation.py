"""Promises of the look at the command line: what an option would swallow is said, with the right command."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from repo_maintenance.errors import SettingsError
from repo_maintenance.invocation import name_of, refuse_swallowed

SETTING = "takes every word that follows for a setting"
FILE = "takes every word that follows for a file"
SLIPS = {
    "--config force=true backup": (
        f"--config {SETTING}, also 'backup' (put the target first: `snakemake backup --config force=true`)"
    ),
    "--cores 4 -C x=1 verify --quiet": (
        f"-C {SETTING}, also 'verify' (put the target first: `snakemake verify -C x=1`)"
    ),
    "--config 'restore={date: 20261115}' restore": (
        f"--config {SETTING}, also 'restore' "
        "(put the target first: `snakemake restore --config 'restore={date: 20261115}'`)"
    ),
    "--config backup": f"--config {SETTING}, also 'backup' (put the target first: `snakemake backup`)",
    "--config force =true": "--config force =true: a space beside = (write key=value)",
    "--config force= true": "--config force= true: a space beside = (write key=value)",
    "--config force = true": "--config force = true: a space beside = (write key=value)",
    "--config x=1": "--config: there is no key 'x' (config/README.md explains every key)",
    "backup --config backup.max_age_days=3": (
        "--config: backup.max_age_days has dots (write --config backup='{max_age_days: 3}')"
    ),
    "backup --config backup.s3.bucket=b": (
        "--config: backup.s3.bucket has dots (write --config backup='{s3: {bucket: b}}')"
    ),
    "--configfile none.yaml backup": "--configfile: there is no file none.yaml (correct the path)",
    "--configfile backup": "--configfile: there is no file backup (correct the path)",
    "--configfile mine.yaml backup": (
        f"--configfile {FILE}, also 'backup' "
        "(put the target first: `snakemake backup --configfile mine.yaml`)"
    ),
    "backup --configfiles mine.yaml torn.yaml": (
        "torn.yaml, line 1, column 8: found character '\\t' that cannot start any token "
        "(indent with spaces; YAML takes no tabs)"
    ),
}
SOUND = [
    "",
    "backup --config force=true",
    "--config force=true --cores 4 backup",
    "--config force=true -- backup",
    "--config=force=true backup",
    "--config 'restore={date: 20261115}' verbose=true -n",
    "--config force=",
    "backup --configfile mine.yaml mine.json",
    "backup --configfile mine.yaml --config force=true",
]


@pytest.fixture(autouse=True)
def files(workspace: Path) -> None:
    """Write the configurations that the command lines name."""
    (workspace / "mine.yaml").write_text("backup: {}\n")
    (workspace / "torn.yaml").write_text("backup:\t- x\n")
    (workspace / "mine.json").write_text('{\n\t"backup": {}\n}\n')


@pytest.mark.parametrize(("line", "said"), SLIPS.items(), ids=SLIPS)
def test_what_an_option_would_swallow_is_said_with_the_right_command(line: str, said: str) -> None:
    """One line says which option took which word, and what to type; Snakemake alone shows a traceback."""
    with pytest.raises(SettingsError) as refused:
        refuse_swallowed(shlex.split(line))

    assert said == str(refused.value)


@pytest.mark.parametrize("line", SOUND)
def test_what_snakemake_understands_passes(line: str) -> None:
    """Nothing that Snakemake takes as it was meant is refused."""
    refuse_swallowed(shlex.split(line))


@pytest.mark.parametrize(
    ("called", "on_path", "typed"),
    [
        (".venv/bin/snakemake", None, ".venv/bin/snakemake"),
        (".venv/bin/snakemake", "/usr/bin/snakemake", ".venv/bin/snakemake"),
        ("/home/me/.venv/bin/snakemake", "/home/me/.venv/bin/snakemake", "snakemake"),
        ("/lib/python3.11/site-packages/snakemake/__main__.py", None, "python -m snakemake"),
        ("/usr/bin/pytest", None, "snakemake"),
        ("", None, "snakemake"),
    ],
)
def test_a_remedy_names_the_command_that_was_typed(called: str, on_path: str | None, typed: str) -> None:
    """Whoever types the path of Snakemake gets remedies with that path; whom PATH serves, the name alone."""
    assert typed == name_of(called, on_path)
