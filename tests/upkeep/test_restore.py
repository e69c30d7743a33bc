"""Restoring: from the bucket alone, on another machine, everything equal to what was upstream."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

from tests.servers.repositories import git_environment, make_repository, refs
from tests.upkeep.organization import EXPECTED_LFS, NAMES, BackedUp, fingerprint, lfs_objects


def test_an_organisation_comes_back_equal(backed_up: BackedUp, tmp_path: Path) -> None:
    """Every repository has upstream's HEAD, refs and objects; LFS objects and the wiki come along."""
    workspace = backed_up.elsewhere(tmp_path)

    done = workspace.run("--cores", "4", "restore")

    assert done.code == 0, done.output
    into = tmp_path / "results" / "restored"
    assert sorted(path.name for path in into.iterdir()) == NAMES
    for name in NAMES:
        assert fingerprint(backed_up.upstream(name)) == fingerprint(into / name / f"{name}.git")
    assert lfs_objects(into / "with-lfs" / "with-lfs.git") == EXPECTED_LFS
    wiki = backed_up.github.repository("acme", "with-wiki").wiki_path
    assert fingerprint(wiki) == fingerprint(into / "with-wiki" / "with-wiki.wiki.git")

    again = workspace.run("--cores", "4", "restore")

    assert again.code == 0
    assert "Nothing to be done" in again.output


def test_the_preview_names_repository_backup_and_size(backed_up: BackedUp, tmp_path: Path) -> None:
    """``snakemake -n restore`` shows what would come back, and brings nothing."""
    preview = backed_up.elsewhere(tmp_path).run("-n", "restore")

    today = dt.datetime.now(dt.UTC).date().isoformat()
    rows = [line.split() for line in preview.output.splitlines() if today in line]
    assert preview.code == 0
    assert [row[0] for row in rows] == NAMES
    assert not (tmp_path / "results" / "restored").exists()


def test_selected_repositories_as_of_a_day(backed_up: BackedUp, tmp_path: Path) -> None:
    """Names and patterns select; a date means the newest backup at or before it."""
    old = tmp_path / "old" / "lecture.git"
    make_repository(old, commits=1, seed="old")
    tarball = tmp_path / "lecture-20240105.tar.gz"
    subprocess.run(["tar", "-czf", tarball, "-C", old.parent, "lecture.git"], check=True)
    backed_up.client.upload_file(str(tarball), backed_up.bucket, f"backups/lecture/{tarball.name}")
    workspace = backed_up.elsewhere(
        tmp_path / "run", restore={"repositories": ["lec.*"], "date": 20240301, "into": "back"}
    )

    done = workspace.run("--cores", "2", "restore")

    backed_up.client.delete_object(Bucket=backed_up.bucket, Key=f"backups/lecture/{tarball.name}")
    assert done.code == 0, done.output
    assert [path.name for path in (workspace.path / "back").iterdir()] == ["lecture"]
    assert refs(old) == refs(workspace.path / "back" / "lecture" / "lecture.git")
    assert "not checked: refs: the tarball has no manifest" in done.output


def test_no_backup_that_old_is_said(backed_up: BackedUp, tmp_path: Path) -> None:
    """A day before the first backup ends the run with one line and the stored names."""
    workspace = backed_up.elsewhere(tmp_path, restore={"repositories": ["lecture"], "date": "20200101"})

    done = workspace.run("--cores", "1", "restore")

    assert done.code == 1
    assert "no backup of lecture at or before 20200101 (stored: data.sets, " in done.output
    assert "Traceback" not in done.output


def test_what_is_there_already_is_not_overwritten(backed_up: BackedUp, tmp_path: Path) -> None:
    """A folder of the same name stays as it is; that repository fails, the others come back."""
    mine = tmp_path / "results" / "restored" / "lecture"
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("mine")

    done = backed_up.elsewhere(tmp_path).run("--cores", "4", "restore")

    assert done.code == 1
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    assert "FAILED lecture (restore): " in done.output
    assert len(NAMES) == len(list(mine.parent.iterdir()))


def test_a_fresh_organisation_gets_everything_by_push(backed_up: BackedUp, tmp_path: Path) -> None:
    """``create`` makes private repositories, and the push fills them with all but pull requests."""
    owner = backed_up.github.add_organization("newhome")
    names = ["lecture", "data.sets", "with-lfs"]
    settings = {
        "repositories": names,
        "push_to": f"{backed_up.github.url}/{owner.login}/{{repo}}.git",
        "create": True,
    }
    workspace = backed_up.elsewhere(tmp_path, restore=settings)

    done = workspace.run("--cores", "2", "restore")

    assert done.code == 0, done.output
    for name in names:
        target = backed_up.github.repository("newhome", name)
        kept = {ref: oid for ref, oid in refs(backed_up.upstream(name)).items() if "/pull/" not in ref}
        assert kept == refs(target.path)
        assert target.private
        assert target.default_branch == "main"
    assert lfs_objects(backed_up.github.repository("newhome", "with-lfs").path) == EXPECTED_LFS
    assert backed_up.github.repository("newhome", "data.sets").description == "Données"
    assert backed_up.github.repository("newhome", "lecture").topics == ["economics"]

    backed_up.github.clear_requests()
    (workspace.path / "results" / "pushed").rename(workspace.path / "results" / "pushed-before")
    again = workspace.run("--cores", "2", "restore")

    pushes = [request for request in backed_up.github.git_requests() if "receive-pack" in request.path]
    assert again.code == 0, again.output
    assert [request for request in pushes if request.method == "POST"] == []


def test_a_restored_mirror_can_be_cloned(backed_up: BackedUp, tmp_path: Path) -> None:
    """``git clone`` takes a restored repository as it is."""
    workspace = backed_up.elsewhere(tmp_path, restore={"repositories": ["lecture"]})
    assert workspace.run("--cores", "1", "restore").code == 0

    source = tmp_path / "results" / "restored" / "lecture" / "lecture.git"
    subprocess.run(["git", "clone", "-q", source, tmp_path / "clone"], env=git_environment(), check=True)

    assert (tmp_path / "clone" / ".git").is_dir()
