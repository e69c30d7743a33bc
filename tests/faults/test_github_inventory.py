"""What is listed, and what became of what was: never a part for the whole, and repositories known by id."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import HostError
from repo_maintenance.records import Receipt, read_json
from tests.conftest import TOKEN
from tests.faults.in_process import (
    STORED,
    Backups,
    connect,
    folder_backups,
    lines_about,
    names,
    read_manifest,
    result_of,
)
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import make_repository
from tests.unit.making import files_below, unpack

PAGE_2 = matching(r"/orgs/acme/repos\?.*[?&]page=2(&|$)")
BREAKS = {
    "500": Fault(PAGE_2, status=500),
    "403": Fault(PAGE_2, status=403, body={"message": "Resource protected by SAML enforcement."}),
    "404": Fault(PAGE_2, status=404, body={"message": "Not Found"}),
    "200 without JSON": Fault(PAGE_2, status=200, body="<html>We'll be back soon</html>"),
    "200 with an object": Fault(PAGE_2, status=200, body={"message": "Hello"}),
    "cut": Fault(PAGE_2, after_bytes=2000),
}


@pytest.fixture
def large(github: FakeGitHub) -> FakeGitHub:
    """Return GitHub with an organisation of 130 repositories, every other one private."""
    path = github.add_repository("acme", "one").path
    for number in range(129):
        github.add_repository("acme", f"copy-{number}", path, private=number % 2 == 0)
    return github


@pytest.fixture
def backups(github: FakeGitHub) -> Backups:
    """Return the organisation's backups: of ``one`` and ``two``, made yesterday."""
    for name in ("one", "two"):
        github.add_repository("acme", name)
    made = folder_backups(github)
    assert 2 == made.run(days_ago=1).backed_up
    return made


def stored() -> set[str]:
    """Return the backups that there are."""
    return {name for name in files_below(STORED) if name.endswith(".tar.gz")}


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("kind", BREAKS)
def test_a_listing_that_fails_half_way_fails_the_run(large: FakeGitHub, kind: str) -> None:
    """Whatever happens to the second page, the run ends, and nothing that it knew changes."""
    backups = folder_backups(large, patterns=["one"])
    backups.resolve()
    before = {path: path.read_bytes() for path in naming.RECORDS.iterdir()}
    fault = BREAKS[kind]
    large.fault(Fault(fault.match, status=fault.status, body=fault.body, after_bytes=fault.after_bytes))
    for page in naming.LISTINGS.iterdir():
        page.unlink()

    with pytest.raises(HostError) as stopped:
        backups.resolve()

    assert "\n" not in str(stopped.value)
    assert before == {path: path.read_bytes() for path in naming.RECORDS.iterdir()}


def test_one_wrong_answer_does_not_make_an_organization_a_user(large: FakeGitHub) -> None:
    """Where GitHub denies once that the organisation exists, its public part does not pass for the whole."""
    large.fault(Fault(matching("/orgs/acme/repos"), times=1, status=404, body={"message": "Not Found"}))
    with pytest.raises(HostError):
        names(connect(large))


def test_an_unknown_organization_is_named(github: FakeGitHub) -> None:
    """A mistyped organisation is one line that names the setting, not an empty inventory."""
    with pytest.raises(HostError, match=r"backup\.organization: GitHub knows no .* 'acmee'"):
        names(connect(github, owner="acmee"))


def test_a_renamed_repository_is_recognised(github: FakeGitHub, backups: Backups) -> None:
    """Under its new name a repository is backed up anew; the summary says what became of the old backups."""
    github.rename("acme", "one", "first")
    before = stored()

    summary = backups.run()

    assert ["one was renamed to acme/first; its backups are kept"] == summary.movements
    assert ["NOTE one was renamed to acme/first; its backups are kept"] == lines_about(summary, "one ")
    assert "backed up" == result_of(summary, "first").outcome
    assert before < stored()


def test_a_rename_of_case_alone_is_a_rename(github: FakeGitHub, backups: Backups) -> None:
    """A name that changed in its case only is another name in the store, and reported as such."""
    github.rename("acme", "one", "One")
    before = stored()

    summary = backups.run()

    assert ["one was renamed to acme/One; its backups are kept"] == summary.movements
    assert {name.split("/")[0] for name in stored()} == {"one", "One", "two"}
    assert before < stored()


def test_a_transferred_repository_is_recognised(github: FakeGitHub, backups: Backups) -> None:
    """A repository that went to another account is found there by its id, and its backups stay."""
    github.add_organization("elsewhere")
    github.transfer("acme", "one", "elsewhere")
    before = stored()

    summary = backups.run()

    assert ["one was transferred to elsewhere/one; its backups are kept"] == summary.movements
    assert (["two"], before) == ([one.repository for one in summary.repositories], stored())


@pytest.mark.parametrize("status", [None, 403, 451])
def test_a_vanished_repository_is_reported(github: FakeGitHub, backups: Backups, status: int | None) -> None:
    """A repository that GitHub no longer shows is reported at each run, and its backups stay."""
    repository = github.repository("acme", "one")
    github.remove("acme", "one")
    if status is not None:
        github.fault(Fault(matching(f"/repositories/{repository.id}"), status=status, body={"message": "No"}))
    before = stored()

    said = [backups.run().movements for _ in range(2)]

    assert [["one has vanished; its backups are kept"]] * 2 == said
    assert before == stored()


def test_a_private_repository_out_of_sight_is_reported(github: FakeGitHub, backups: Backups) -> None:
    """A repository that the token may not see any more is not silently forgotten."""
    github.touch_metadata("acme", "one", private=True)
    account = github.access.tokens[TOKEN]
    github.add_token(TOKEN, type(account)("robot", scopes="public_repo"))

    assert ["one has vanished; its backups are kept"] == backups.run().movements


def test_a_name_that_is_used_again_is_another_repository(github: FakeGitHub, backups: Backups) -> None:
    """A new repository under a deleted one's name is backed up, though nothing was pushed to it since."""
    pushed_at = github.repository("acme", "one").pushed_at
    github.remove("acme", "one")
    new = github.add_repository("acme", "one", pushed_at=pushed_at)

    result = result_of(backups.run(), "one")

    assert ("backed up", "another repository has this name now") == (result.outcome, result.reason)
    receipts = [read_json(path, Receipt) for path in sorted(naming.RECEIPTS.glob("one-*"))]
    assert str(new.id) == (receipts[-1].repository_id if receipts[-1] else None)


def test_a_renamed_repository_whose_name_is_used_again_is_reported(
    github: FakeGitHub, backups: Backups, tmp_path: Path
) -> None:
    """Though its old name is listed, the summary says that the repository it belonged to is elsewhere now."""
    github.rename("acme", "one", "first")
    github.add_repository("acme", "one", make_repository(tmp_path / "new.git"))

    summary = backups.run()

    assert ["backed up"] * 2 == [result_of(summary, name).outcome for name in ("one", "first")]
    assert [True] == ["renamed to acme/first" in said for said in summary.movements]


def test_a_used_name_never_costs_the_vanished_ones_backup(github: FakeGitHub, tmp_path: Path) -> None:
    """The only backup of a deleted repository is not replaced by that of another one on the same day."""
    first = github.add_repository("acme", "one")
    backups = folder_backups(github)
    backups.run()
    github.remove("acme", "one")
    github.add_repository("acme", "one", pushed_at=first.pushed_at)

    backups.run()

    kept = [unpack(path, tmp_path / path.name) for path in (STORED / "one").glob("*.tar.gz")]
    assert str(first.id) in {read_manifest(folder).repository_id for folder in kept}
