"""Files that a loss of power left half-written, empty or full of zeros: the next run needs no hand."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from repo_maintenance.records import Receipt, read_json
from tests.conftest import TOKEN
from tests.machine import harm
from tests.machine.places import (
    ORGANIZATION,
    backups_in,
    from_folder,
    from_github,
    left_overs,
    make_source,
    upstream_refs,
)
from tests.servers.github import Account, FakeGitHub
from tests.servers.repositories import push_commit
from tests.workflow.workspace import Finished, Workspace

NAMES = ("one", "two", "three")
BRANCH = "größe"  # so that a cut can fall into the middle of a character
Damage = Callable[[Workspace], None]

AFTER_A_RUN: dict[str, Damage] = {
    "receipts": harm.files("results/uploaded/*"),
    "records": harm.files("results/repositories/*"),
    "notes": harm.notes,
    "half-a-run": harm.half_a_run,
    "marks-of-begun-jobs": harm.marks_of_begun_jobs,
    "snakemake": harm.own_files_of_snakemake,
    "stored-metadata": harm.stored_metadata,
}
KEPT: dict[str, Damage] = {"kept-tarballs": harm.kept_tarballs, "kept-mirrors": harm.kept_mirrors}
FROM_GITHUB: dict[str, Damage] = {"listing": harm.files("results/listings/*")}
WITH_HISTORY: dict[str, Damage] = {"earlier-receipts": harm.receipts_of_earlier_days}
KINDS = {**AFTER_A_RUN, **KEPT, **FROM_GITHUB, **WITH_HISTORY}


@dataclass(frozen=True)
class Healed:
    """How the run after a loss of power ended."""

    finished: Finished
    pristine: Workspace
    """A working folder that came to no harm."""
    workspace: Workspace
    source: Path


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitHub]:
    """Serve three repositories."""
    root = tmp_path_factory.mktemp("github")
    with FakeGitHub(root, tokens={TOKEN: Account("robot")}) as server:
        for name in NAMES:
            server.add_repository(ORGANIZATION, name, default_branch=BRANCH, description=BRANCH)
        yield server


@pytest.fixture(scope="module")
def healed(
    tmp_path_factory: pytest.TempPathFactory, github: FakeGitHub
) -> Iterator[dict[str, Future[Healed]]]:
    """Run once, push, and then run again in copies of the working folder, each damaged in another way."""
    root = tmp_path_factory.mktemp("power-loss")
    source = make_source(root / "source", NAMES, default_branch=BRANCH)
    pristine = {
        "plain": from_folder(root / "plain", source),
        "kept": from_folder(root / "kept", source, keep_mirrors=True, keep_archives=True),
        "github": from_github(root / "from-github", github),
    }

    def heal(kind: str) -> Healed:
        base = "kept" if kind in KEPT else "github" if kind in FROM_GITHUB else "plain"
        workspace = copied(pristine[base], root / kind)
        KINDS[kind](workspace)
        upstream = github.state.root / ORGANIZATION if base == "github" else source
        return Healed(workspace.backup(), pristine[base], workspace, upstream)

    with ThreadPoolExecutor(2) as pool:
        for first in pool.map(Workspace.backup, pristine.values()):
            assert first.code == 0, first.output
        push_commit(source / "three.git", BRANCH)
        github.touch_push(ORGANIZATION, "three")
        yield {kind: pool.submit(heal, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_run_heals(healed: dict[str, Future[Healed]], kind: str) -> None:
    """Whatever a loss of power damaged, the next run succeeds, and then every backup is whole and current."""
    after = healed[kind].result()

    assert after.finished.code == 0, after.finished.output
    assert "Traceback" not in after.finished.output
    assert upstream_refs(after.source) == backups_in(after.workspace)
    assert after.workspace.summary()["ok"] is True
    assert not unreadable_receipts(after.workspace)
    assert described(after.workspace) == {name: digest_of(after.workspace, name) for name in NAMES}


@pytest.mark.parametrize("kind", AFTER_A_RUN)
def test_nothing_half_written_stays(healed: dict[str, Future[Healed]], kind: str) -> None:
    """After the next run the working folder holds what it holds after any run, and nothing half-written."""
    after = healed[kind].result()

    assert not left_overs(after.workspace)
    assert names_in(after.pristine) == names_in(after.workspace)


def test_what_is_stored_is_not_made_again(healed: dict[str, Future[Healed]]) -> None:
    """Jobs that had begun when the power went do not make a stored backup again; only what is due is made."""
    after = healed["marks-of-begun-jobs"].result()

    assert after.finished.made == ["three"]


def copied(pristine: Workspace, target: Path) -> Workspace:
    """Copy a working folder; stored backups are linked, since the store knows them by their inodes."""
    shutil.copytree(pristine.path, target, ignore=shutil.ignore_patterns("backups"))
    shutil.copytree(pristine.path / "backups", target / "backups", copy_function=os.link)
    for metadata in (target / "backups").rglob("*.metadata.json"):
        content = metadata.read_bytes()
        metadata.unlink()
        metadata.write_bytes(content)
    return Workspace(target, pristine.config, pristine.environment)


def names_in(workspace: Workspace) -> set[str]:
    """Return the names of all files of a run, but for its logs."""
    results = workspace.path / "results"
    paths = {path.relative_to(results) for path in results.rglob("*") if path.is_file()}
    return {str(path) for path in paths if path.parts[0] != "logs"}


def unreadable_receipts(workspace: Workspace) -> list[str]:
    """Return the names of receipts that are not whole, of whatever day."""
    paths = (workspace.path / "results" / "uploaded").iterdir()
    return [path.name for path in paths if read_json(path, Receipt) is None]


def described(workspace: Workspace) -> dict[str, str]:
    """Return what each repository's newest receipt says of the SHA-256 of its backup."""
    found = {}
    for name in NAMES:
        newest = max((workspace.path / "results" / "uploaded").glob(f"{name}-*"))
        found[name] = str(json.loads(newest.read_text())["sha256"])
    return found


def digest_of(workspace: Workspace, name: str) -> str:
    """Return the SHA-256 of a repository's newest backup."""
    newest = max((workspace.path / "backups" / name).glob("*.tar.gz"))
    return hashlib.sha256(newest.read_bytes()).hexdigest()
