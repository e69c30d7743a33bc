"""Promises of the check for archived repositories that others still use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.health.making import commit, look, messages

NAME = "archived_dependencies"
ARCHIVED = {"archived": ["acme/Old.Tools", "acme/theme"]}
USES = {
    ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = https://github.com/acme/old.tools.git\n',
    "requirements.txt": "old @ git+ssh://git@github.com/acme/Old.Tools@main\n",
    "requirements-dev.txt": "-e git+https://github.com/acme/Old.Tools.git#egg=old\n",
    "package.json": '{"dependencies": {"t": "github:acme/theme", "o": "git@github.com:acme/Old.Tools.git"}}',
    ".github/workflows/ci.yml": "      - uses: acme/theme/setup@v1\n",
}


@pytest.mark.parametrize("path", USES)
def test_each_way_to_use_one_is_found(path: str, tmp_path: Path) -> None:
    """As a submodule, by address or as an action: the file and the archived repository are named."""
    found = messages(look(commit(tmp_path / "one.git", {path: USES[path]}), NAME, organization=ARCHIVED))

    assert found
    assert all(
        one.startswith(f"{path} depends on acme/") and one.endswith(", which is archived") for one in found
    )


def test_what_is_alive_is_no_finding(tmp_path: Path) -> None:
    """Others' repositories of that name, other hosts', and names that only begin so are not meant."""
    text = (
        "a @ git+https://github.com/other/theme\nb @ git+https://gitlab.com/acme/theme\n"
        "c @ git+https://github.com/acme/theme-2\nd @ git+https://github.com/acme/alive\ntheme\n"
    )

    assert (
        []
        == look(
            commit(tmp_path / "one.git", {"requirements.txt": text}), NAME, organization=ARCHIVED
        ).findings
    )


def test_the_archived_one_itself_is_not_blamed(tmp_path: Path) -> None:
    """An archived repository that names itself needs no successor; one that is left alone is left alone."""
    bare = commit(tmp_path / "one.git", {".github/workflows/ci.yml": USES[".github/workflows/ci.yml"]})
    own = {"full_name": "acme/theme"}

    assert [] == look(bare, NAME, organization=ARCHIVED, repository=own).findings
    assert [] == look(bare, NAME, organization=ARCHIVED, settings={"ignore": ["acme/theme"]}).findings
