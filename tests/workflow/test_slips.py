"""Slips on the command line, through Snakemake: each ends in a line that says what to do, or the docs do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.workflow.workspace import PROJECT, Workspace

DOCUMENTED = re.compile(r"^\| `snakemake ([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
TROUBLESHOOTING = (PROJECT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
REFUSED = {
    "--config force=true backup": (
        "Error: --config takes every word that follows for a setting, also 'backup' "
        "(put the target first: `python -m snakemake backup --config force=true`)"
    ),
    "backup --config backup.max_age_days=3": (
        "Error: --config: backup.max_age_days has dots (write --config backup='{max_age_days: 3}')"
    ),
    "--configfile none.yaml backup": "Error: --configfile: there is no file none.yaml (correct the path)",
    "bakcup": (
        "Error: there is no target 'bakcup' (did you mean 'backup'? `python -m snakemake -l` lists all)"
    ),
    "xyzzy": "Error: there is no target 'xyzzy' (`python -m snakemake -l` lists all)",
}


@pytest.mark.parametrize(("line", "said"), REFUSED.items(), ids=REFUSED)
def test_a_slip_is_one_line_with_the_command_that_was_meant(tmp_path: Path, line: str, said: str) -> None:
    """Nothing is done, no traceback is shown, and the line can be followed as it stands."""
    done = Workspace(tmp_path, {}).run(*shlex.split(line))

    assert (1, said) == (done.code, done.output.splitlines()[-1])
    assert [] == [word for word in ("Traceback", "Exception") if word in done.output]
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("line", "said"), DOCUMENTED.findall(TROUBLESHOOTING))
def test_what_snakemake_says_by_itself_is_in_the_docs(tmp_path: Path, line: str, said: str) -> None:
    """What is said before this project is read can't be changed here: the docs have it word for word."""
    done = Workspace(tmp_path, {}).run(*shlex.split(line))

    last = done.output.rstrip().splitlines()[-1].replace("__main__.py: error", "snakemake: error")
    assert (True, said) == (done.code != 0, last)
    assert not (tmp_path / "results").exists()


def test_the_docs_have_such_slips() -> None:
    """The table of the page is read by the test above, not an empty one."""
    assert len(DOCUMENTED.findall(TROUBLESHOOTING)) > 2
