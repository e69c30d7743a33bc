"""The tutorial, run as it is written: every command, in order, in a copy of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.workflow.workspace import PROJECT, copy_project

TUTORIAL = PROJECT / "docs" / "tutorial.md"
SETUP = "python3 -m venv .venv && .venv/bin/pip install --quiet --editable ."


def commands() -> list[str]:
    """Return the lines of the tutorial's shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return "".join(blocks).splitlines()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Play the tutorial in a fresh copy; returns what each command printed.

    The environment that the tests run in stands for the one that the first command makes.
    """
    place = tmp_path_factory.mktemp("tutorial") / "repo-maintenance"
    copy_project(place)
    (place / ".venv").symlink_to(sys.prefix)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "GH_", "REPO_"))}
    outputs = {}
    for command in commands()[1:]:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=place,
            env=kept,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        outputs[command] = done.stdout + done.stderr
    yield outputs


def test_it_begins_with_the_set_up() -> None:
    """The first command is the README's own way to set the project up."""
    assert commands()[0] == SETUP
    assert SETUP in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_every_command_works(played: dict[str, str]) -> None:
    """Nothing in the tutorial fails, from the first look to the restored repository."""
    assert len(played) == len(set(commands())) - 1


def test_what_it_shows_is_what_happens(played: dict[str, str]) -> None:
    """The tables and lines that the tutorial prints are those that the commands print."""
    said = "".join(played.values())
    shown = re.findall(
        r"^```text\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    lines = [line.split() for block in shown for line in block.splitlines()]
    printed = [line.split() for line in said.splitlines()]
    assert shown
    assert [] == [line for line in lines if line not in printed]


def test_the_damage_is_found_and_the_history_is_back(played: dict[str, str]) -> None:
    """The damaged backup is named, and the restored clone has commits."""
    said = "".join(played.values())
    assert "FAILED lecture-intro-" in said
    assert "verify said no, and so it should" in said
    assert played["git -C results/lecture-intro log --oneline"].strip()
