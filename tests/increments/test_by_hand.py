"""What the README says of an increment is all that it takes: its commands, run as they stand there."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path

from repo_maintenance.naming import BackupName, object_key
from repo_maintenance.settings import load_settings
from tests.increments.chain import INCREMENTAL, SIZE_BYTES, state
from tests.servers.repositories import delete_ref, git_environment, make_repository, push_commit
from tests.unit.making import age, back_up
from tests.unit.organization import Organization
from tests.workflow.workspace import PROJECT

REPO = "lecture-python"
FULL, INCREMENT = dt.date(2026, 11, 1), dt.date(2026, 11, 22)


def commands() -> str:
    """Return the shell blocks under the heading *An increment*, as they stand in the README."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n### An increment\n")[2]
    return "".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


def test_tar_and_git_alone_put_an_increment_back(tmp_path: Path, workspace: Path) -> None:
    """Whoever pastes the README's commands has the repository and its wiki as they were, and git agrees."""
    _ = workspace
    (tmp_path / "up").mkdir()
    organization = Organization(tmp_path / "up")
    path, wiki = organization.path(REPO), organization.path(f"{REPO}.wiki")
    for made in (path, wiki):
        make_repository(made, size_bytes=SIZE_BYTES, branches=("old",), tags=("v1",))
    settings = load_settings(organization.config(incremental=INCREMENTAL), {})
    for date in (FULL, INCREMENT):
        age(organization.folder)
        for changed in (path, wiki):
            push_commit(changed)
        if date == INCREMENT:
            delete_ref(path, "refs/heads/old")
        for decision in organization.resolve(today=date, incremental=INCREMENTAL).due:
            back_up(settings, organization.store, decision.name)
    place = tmp_path / "place"
    place.mkdir()
    for date in (FULL, INCREMENT):
        shutil.copy(organization.backups / object_key(BackupName(REPO, date)), place)

    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", commands()],
        cwd=place,
        env=git_environment(),
        capture_output=True,
        check=False,
        text=True,
    )

    assert 0 == done.returncode, done.stderr
    found = organization.store.find(object_key(BackupName(REPO, FULL)))
    assert found is not None
    assert 2 == done.stdout.count(found.metadata["sha256"])
    assert [state(path), state(wiki)] == [state(place / path.name), state(place / wiki.name)]
    for restored in (place / path.name, place / wiki.name):
        clone = ["git", "clone", "-q", str(restored), str(place / f"clone-of-{restored.name}")]
        assert 0 == subprocess.run(clone, env=git_environment(), capture_output=True, check=False).returncode
