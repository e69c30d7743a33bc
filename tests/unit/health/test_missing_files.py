"""Promises of the checks for files that every repository should have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.servers.repositories import git, make_empty
from tests.unit.health.making import commit, look, messages

PLACES = {
    "missing_license": [
        "LICENSE",
        "license.md",
        "COPYING",
        "LICENCE.txt",
        "LICENSE-MIT",
        "UNLICENSE",
        "LICENSES/MIT.txt",
    ],
    "missing_readme": ["README", "readme.rst", "docs/README.md", ".github/README.md"],
    "missing_contributing": ["CONTRIBUTING.md", ".github/contributing.md", "docs/CONTRIBUTING.rst"],
    "missing_security_policy": ["SECURITY.md", ".github/SECURITY.md", "docs/security.md"],
    "missing_code_owners": ["CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"],
    "missing_ci": [
        ".github/workflows/ci.yml",
        ".github/workflows/test.yaml",
        ".gitlab-ci.yml",
        ".circleci/config.yml",
        ".travis.yml",
        "azure-pipelines.yml",
        "Jenkinsfile",
    ],
}
ELSEWHERE = {
    "missing_license": ["src/LICENSE", "licenses.py"],
    "missing_readme": ["src/README.md", "readme-generator/main.py"],
    "missing_contributing": ["src/CONTRIBUTING.md"],
    "missing_security_policy": ["src/SECURITY.md", "security/policy.md"],
    "missing_code_owners": ["src/CODEOWNERS", "CODEOWNERS.md"],
    "missing_ci": [".github/workflows/README.md", "sub/.github/workflows/ci.yml", ".github/dependabot.yml"],
}


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, paths in PLACES.items() for path in paths])
def test_each_place_that_counts_is_looked_at(name: str, path: str, tmp_path: Path) -> None:
    """Where GitHub, or the service itself, would find the file, the check does."""
    assert [] == look(commit(tmp_path / "one.git", {path: "x\n"}), name).findings


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, paths in ELSEWHERE.items() for path in paths]
)
def test_elsewhere_it_does_not_count(name: str, path: str, tmp_path: Path) -> None:
    """A file of that name somewhere below is about something else; the finding says what to do."""
    (finding,) = look(commit(tmp_path / "one.git", {path: "x\n"}), name).findings

    assert ("lecture", name) == (finding.repository, finding.check)
    assert finding.remedy.startswith("add ")


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("missing_contributing", "inherits_contributing"),
        ("missing_security_policy", "inherits_security_policy"),
    ],
)
def test_what_the_organization_gives_to_all_counts(name: str, fact: str, tmp_path: Path) -> None:
    """A file in the organisation's repository `.github` stands for those that have none of their own."""
    bare = commit(tmp_path / "one.git", {"a": "x\n"})

    inherited: dict[str, Any] = {fact: True}

    assert (1, 0) == (len(look(bare, name).findings), len(look(bare, name, **inherited).findings))


@pytest.mark.parametrize("name", PLACES)
def test_what_nobody_can_mend_is_no_finding(name: str, tmp_path: Path) -> None:
    """Nothing is missing from an empty repository, nor from an archived one, which nobody can change."""
    empty = look(make_empty(tmp_path / "empty.git"), name)
    archived = look(commit(tmp_path / "one.git", {"a": "x\n"}), name, repository={"archived": True})

    assert ([], []) == (empty.findings, archived.findings)
    assert ([], []) == (empty.checks, archived.checks)


def test_a_link_is_no_file(tmp_path: Path) -> None:
    """A symbolic link, which may lead anywhere, does not stand for a license."""
    bare = commit(tmp_path / "one.git", {"a": "x\n"})
    stream = (
        b"commit refs/heads/main\ncommitter A <a@b> 1790000000 +0000\ndata 1\n.\nfrom refs/heads/main^0\n"
    )
    git(bare, "fast-import", "--quiet", stdin=stream + b"M 120000 inline LICENSE\ndata 11\n/etc/passwd\n")

    assert ["no license"] == messages(look(bare, "missing_license"))
