"""The examples of docs/extending.md: each diff applies, and the result does what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.repositories import make_repository
from tests.workflow.workspace import PROJECT, copy_project

PAGE = PROJECT / "docs" / "extending.md"
EXTENDED = """
import yaml
from repo_maintenance.alerts import Evidence, find_alerts
from repo_maintenance.settings import AlertSettings, load_settings
from tests.unit.test_alerts import overview, state

lacking = overview(state(incomplete="1 of 2 LFS objects missing"))
print(*(one.name for one in find_alerts(lacking, Evidence(), AlertSettings())))
print(*(one.name for one in find_alerts(lacking, Evidence(), AlertSettings(off=["backup-incomplete"]))))
with open("config/config.yaml") as stream:
    print(*load_settings(yaml.safe_load(stream), {}).notifications.channels)
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with every diff of the page applied, in order."""
    place = tmp_path_factory.mktemp("extended") / "copy"
    copy_project(place)
    diffs = re.findall(r"^```diff\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(diffs) == 4
    for diff in diffs:
        subprocess.run(["git", "apply", "-"], cwd=place, input=diff.encode(), check=True)
    return place


def test_the_new_host_and_store_back_up(extended: Path, tmp_path: Path) -> None:
    """Repositories of a tree of folders are backed up, and what is stored is read-only."""
    make_repository(tmp_path / "tree" / "physics" / "one.git", commits=1)
    make_repository(tmp_path / "tree" / "two.git", commits=1)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("backup: {tree: tree, guard: true}\n")
    command = [sys.executable, "-m", "snakemake", f"--snakefile={extended}/Snakefile", "--cores", "2"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    stored = sorted((tmp_path / "backups").glob("*/*.tar.gz"))
    assert ["physics.one", "two"] == [path.parent.name for path in stored]
    assert [0o444, 0o444] == [path.stat().st_mode & 0o777 for path in stored]


def test_the_new_alert_and_channel_are_known(extended: Path) -> None:
    """The alert fires, unless it is switched off by its name; the configuration with the channel is valid."""
    done = subprocess.run(
        [sys.executable, "-c", EXTENDED],
        cwd=extended,
        env={"PYTHONPATH": f"{extended}/scripts:{extended}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["backup-incomplete", "operations"]
