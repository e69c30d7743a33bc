"""Promises of a folder as the source: what is listed, and when a repository counts as pushed to."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from repo_maintenance.errors import HostError
from repo_maintenance.hosts.folder import FolderHost
from tests.servers import repositories
from tests.unit.making import age, listed, run


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """Return a folder with the bare repository `bare.git` and the working copy `copy`, a day old."""
    folder = tmp_path / "acme"
    repositories.make_repository(folder / "bare.git", branches=("feature/x",), size_bytes=50_000)
    run("git", "clone", "--quiet", str(folder / "bare.git"), str(folder / "copy"))
    age(folder)
    return folder


def test_bare_repositories_and_working_copies_are_listed(upstream: Path) -> None:
    """Each repository stands under its folder's name without `.git`, sorted, with the folder as its owner."""
    found = listed(upstream)

    assert list(found) == ["bare", "copy"]
    assert [one.full_name for one in found.values()] == ["acme/bare", "acme/copy"]
    assert {"main"} == {one.default_branch for one in found.values()}
    assert 50_000 < found["bare"].size_bytes < 60_000


def test_what_is_no_repository_is_passed_over(upstream: Path) -> None:
    """Files, and folders without a repository in them, are not listed."""
    (upstream / "notes.txt").write_text("")
    (upstream / "empty").mkdir()
    (upstream / "deeper" / "inner").mkdir(parents=True)
    repositories.make_empty(upstream / "deeper" / "inner" / "x.git")

    assert list(listed(upstream)) == ["bare", "copy"]


def test_an_empty_repository_is_listed(upstream: Path) -> None:
    """A repository without a commit is a repository, with the branch that its first commit will be on."""
    repositories.make_empty(upstream / "new.git", "trunk")
    assert listed(upstream)["new"].default_branch == "trunk"


def test_a_detached_head_has_no_default_branch(upstream: Path) -> None:
    """A working copy that is on no branch has no default branch, and is listed all the same."""
    run("git", "-C", str(upstream / "copy"), "checkout", "--quiet", "--detach")
    assert listed(upstream)["copy"].default_branch == ""


def test_an_address_in_any_script_can_be_fetched(upstream: Path) -> None:
    """A folder with spaces and letters of any script in its path gives an address that git takes."""
    odd = upstream / "Über uns %41 日本"
    repositories.make_repository(odd / "one.git")

    address = listed(odd)["one"].clone_url

    assert set(repositories.refs(odd / "one.git")) < set(run("git", "ls-remote", address).split())


def test_without_a_change_the_time_stays(upstream: Path) -> None:
    """A repository that nobody pushed to has the same time at each listing: it is not backed up again."""
    before = listed(upstream)
    run("git", "-C", str(upstream / "copy"), "status")
    (upstream / "copy" / "draft.txt").write_text("not committed")
    run("git", "-C", str(upstream / "copy"), "add", "draft.txt")

    assert before == {
        name: one.model_copy(update={"size_bytes": before[name].size_bytes})
        for name, one in listed(upstream).items()
    }


@pytest.mark.parametrize(
    "change", ["push", "other", "feature/x", "delete", "delete packed", "force", "default"]
)
def test_each_change_of_refs_counts_as_a_push(upstream: Path, change: str) -> None:
    """A new commit, a new, moved or deleted ref, and another default branch each give a later time."""
    source = upstream / "bare.git"
    if change == "delete packed":
        repositories.git(source, "pack-refs", "--all")
        age(upstream)
    before = listed(upstream)["bare"].pushed_at
    match change:
        case "push" | "other" | "feature/x":
            repositories.push_commit(source, "main" if change == "push" else change)
        case "delete" | "delete packed":
            repositories.delete_ref(source, "refs/heads/feature/x")
        case "force":
            repositories.force_push(source)
        case "default":
            repositories.set_head(source, "feature/x")

    assert listed(upstream)["bare"].pushed_at > before + dt.timedelta(hours=1)


def test_a_name_that_stands_for_two_is_refused(upstream: Path) -> None:
    """`bare` beside `bare.git` would get into the same backup: the run says which, and stops."""
    run("git", "clone", "--quiet", str(upstream / "bare.git"), str(upstream / "bare"))

    with pytest.raises(HostError, match=r"NAME\.git.*bare"):
        listed(upstream)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path, name: str) -> None:
    """A mistyped folder is not taken for one without repositories."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match=r"backup\.folder"):
        FolderHost(tmp_path / name, "a folder").list_repositories()


def test_what_git_makes_and_removes_meanwhile_stops_nothing(upstream: Path) -> None:
    """A push or `git gc` may work in the folder while it is listed: locks and temporary packs come and go."""
    git_dir = upstream / "bare.git"
    passing = [git_dir / "refs" / "heads" / f"{n}.lock" for n in range(20)]
    passing += [git_dir / "objects" / f"tmp_pack_{n}" for n in range(20)]
    is_done = threading.Event()

    def work() -> None:
        while not is_done.is_set():
            for path in passing:
                path.touch()
            for path in passing:
                path.unlink()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(300):
            assert ["bare", "copy"] == list(listed(upstream))
    finally:
        is_done.set()
        worker.join()
