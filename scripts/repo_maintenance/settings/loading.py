"""Reads settings from a configuration and the environment, and reports every problem at once."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from repo_maintenance.errors import SettingsError
from repo_maintenance.settings.alerts import CHANNEL_PREFIX, HEARTBEAT_VARIABLE
from repo_maintenance.settings.models import Settings
from repo_maintenance.settings.secrets import find_secrets

ENVIRONMENT_PREFIX = "REPO_MAINTENANCE_"
SECTION_WANTED = {"model_type", "model_attributes_type", "dict_type"}
# These hold secrets, and are read by those alone who send there.
ADDRESSES = (CHANNEL_PREFIX, HEARTBEAT_VARIABLE)


def load_settings(config: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Return the settings that ``config`` gives, overridden by variables of the environment.

    ``REPO_MAINTENANCE_BACKUP__ORGANIZATION=name`` sets ``backup.organization``; lists and sections are
    written as YAML (``REPO_MAINTENANCE_BACKUP__PATTERNS='[lecture-.*]'``), and ``null`` unsets.

    Raises SettingsError, whose message has a line for each problem: its path in the file, what is wrong, and
    for an unknown key the nearest valid one.
    """
    merged = _merge(config, environment_overrides(environment))
    secrets = list(find_secrets(merged))
    problems = [f"{path}: {why}; remove it from the configuration" for path, why in secrets]
    settings = None
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        secret_paths = {path for path, _why in secrets}
        details = error.errors(include_url=False, include_context=False)
        problems += [_describe(detail) for detail in details if _dotted(detail["loc"]) not in secret_paths]
    if problems or settings is None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "".join(f"\n  {problem}" for problem in problems)
        raise SettingsError(
            f"The configuration can't be used, {count}:{lines}\nconfig/README.md explains every key."
        )
    return settings


def environment_overrides(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the nested configuration that the variables beginning with ``REPO_MAINTENANCE_`` give."""
    overrides: dict[str, Any] = {}
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX) or name.startswith(ADDRESSES):
            continue
        *sections, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        target = overrides
        for section in sections:
            inner = target.setdefault(section, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{name}: another variable already sets {section} as a whole")
            target = inner
        target[key] = _parse_variable(name, text)
    return overrides


def _parse_variable(name: str, text: str) -> Any:
    """Return lists, sections and null as YAML has them; all else stays text, which the types convert."""
    if not text.startswith(("[", "{")) and text != "null":
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"{name}: not a YAML list or section", hint="write it as [a, b]") from error


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged


def _describe(detail: ErrorDetails) -> str:
    """Return what is wrong with one key, and what to write in its place."""
    path, given = _dotted(detail["loc"]), detail["input"]
    if detail["type"] == "extra_forbidden":
        return f"{path}: unknown key; {_advise_key(detail['loc'])}"
    if detail["type"] in SECTION_WANTED:
        wrong = "nothing in it" if given is None else "not a section"
        return f"{path}: {wrong}; indent its keys below it"
    if detail["type"] == "list_type":
        return f"{path}: not a list; write [{json.dumps(given) if isinstance(given, str) else '…'}]"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{path}: {message[:1].lower()}{message[1:]}"


def _advise_key(location: tuple[int | str, ...]) -> str:
    *section, last = location
    valid = list(_keys_at(section))
    near = difflib.get_close_matches(str(last), valid, n=1, cutoff=0.5)
    homes = [path for path in _all_keys(Settings) if path.endswith(f".{last}")]
    if homes and not (near and section):
        return f"it stands elsewhere: {' or '.join(homes)}"
    return f"did you mean '{near[0]}'?" if near else f"valid here: {', '.join(valid)}"


def _all_keys(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield the paths of all keys, but of those in sections whose names are a user's to choose."""
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path
        for inner in () if get_origin(field.annotation) is dict else _models_of(field.annotation):
            yield from _all_keys(inner, f"{path}.")


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    """Return the section that a field holds, alone or as one of several possibilities."""
    candidates = [annotation, *get_args(annotation)]
    return [kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _keys_at(section: list[int | str]) -> Iterator[str]:
    """Yield the valid keys of the section at a path, following the models' types."""
    model: type[BaseModel] = Settings
    for part in section:
        field = model.model_fields.get(str(part))
        if field is None:
            continue  # the name of one of several sections of a kind
        models = _models_of(field.annotation)
        if not models:
            return
        model = models[0]
    yield from (field.alias or name for name, field in model.model_fields.items())
