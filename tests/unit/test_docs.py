"""The documentation agrees with what it describes.

``python -m tests.unit.test_docs`` writes the reference in config/README.md anew from the settings' types.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from repo_maintenance.settings import Settings, load_settings

PROJECT = Path(__file__).parents[2]
README = PROJECT / "README.md"
CONFIG_README = PROJECT / "config" / "README.md"
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("config/*.md"), *PROJECT.glob("docs/**/*.md")])
BEGIN = "<!-- Written by `python -m tests.unit.test_docs` from the settings' types. -->\n\n"
END = "\n<!-- The end of what is written by itself. -->\n"
WHOLE, NUMBER = "whole number", "number"
CONTAINERS = {"array": ("list of", "items"), "object": ("names, each with a", "additionalProperties")}
KINDS = {"boolean": "`true` or `false`", "integer": WHOLE, "number": NUMBER, "string": "text"}


def render_reference() -> str:
    """Return the tables of all keys, a section each, as Markdown."""
    schema = Settings.model_json_schema()
    parts = []
    for path, section in _sections(schema, "", schema):
        title = f"`{path}`" if path else "Top level"
        rows = [_row(schema, path, key, section) for key in section["properties"]]
        table = ["| key | value | default | meaning |", "|---|---|---|---|", *rows]
        parts.append("\n".join([f"### {title}", "", section["description"], "", *table, ""]))
    return "\n".join(parts)


def split_config_readme() -> tuple[str, str, str]:
    """Return what stands in config/README.md before, between and after the marks of the reference."""
    before, rest = CONFIG_README.read_text(encoding="utf-8").split(BEGIN)
    reference, after = rest.split(END)
    return before, reference, after


def _sections(schema: dict[str, Any], path: str, section: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each section with its dotted path, outer ones first."""
    yield path, section
    for key, field in section["properties"].items():
        inner = _section_of(schema, field)
        if inner is not None:
            yield from _sections(schema, _join(path, key), inner)
        named = _section_of(schema, field.get("additionalProperties", {}))
        if named is not None:
            yield from _sections(schema, f"{_join(path, key)}.NAME", named)


def _section_of(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any] | None:
    """Return the section that a key holds, or None where it holds a value."""
    names = [one["$ref"].rpartition("/")[2] for one in [field, *field.get("anyOf", ())] if "$ref" in one]
    found: dict[str, Any] | None = schema["$defs"][names[0]] if names else None
    return found if found and "properties" in found else None


def _row(schema: dict[str, Any], path: str, key: str, section: dict[str, Any]) -> str:
    field = section["properties"][key]
    if key in section.get("required", ()):
        default = "required"
    elif isinstance(field["default"], dict):
        default = "see its own keys"
    else:
        default = f"`{json.dumps(field['default'])}`"
    # Where a key's description is also its section's, pydantic leaves it out at the key.
    meaning = field.get("description") or (_section_of(schema, field) or {})["description"]
    cells = [f"`{_join(path, key)}`", _describe_values(schema, field), default, meaning]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _describe_values(schema: dict[str, Any], field: dict[str, Any]) -> str:
    """Say in words what a key may hold."""
    if _section_of(schema, field) is not None:
        return "section" + (", or `null`" if "anyOf" in field else "")
    if "$ref" in field:  # a choice of words
        field = schema["$defs"][field["$ref"].rpartition("/")[2]]
    if "anyOf" in field:
        kinds = [_describe_values(schema, one) for one in field["anyOf"] if one.get("type") != "null"]
        return f"{', '.join(kinds)}, or `null`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field["type"] in CONTAINERS:
        words, inner = CONTAINERS[field["type"]]
        return f"{words} {_describe_values(schema, field[inner])}"
    if field.get("format") == "path":
        return "path"
    kind = KINDS[field["type"]]
    least = field.get("minimum", field["exclusiveMinimum"] + 1 if "exclusiveMinimum" in field else None)
    return kind if least is None else f"{kind}, {least} or more"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def fenced(page: Path, language: str) -> list[str]:
    """Return the code blocks of one language in a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """Return the lines of the shell blocks in a page, without comments."""
    lines = "".join(fenced(page, "sh")).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_reference_names_every_key_as_it_is() -> None:
    """Each key stands in config/README.md with its values, default and meaning; no key that is gone does."""
    _before, reference, _after = split_config_readme()

    assert render_reference().splitlines() == reference.splitlines()


def test_the_first_commands_of_the_readme_run_the_example_and_the_tests() -> None:
    """What a newcomer pastes first sets up and runs the main job; then, sets up and passes the tests."""
    expected = [".venv/bin/snakemake --cores 4 backup", ".venv/bin/pytest"]

    assert expected == [line.rpartition(" && ")[2] for line in commands(README)[:2]]


def test_ci_ends_with_the_readmes_own_test_command() -> None:
    """CI runs the tests last, and as the README says to."""
    last = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]

    assert commands(README)[1] == last


@pytest.mark.parametrize("page", [README, CONFIG_README], ids=lambda page: str(page.relative_to(PROJECT)))
def test_each_configuration_shown_can_be_used(page: Path) -> None:
    """Whoever pastes a configuration from the documentation has one that is valid."""
    shown = [yaml.safe_load(block) for block in fenced(page, "yaml")]

    loaded = [load_settings(config, {}) for config in shown]

    assert loaded
    assert all(settings.backup.model_fields_set for settings in loaded)


def test_each_policy_shown_is_json() -> None:
    """Whoever pastes a policy from the README has one that AWS can read, and no action twice."""
    policies = [json.loads(block) for block in fenced(README, "json")]

    actions = [action for policy in policies for one in policy["Statement"] for action in one["Action"]]

    assert actions
    assert sorted(set(actions)) == sorted(actions)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_each_link_leads_somewhere(page: Path) -> None:
    """A link to a file of the project names one that exists, and a link to a heading one that is there."""
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_each_test_that_a_failure_mode_names_exists() -> None:
    """Whoever wants to see a promise of docs/failure-modes.md proved finds the test under its name."""
    page = (PROJECT / "docs" / "failure-modes.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", page)
    defined = {
        (path.name, name)
        for path in PROJECT.glob("tests/**/test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert len(named) > 60
    assert [] == [name for name in named if name not in defined]


def test_each_shell_command_can_be_read_by_a_shell() -> None:
    """No command in the README has a quote that is never closed."""
    assert all(shlex.split(line) for line in commands(README))


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    before, _old, after = split_config_readme()
    CONFIG_README.write_text(f"{before}{BEGIN}{render_reference()}{END}{after}", encoding="utf-8")
