"""Wikis: stored beside their repository where there is one; having none is no error, a failure is."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance.errors import GitError
from repo_maintenance.hosts.github import GitHubHost
from repo_maintenance.mirror import mirror_repository
from tests.faults.in_process import (
    connect,
    folder_backups,
    lines_about,
    mirror,
    read_manifest,
    result_of,
    settings_for,
)
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import git, make_repository, refs
from tests.unit.making import files_below

WIKI = matching(r"/acme/book\.wiki\.git/")
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@pytest.fixture
def book(github: FakeGitHub) -> Path:
    """Add the private repository ``book`` with a wiki, and return where the wiki stands at GitHub."""
    wiki = github.add_repository("acme", "book", private=True).wiki_path
    return make_repository(wiki, default_branch="master", branches=("draft",))


def test_a_wiki_stands_beside_its_repository(github: FakeGitHub, book: Path, tmp_path: Path) -> None:
    """The tarball holds the wiki with all of its refs, as a mirror that git can clone, and says so."""
    backups = folder_backups(github)

    assert 1 == backups.run().backed_up

    restored = backups.restore("book", tmp_path / "restored")
    assert {"book.git", "book.wiki.git", "manifest.json"} == {path.name for path in restored.iterdir()}
    wiki = restored / "book.wiki.git"
    assert refs(book) == refs(wiki) == read_manifest(restored).wiki_refs
    assert ("refs/heads/master\n", "") == (git(wiki, "symbolic-ref", "HEAD"), git(wiki, "fsck", "--strict"))


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("cached", [True, False])
def test_no_wiki_is_no_error(github: FakeGitHub, tmp_path: Path, private: bool, cached: bool) -> None:
    """GitHub says of nearly every repository that it has a wiki: where nobody wrote one, all is well."""
    github.add_repository("acme", "book", private=private, has_wiki=True)

    contents = mirror(github, "book", tmp_path / "m", cache=tmp_path / "cache" if cached else None)

    assert (False, ["book.git", "contents.json"]) == (
        contents.has_wiki,
        sorted(path.name for path in (tmp_path / "m").iterdir()),
    )
    assert any(WIKI(request) for request in github.git_requests())


def anonymous(github: FakeGitHub) -> GitHubHost:
    """Return the organisation as those without a token see it."""
    return connect(github, {})


def test_no_wiki_is_no_error_without_a_token(github: FakeGitHub, tmp_path: Path) -> None:
    """GitHub asks those without a token for one where there is no wiki: that is no error either."""
    github.add_repository("acme", "book", has_wiki=True)
    host = anonymous(github)
    (repository,) = host.list_repositories()

    contents = mirror_repository(repository, tmp_path / "m", settings_for(github).backup, host.git_access)

    assert contents.has_wiki is False


@pytest.mark.parametrize("change", ["wikis: false", "has_wiki: false"])
def test_a_wiki_that_is_not_wanted_is_not_asked_for(
    github: FakeGitHub, book: Path, tmp_path: Path, change: str
) -> None:
    """Switched off, here or at GitHub, a wiki costs no request."""
    assert book.is_dir()
    github.touch_metadata("acme", "book", has_wiki=change != "has_wiki: false")

    contents = mirror(github, "book", tmp_path / "m", wikis=change != "wikis: false")

    assert (False, []) == (contents.has_wiki, [one for one in github.git_requests() if WIKI(one)])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_wiki_is_tried_again(github: FakeGitHub, book: Path, tmp_path: Path, status: int) -> None:
    """An answer that may pass costs a second attempt, and not the wiki."""
    fault = github.fault(Fault(WIKI, times=1, status=status))

    contents = mirror(github, "book", tmp_path / "m")

    assert (True, 1) == (contents.has_wiki, fault.hits)
    assert refs(book) == refs(tmp_path / "m" / "book.wiki.git")


def test_a_wiki_cut_in_mid_transfer_is_tried_again(github: FakeGitHub, book: Path, tmp_path: Path) -> None:
    """A transfer that breaks off leaves no part of a wiki."""
    github.fault(Fault(matching(r"book\.wiki\.git/git-upload-pack"), times=1, after_bytes=300))
    mirror(github, "book", tmp_path / "m")
    assert refs(book) == refs(tmp_path / "m" / "book.wiki.git")


FAILURES = {
    "403": Fault(WIKI, status=403),
    "500": Fault(WIKI, status=500),
    "502 that says not found": Fault(WIKI, status=502, headers=PLAIN, body="upstream host not found\n"),
    "451": Fault(WIKI, status=451),
    "cut": Fault(matching(r"book\.wiki\.git/git-upload-pack"), after_bytes=300),
}


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize("kind", FAILURES)
def test_a_wiki_that_can_not_be_had_fails_the_repository(github: FakeGitHub, kind: str) -> None:
    """A failure is not taken for an absence: nothing is stored without the wiki, and the summary says why."""
    fault = FAILURES[kind]
    github.fault(Fault(fault.match, None, fault.status, fault.headers, fault.body, fault.after_bytes))
    backups = folder_backups(github)

    summary = backups.run()

    assert ("failed", False) == (result_of(summary, "book").outcome, summary.ok)
    assert [True] == [
        line.startswith("FAILED book (mirror): ") for line in lines_about(summary, "FAILED book")
    ]
    assert set() == files_below(Path("results/mirrors"))


def test_a_wiki_that_was_deleted_is_gone_from_the_next_backup(
    github: FakeGitHub, book: Path, tmp_path: Path
) -> None:
    """A wiki that is in the cache but not at GitHub any more is not put into a backup of today."""
    cache = tmp_path / "cache"
    mirror(github, "book", tmp_path / "m", cache=cache)
    book.rename(tmp_path / "away")

    contents = mirror(github, "book", tmp_path / "n", cache=cache)

    assert (False, False) == (contents.has_wiki, (tmp_path / "n" / "book.wiki.git").exists())


def test_a_failure_message_is_git_errors_own(github: FakeGitHub, book: Path, tmp_path: Path) -> None:
    """The error names the wiki's address, so that it is not looked for in the repository."""
    assert book.is_dir()
    github.fault(Fault(WIKI, status=403))
    with pytest.raises(GitError, match=r"book\.wiki\.git.*403") as failed:
        mirror(github, "book", tmp_path / "m")
    assert "access denied" == failed.value.kind
