"""Promises of the choice: by the whole name first, then by the filters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_maintenance.selection import explain_nothing, select
from tests.unit.making import repository, settings_with
from tests.unit.strategies import repository_names

NAMES = ["lecture-intro", "lecture-python", "my-lecture-python", "Lecture-R", "data_tools", "lecture-"]


def selected(names: list[str], **backup: Any) -> list[str]:
    """Return the names that are kept."""
    return [one.name for one in select(map(repository, names), settings_with(**backup).backup)]


@pytest.mark.parametrize(
    ("patterns", "exclude", "expected"),
    [
        ([".*"], [], NAMES),
        (["lecture-.*"], [], ["lecture-intro", "lecture-python", "lecture-"]),
        (["lecture-.+", "data_tools"], [], ["lecture-intro", "lecture-python", "data_tools"]),
        (["lecture"], [], []),
        (["python$"], [], []),
        (["lecture-.*"], [".*-python"], ["lecture-intro", "lecture-"]),
        ([".*"], ["lecture"], NAMES),
        (["lecture-python|data_tools"], [], ["lecture-python", "data_tools"]),
        (["(?i)lecture-.*"], ["lecture-"], ["lecture-intro", "lecture-python", "Lecture-R"]),
    ],
)
def test_patterns_match_the_whole_name(patterns: list[str], exclude: list[str], expected: list[str]) -> None:
    """A name is kept where one pattern matches all of it and no exclusion does."""
    assert expected == selected(NAMES, patterns=patterns, exclude=exclude)


@given(st.lists(repository_names, unique=True))
def test_everything_is_kept_by_default(names: list[str]) -> None:
    """Without patterns and filters every repository is backed up, in the order of the listing."""
    assert names == selected(names)


PLAIN = repository("plain", size_bytes=1_999_999)
ARCHIVED = repository("archived", archived=True, visibility="private", size_bytes=2_000_000)
FORK = repository("fork", fork=True, visibility="internal", topics=("course", "r"), size_bytes=2_000_001)
TOPICAL = repository("topical", topics=("python",))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["plain", "archived", "fork", "topical"]),
        ({"archived": "exclude"}, ["plain", "fork", "topical"]),
        ({"archived": "only"}, ["archived"]),
        ({"archived": "include"}, ["plain", "archived", "fork", "topical"]),
        ({"forks": "exclude"}, ["plain", "archived", "topical"]),
        ({"forks": "only"}, ["fork"]),
        ({"visibility": ["private", "internal"]}, ["archived", "fork"]),
        ({"visibility": ["public"]}, ["plain", "topical"]),
        ({"topics": ["python", "r"]}, ["fork", "topical"]),
        ({"topics": ["pyth"]}, []),
        ({"max_size_mb": 2}, ["plain", "archived", "topical"]),
        ({"archived": "only", "forks": "only"}, []),
    ],
)
def test_each_filter_leaves_out_what_it_says(filters: dict[str, Any], expected: list[str]) -> None:
    """A repository is kept only where it meets every filter; the size limit itself is still within."""
    chosen = settings_with(filters=filters).backup
    assert expected == [one.name for one in select([PLAIN, ARCHIVED, FORK, TOPICAL], chosen)]


@pytest.mark.parametrize(
    ("backup", "said"),
    [
        ({"patterns": ["lecture_intro"]}, ["none of the 6", "lecture-intro"]),
        ({"patterns": ["quite-other"]}, ["none of the 6", "whole names, such as lecture-intro"]),
        ({"exclude": [".*"]}, ["none of the 6", "backup.exclude"]),
        ({"filters": {"topics": ["physics"]}}, ["backup.filters", "none of the 6"]),
    ],
)
def test_nothing_selected_is_explained(backup: dict[str, Any], said: list[str]) -> None:
    """A mistyped pattern is no empty organisation: the reason names the key and the nearest names."""
    why = explain_nothing(list(map(repository, NAMES)), settings_with(**backup).backup)

    assert why is not None
    assert [True] * len(said) == [words in str(why) for words in said]


def test_filters_that_leave_nothing_are_named() -> None:
    """Where names match, but no filter is passed, it is the filters that the line sends to."""
    found = explain_nothing(list(map(repository, NAMES)), settings_with(filters={"topics": ["x"]}).backup)

    said = "backup.filters leave none of the 6 repositories whose names match (ask for less there)"
    assert said == str(found)


@pytest.mark.parametrize(
    ("pattern", "examples"),
    [
        ("^(?:(?:data))$", "data_tools"),
        (r"\bdata\.tool\b", "data_tools"),
        ("zzz", "lecture-intro, lecture-python, my-lecture-python"),
    ],
)
def test_the_names_that_were_meant_are_shown(pattern: str, examples: str) -> None:
    """The nearest names are told whatever regular expression is around the word, else the first three."""
    why = explain_nothing(list(map(repository, NAMES)), settings_with(patterns=[pattern]).backup)

    assert str(why) == (
        "backup.patterns, backup.exclude: none of the 6 repositories match "
        f"(patterns match whole names, such as {examples}; .* stands for anything)"
    )


def test_something_selected_needs_no_explanation() -> None:
    """Where one repository is kept, or none is listed at all, there is nothing to explain."""
    assert explain_nothing(list(map(repository, NAMES)), settings_with(patterns=["data_.*"]).backup) is None
    assert explain_nothing([], settings_with(patterns=["data_.*"]).backup) is None
