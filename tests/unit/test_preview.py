"""Promises of the preview: for each repository what would be done, and why."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import SettingsError
from repo_maintenance.preview import render_headline, render_preview
from tests.unit.organization import Organization, utc_today


def rows(text: str) -> dict[str, str]:
    """Return the lines of the table by repository, in their order."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("---")) + 1
    return {line.split()[0]: line for line in lines[start : start + 3]}


def test_each_repository_has_its_line(organization: Organization) -> None:
    """Action, reason, size and the date of the newest backup are shown; what is due comes first."""
    organization.run(patterns=["data_tools", "lecture-python"])
    organization.push("lecture-python")

    table = rows(render_preview(organization.resolve()))

    assert list(table) == ["lecture-intro", "lecture-python", "data_tools"]
    today = utc_today().isoformat()
    assert all(part in table["lecture-intro"] for part in ("new", "no backup yet", "none"))
    assert all(part in table["lecture-python"] for part in ("changed", "pushed", today))
    assert all(part in table["data_tools"] for part in ("up to date", today))
    assert all("bytes" in line or "KB" in line for line in table.values())


def test_too_old_and_forced_are_told_apart(organization: Organization) -> None:
    """A backup made for its age, and one made because it was asked for, say so."""
    organization.run()
    old = render_preview(organization.resolve(today=utc_today() + dt.timedelta(days=40)))
    forced = render_preview(organization.resolve(force=True))

    assert {True} == {"too old" in line and "30 days" in line for line in rows(old).values()}
    assert {True} == {"forced" in line and "force=true" in line for line in rows(forced).values()}


def test_the_headline_counts(organization: Organization) -> None:
    """One line says from where to where, how many there are, how many are selected, and how many are due."""
    organization.run(patterns=["lecture-intro"])

    line = render_headline(organization.resolve(patterns=["lecture-.*"]))

    assert "3 repositories, 2 selected, 1 to back up, 1 up to date" in line
    assert all(part in line for part in ("the small organisation", "backups"))
    assert line in render_preview(organization.resolve(patterns=["lecture-.*"]))


def test_a_preview_of_nothing(organization: Organization) -> None:
    """Where nothing is listed, the preview says so."""
    shutil.rmtree(organization.folder)
    organization.folder.mkdir()
    assert "0 repositories, 0 selected, 0 to back up" in render_preview(organization.resolve())


def test_patterns_that_match_nothing_are_an_error(organization: Organization) -> None:
    """A mistyped pattern ends the preview, and names what there is, before anything is written."""
    with pytest.raises(SettingsError, match=r"backup\.patterns.*none of the 3 repositories.*lecture-intro"):
        organization.resolve(patterns=["lecture_intro"])
    assert not naming.RECORDS.exists()
