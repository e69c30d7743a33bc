"""Promises of the look at the YAML file: each slip in one line, with its place and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_maintenance.errors import SettingsError
from repo_maintenance.settings.slips import refuse_slips

SLIPS = {
    "a tab": ("backup:\n\torganization: acme\n", "line 2, column 1", "spaces"),
    "an open list": ("backup:\n  patterns: [a, b\nlogging: {}\n", "line 3", "its end"),
    "a key too far left": (
        'backup:\n  organization: "a"\n patterns: [a]\n',
        "line 3, column 2",
        "same column",
    ),
    "a key twice": ("backup:\n  organization: a\n  organization: b\n", "line 3, column 3", "keep one"),
    "a placeholder": ("backup:\n  organization: {{ name }}\n", "line 2, column 18", "quotes"),
    "an open quote": ('backup: {organization: "acme}\n', "line", "its end"),
}


@pytest.mark.parametrize(("text", "place", "remedy"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_its_place(tmp_path: Path, text: str, place: str, remedy: str) -> None:
    """Each usual slip is one line that says where it is, and what to do."""
    path = tmp_path / "config.yaml"
    path.write_text(text)

    with pytest.raises(SettingsError) as found:
        refuse_slips(path)

    assert f"{path}, {place}" in str(found.value)
    assert remedy in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("text", ["- acme\n", "acme\n", "", "# nothing yet\n"])
def test_what_has_no_keys_is_no_configuration(tmp_path: Path, text: str) -> None:
    """A file that holds something else than keys, or nothing, is named as that: Snakemake takes neither."""
    path = tmp_path / "config.yaml"
    path.write_text(text)

    with pytest.raises(SettingsError, match="begin with backup:"):
        refuse_slips(path)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    """A file that no editor wrote is one line, too."""
    path = tmp_path / "config.yaml"
    path.write_bytes(b"backup: \xff\xfe\x00\n")

    with pytest.raises(SettingsError, match=r"config\.yaml"):
        refuse_slips(path)


def test_what_is_sound_passes(tmp_path: Path) -> None:
    """A sound file is let through, and one that is not there is for Snakemake to complain of."""
    path = tmp_path / "config.yaml"
    path.write_text("backup: {organization: acme}\n")
    refuse_slips(path)
    refuse_slips(tmp_path / "not-there.yaml")


def test_the_bundled_configuration_has_no_slip() -> None:
    """What the project ships can be read."""
    refuse_slips(Path(__file__).parents[3] / "config" / "config.yaml")
