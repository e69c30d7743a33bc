"""Promises of the schema: it is what the types say, and explains every key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repo_maintenance.settings.schema import render_schema

KEPT = Path(__file__).parents[3] / "config" / "schema.json"


def test_the_kept_schema_is_what_the_types_say() -> None:
    """It did not drift; to write it: `python -m repo_maintenance.settings.schema > config/schema.json`."""
    assert render_schema() == KEPT.read_text(encoding="utf-8")


def test_every_key_has_a_description() -> None:
    """An editor explains each key where it stands."""
    schema = json.loads(render_schema())
    missing = [path for path, key in _keys(schema) if not _description(schema, key)]
    assert missing == []


def test_every_default_is_shown() -> None:
    """Each key that may be left out says what it then is."""
    schema = json.loads(render_schema())
    required = {f"{path}.{name}" for path, one in _objects(schema) for name in one.get("required", ())}
    unsaid = [path for path, key in _keys(schema) if path not in required and "default" not in key]
    assert unsaid == []
    assert [name for name in required if name.startswith(("BackupSettings.", "."))] == []


def test_unknown_keys_are_marked_as_wrong() -> None:
    """An editor marks a mistyped key in every section."""
    assert {False} == {
        one.get("additionalProperties") for _path, one in _objects(json.loads(render_schema()))
    }


def _description(schema: dict[str, Any], key: dict[str, Any]) -> str:
    """Return what explains a key: its own words, or those of the section that it refers to."""
    section = schema["$defs"].get(key.get("$ref", "").rpartition("/")[2], {})
    return str(key.get("description") or section.get("description", ""))


def _objects(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every section with its name."""
    yield "", schema
    yield from ((name, one) for name, one in schema["$defs"].items() if one.get("type") == "object")


def _keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key of every section with its path."""
    for section, one in _objects(schema):
        for name, key in one["properties"].items():
            yield f"{section}.{name}", key
